use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

/// All of these are needed, from one directory.
const PROGRAMS: &[&str] = &["initdb", "pg_basebackup", "postgres", "psql"];

/// Folders whose entries may be installations, each with its programs in `bin`.
const SHELVES: &[&str] = &["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];

/// The programs of one installation of PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries(PathBuf);

impl Binaries {
    /// The first installation that is complete: on `PATH`, where `pg_config` says, Debian's, Homebrew's, of the last
    /// two the newest.
    ///
    /// # Errors
    /// If there is none.
    pub fn find() -> Result<Self> {
        static FOUND: OnceLock<Binaries> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let found = Self::look();
        let found =
            found.with_context(|| format!("no directory has PostgreSQL's {}", PROGRAMS.join(", ")))?;
        // Only what was found: it may be installed while this process runs.
        Ok(FOUND.get_or_init(|| found).clone())
    }

    fn look() -> Option<Self> {
        let shelves: Vec<_> = SHELVES.iter().map(PathBuf::from).collect();
        let path = env::var_os("PATH").unwrap_or_default();
        Self::among(env::split_paths(&path).chain(configured()).chain(shelved(&shelves)))
    }

    fn among(mut candidates: impl Iterator<Item = PathBuf>) -> Option<Self> {
        candidates.find_map(|directory| {
            // A directory of links leads to where the programs find their neighbours.
            let server = directory.join("postgres").canonicalize().ok()?;
            let real = server.parent()?;
            PROGRAMS.iter().all(|program| real.join(program).is_file()).then(|| Self(real.to_owned()))
        })
    }

    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let directory = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(directory.trim()))
}

/// The installations on these shelves: Debian's `15`, Homebrew's `postgresql@17`.
fn shelved(shelves: &[PathBuf]) -> impl Iterator<Item = PathBuf> + use<'_> {
    shelves.iter().flat_map(|shelf| {
        let entries = fs::read_dir(shelf).into_iter().flatten().flatten();
        let mut found: Vec<_> =
            entries.filter_map(|entry| Some((version(&entry.path())?, entry.path().join("bin")))).collect();
        found.sort_by_key(|(version, _)| Reverse(*version));
        found.into_iter().map(|(_, directory)| directory)
    })
}

fn version(installation: &Path) -> Option<u32> {
    let name = installation.file_name()?.to_str()?;
    let version = name.strip_prefix("postgresql").map_or(name, |rest| rest.trim_start_matches('@'));
    // Homebrew's newest has no number.
    if version.is_empty() { Some(u32::MAX) } else { version.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(directory: &Path, programs: &[&str]) {
        fs::create_dir_all(directory).unwrap();
        for program in programs {
            fs::write(directory.join(program), "").unwrap();
        }
    }

    #[test]
    fn the_newest_complete_installation_of_a_shelf_is_found() {
        let root = tempfile::tempdir().unwrap();
        let shelf = root.path().canonicalize().unwrap();
        for name in ["9", "15", "postgresql@16"] {
            install(&shelf.join(name).join("bin"), PROGRAMS);
        }
        install(&shelf.join("17/bin"), &["postgres", "psql"]);
        install(&shelf.join("other/bin"), PROGRAMS);
        let shelves = [shelf.join("not there"), shelf.clone()];
        let found = Binaries::among(shelved(&shelves)).unwrap();
        assert_eq!(found, Binaries(shelf.join("postgresql@16/bin")));
    }

    #[test]
    fn a_directory_of_links_leads_to_the_installation() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (real, links) = (root.join("real"), root.join("links"));
        install(&real, PROGRAMS);
        fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink(real.join("postgres"), links.join("postgres")).unwrap();
        assert_eq!(Binaries::among([links].into_iter()), Some(Binaries(real)));
    }

    #[test]
    fn this_machine_has_an_installation() {
        let found = Binaries::find().unwrap();
        let output = Command::new(found.path("postgres")).arg("--version").output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().starts_with("postgres (PostgreSQL)"));
    }
}
