use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

/// The user that servers and their tools run as.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account {
    /// The user of this process.
    Own,
    /// Another one, because this process is root's.
    Other { uid: u32, gid: u32 },
}

/// Whom root becomes, the first that exists.
const OTHERS: &[&str] = &["postgres", "nobody"];

impl Account {
    pub(crate) fn find() -> Result<Self> {
        static FOUND: OnceLock<Option<Account>> = OnceLock::new();
        FOUND.get_or_init(Self::look).with_context(|| {
            format!("PostgreSQL does not run as root, and there is no user {}", OTHERS.join(" or "))
        })
    }

    fn look() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return Some(Self::Own);
        }
        OTHERS.iter().find_map(|name| {
            Some(Self::Other { uid: number("-u", name).ok()?, gid: number("-g", name).ok()? })
        })
    }

    /// A command of this user, with nothing in its environment that changes what PostgreSQL does.
    pub(crate) fn command(self, program: impl AsRef<Path>) -> Command {
        use std::os::unix::process::CommandExt as _;

        let mut command = Command::new(program.as_ref());
        // The directory of the caller may be closed to this user.
        command.current_dir("/").env_clear().env("LC_ALL", "C").env("TZ", "UTC");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or directory to this user.
    pub(crate) fn own(self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .with_context(|| format!("cannot give {} to user {uid}", path.display())),
        }
    }
}

fn number(which: &str, user: &str) -> Result<u32> {
    let output = Command::new("id").args([which, user]).output()?;
    ensure!(output.status.success(), "there is no user {user}");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
