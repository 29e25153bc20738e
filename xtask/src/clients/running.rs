//! A server that runs for a task: on the memory store, on loopback, ended by SIGTERM.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::http::status_of_get;
use crate::say::Working;

const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// A little more than the server's own `shutdown_grace`.
const ENDS_WITHIN: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub(crate) struct Running {
    process: Child,
    address: SocketAddr,
    dir: TempDir,
}

impl Running {
    /// Returns when `/readyz` answers 200.
    pub(crate) fn start(binary: &Path, config: &str) -> Result<Self> {
        let _working = Working::on("starting the server");
        let dir = tempfile::tempdir()?;
        let config_file = dir.path().join("chatroom.toml");
        fs::write(&config_file, config)?;
        let address = free_address()?;
        let log = File::create(dir.path().join("log"))?;
        let mut command = Command::new(binary);
        command
            .arg("--ephemeral")
            .args(["--listen", &address.to_string()])
            .arg("--config")
            .arg(&config_file)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // What the developer's own shell sets is not part of the test.
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CHATROOM__") {
                command.env_remove(name);
            }
        }
        let process = command.spawn().with_context(|| format!("cannot start {}", binary.display()))?;
        let mut running = Self { process, address, dir };
        running.wait_until_ready()?;
        Ok(running)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        while status_of_get(self.address, "/readyz") != Some(200) {
            if let Some(status) = self.process.try_wait()? {
                bail!("the server ended ({status}):\n{}", self.log());
            }
            ensure!(began.elapsed() < STARTS_WITHIN, "the server is not ready:\n{}", self.log());
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the server has printed.
    pub(crate) fn log(&self) -> String {
        fs::read(self.dir.path().join("log")).map_or_else(
            |error| format!("(no log: {error})"),
            |text| String::from_utf8_lossy(&text).into_owned(),
        )
    }

    /// Asks the server to end, and fails if it does not end well.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)?;
        let status = self.wait_for_end()?;
        ensure!(status.success(), "the server ended with {status}:\n{}", self.log());
        Ok(())
    }

    fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            ensure!(began.elapsed() < ENDS_WITHIN, "the server does not end on SIGTERM:\n{}", self.log());
            thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Running {
    /// After a failure, nothing is left behind; after `stop` the process is gone and both calls do nothing.
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _status = self.process.wait();
    }
}

/// A port that is free now. Another process could take it before the server does; the server then says so.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
