//! A started program that does not outlive its owner.

use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

/// A store of ten million memberships may write a snapshot before it ends.
const ENDS_WITHIN: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(super) struct Owned(Child);

impl Owned {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Self(command.spawn().with_context(|| format!("cannot start {name}"))?))
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// SIGTERM, and waits for the end.
    pub(super) fn stop(&mut self) -> Result<ExitStatus> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        let began = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            ensure!(began.elapsed() < ENDS_WITHIN, "it does not end on SIGTERM");
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// The memory that it holds, in bytes.
    pub(super) fn resident(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most memory that it has held so far, in bytes, where the system tells; else what it holds now.
    pub(super) fn peak(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> Result<u64> {
        let kib = match std::fs::read_to_string(format!("/proc/{}/status", self.0.id())) {
            Ok(status) => kib(&status, field),
            // Where there is no /proc, ps knows, but of this moment only.
            Err(_) => {
                let output =
                    Command::new("ps").args(["-o", "rss=", "-p", &self.0.id().to_string()]).output()?;
                String::from_utf8_lossy(&output.stdout).trim().parse().ok()
            }
        };
        Ok(kib.context("no resident size")? * 1024)
    }
}

/// Lets this process, and those that it starts from now on, have so many connections.
pub(crate) fn allow_connections(connections: usize) -> Result<()> {
    // Some files are open besides.
    let wanted = connections as u64 + 100;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(wanted), ..limit };
    setrlimit(Resource::Nofile, raised)
        .with_context(|| format!("{wanted} open files are needed, and the system allows {:?}", limit.maximum))
}

/// A field of `/proc/…/status`.
fn kib(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

impl Drop for Owned {
    /// After a failure, nothing is left behind; after a stop the process is gone and both calls do nothing.
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _status = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::kib;

    #[test]
    fn memory_is_read_from_what_the_system_tells() {
        let status = "Name:\tx\nVmHWM:\t   20 kB\nVmRSS:\t   10 kB\n";
        assert_eq!(
            (kib(status, "VmRSS:"), kib(status, "VmHWM:"), kib(status, "Vm:")),
            (Some(10), Some(20), None)
        );
    }
}
