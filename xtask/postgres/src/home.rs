use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};

use crate::account::Account;

/// Waits for the end of its input, which comes when whoever started it is gone, however that went. `$0` is the
/// directory, the arguments are the server.
const KEEPER: &str = r#"
pid=
while read -r word; do
    case $word in
        run) "$@" >>"$0/log" 2>&1 & pid=$! ;;
        gone) wait "$pid"; pid= ;;
    esac
done
if [ -n "$pid" ]; then
    kill -QUIT "$pid" 2>/dev/null
    wait "$pid"
fi
rm -rf "$0"
"#;

/// A directory of one cluster, and the server that runs in it. When it is dropped, or this process ends in any other
/// way, the server is ended and the directory removed.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    keeper: Child,
}

impl Home {
    /// Makes the directory. `server` is what [`Home::run`] starts: a program and its arguments, which may begin with
    /// the directory.
    pub(crate) fn make(account: Account, server: impl FnOnce(&Path) -> Vec<PathBuf>) -> Result<Self> {
        let path = tempfile::Builder::new().prefix("chatroom-pg-").tempdir()?.keep();
        account.own(&path)?;
        let keeper = account
            .command("/bin/sh")
            .args(["-c", KEEPER])
            .arg(&path)
            .args(server(&path))
            // An interrupt from the terminal is for the process that started it; the pipe tells the rest.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the shell that keeps a directory")?;
        Ok(Self { path, keeper })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path.join("log")).unwrap_or_default()
    }

    /// Starts the server.
    pub(crate) fn run(&mut self) -> Result<()> {
        self.say("run")
    }

    /// The server was ended, so its number is free for another process.
    pub(crate) fn gone(&mut self) -> Result<()> {
        self.say("gone")
    }

    fn say(&mut self, word: &str) -> Result<()> {
        let input = self.keeper.stdin.as_mut().context("the keeper of the directory has ended")?;
        writeln!(input, "{word}").context("the keeper of the directory has ended")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends once the server has and the directory is gone; there is nobody to tell if it failed.
        let _ = self.keeper.wait();
    }
}
