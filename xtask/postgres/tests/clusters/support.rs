use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use xtask_postgres::Server;

/// The process and the data directory of a server.
pub(crate) fn traces(server: &Server) -> (String, PathBuf) {
    let lock = server.query("postgres", "SELECT pg_read_file('postmaster.pid')").unwrap();
    let directory = server.query("postgres", "SHOW data_directory").unwrap();
    (lock.lines().next().unwrap().to_owned(), directory.into())
}

pub(crate) fn runs(pid: &str) -> bool {
    let signal = Command::new("kill").args(["-0", pid]).stderr(Stdio::null()).status();
    signal.unwrap().success()
}

pub(crate) fn is_gone(pid: &str, data: &Path) -> bool {
    !runs(pid) && !data.parent().unwrap().exists()
}

pub(crate) fn until(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not come to that");
        sleep(Duration::from_millis(5));
    }
}
