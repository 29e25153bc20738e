//! A disk that is full, and a disk that fails: system calls of the running server are made to fail by strace.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::api::{Api, names, start};

/// A tracer that makes system calls of a process fail, as long as it is held.
struct Fault(Child);

impl Fault {
    /// Attaches to the process; answers once the fault is in force.
    async fn inject(pid: u32, fault: &str) -> Self {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut strace = Command::new("strace");
        strace.args(["-f", "-e", &format!("inject={fault}"), "-o", "/dev/null", "-p", &pid.to_string()]);
        let fault = Self(strace.stderr(Stdio::from(log.reopen().unwrap())).spawn().unwrap());
        // "strace: Process N attached with M threads"
        while !std::fs::read_to_string(log.path()).unwrap().contains(" attached") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fault
    }

    /// Detaches; answers once the process runs free.
    fn end(self) {
        drop(self);
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        let interrupt = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap();
        assert!(interrupt.success() && self.0.wait().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_a_full_disk_is_answered_with_503_and_the_server_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[], "");
    let api = Api::of(&server).await;
    let room = api.room_with(&names(2)).await;

    let fault = Fault::inject(server.pid(), "pwrite64:error=ENOSPC").await;
    let refused = api.remove(&room, "u0").await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.refusal().1, "service_unavailable");
    assert!(refused.header("retry-after").is_some());
    fault.end();

    assert_eq!(api.remove(&room, "u0").await.status, 200);
    assert_eq!(api.members(&room).await, ["u1", "owner"]);
    server.stop();
    let server = start(dir.path(), &[], "");
    assert_eq!(Api::of(&server).await.members(&room).await, ["u1", "owner"]);
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_a_failed_sync_leaves_the_outcome_unknown_and_ends_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = start(dir.path(), &[], "");
    let api = Api::of(&server).await;
    let room = api.room_with(&names(2)).await;

    let fault = Fault::inject(server.pid(), "fsync,fdatasync:error=EIO").await;
    let unknown = api.remove(&room, "u0").await;
    assert_eq!(unknown.status, 504, "{}", unknown.body);
    assert_eq!(unknown.refusal().1, "outcome_unknown");
    assert!(unknown.header("retry-after").is_none());
    let status = server.wait();
    assert!(!status.success(), "{status}");
    fault.end();

    let server = start(dir.path(), &[], "");
    let members = Api::of(&server).await.members(&room).await;
    assert!(members == ["u0", "u1", "owner"] || members == ["u1", "owner"], "{members:?}");
    server.stop();
}
