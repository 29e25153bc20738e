//! What was measured on: a figure without its machine says nothing.

mod ticks;

use std::fmt;
use std::fs;
use std::path::Path;
use std::thread;

use serde::Serialize;
use xshell::cmd;

pub(crate) use self::ticks::Ticks;
use crate::project::Project;

#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    kernel: String,
    /// The file system that the data lies on.
    disk: String,
    /// The commit that was built, with a `+` if files were changed since.
    commit: String,
    /// The share of its processors' time that the host of a virtual machine took meanwhile, where the system tells.
    stolen: Option<f64>,
}

impl Machine {
    /// `began`: when the measuring did.
    pub(crate) fn this(project: &Project, began: Option<Ticks>) -> Self {
        let name = rustix::system::uname();
        let kernel = format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy());
        Self {
            cpu: cpu(project),
            cores: thread::available_parallelism().map_or(0, usize::from),
            kernel,
            disk: file_system(&project.target),
            commit: commit(project),
            stolen: began.zip(Ticks::now()).map(|(began, now)| now.stolen_since(began)),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, disk, commit, stolen } = self;
        write!(f, "{cpu}, {cores} cores, {kernel}, {disk}; commit {commit}")?;
        stolen.map_or(Ok(()), |share| write!(f, "; the host took {:.1} % of the time", share * 100.0))
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn cpu(project: &Project) -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    match model.and_then(|line| line.split_once(':')) {
        Some((_, model)) => model.trim().to_owned(),
        None => {
            let asked = cmd!(project.shell, "sysctl -n machdep.cpu.brand_string").quiet().ignore_stderr();
            asked.read().unwrap_or_else(|_| unknown())
        }
    }
}

/// The type of the file system that a path lies on, where the system tells.
fn file_system(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    deepest_mount(&mounts, path).unwrap_or_else(unknown)
}

fn deepest_mount(mounts: &str, path: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(at, _)| path.starts_with(at))
        // Of two at the same place, the later one hides the other.
        .max_by_key(|(at, _)| at.len())
        .map(|(_, kind)| kind.to_owned())
}

fn commit(project: &Project) -> String {
    let asked = cmd!(project.shell, "git describe --always --exclude=* --abbrev=10 --dirty=+");
    asked.quiet().ignore_stderr().read().unwrap_or_else(|_| unknown())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::deepest_mount;

    #[test]
    fn the_deepest_mount_holds_a_path() {
        let mounts =
            "/dev/a / ext4 rw 0 0\ntmpfs /x tmpfs rw 0 0\nold /y/z nfs rw 0 0\nnew /y/z xfs rw 0 0\n";
        let of = |path: &str| deepest_mount(mounts, Path::new(path));
        assert_eq!(of("/x/target").as_deref(), Some("tmpfs"));
        assert_eq!(of("/xx/target").as_deref(), Some("ext4"));
        assert_eq!(of("/y/z/w").as_deref(), Some("xfs"));
        assert_eq!(deepest_mount("", Path::new("/x")), None);
    }
}
