//! The servers that are measured: each started on loopback, on a free port, and ended by its process id.

mod call;
mod child;
mod setup;

use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use self::child::Owned;
pub(crate) use self::child::allow_connections;
pub(crate) use self::setup::{BATCH, Rule, Setup, Store};
use super::requests::Peer;
use crate::project::Project;

const READY_WITHIN: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// `chatroom-server`, on a directory of its own beside the build: the disk that is measured is the developer's.
pub(crate) struct Server {
    process: Owned,
    binary: PathBuf,
    address: SocketAddr,
    dir: TempDir,
}

impl Server {
    /// Returns when `/readyz` answers 200. `binary` takes the options of `chatroom-server`.
    pub(crate) fn start(project: &Project, binary: &Path, setup: &Setup) -> Result<Self> {
        let place = project.target.join("bench");
        fs::create_dir_all(&place)?;
        let dir = tempfile::tempdir_in(place)?;
        let address = free_address()?;
        fs::write(dir.path().join("chatroom.toml"), setup.to_toml(address))?;
        let process = spawn(binary, dir.path())?;
        let mut server = Self { process, binary: binary.to_owned(), address, dir };
        server.wait_until_ready()?;
        Ok(server)
    }

    pub(crate) fn peer(&self) -> Result<Peer> {
        let token = call::token(self.address, setup::CLIENT_ID, setup::CLIENT_SECRET)?;
        Ok(Peer { address: self.address, token })
    }

    pub(crate) fn stop(&mut self) -> Result<()> {
        let status = self.process.stop().with_context(|| self.log())?;
        ensure!(status.success(), "the server ended with {status}:\n{}", self.log());
        Ok(())
    }

    pub(crate) fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Starts it on what it left, and says how long it took to be ready.
    pub(crate) fn start_again(&mut self) -> Result<Duration> {
        let began = Instant::now();
        self.process = spawn(&self.binary, self.dir.path())?;
        self.wait_until_ready()?;
        Ok(began.elapsed())
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.process.resident()
    }

    /// The most memory that it has held so far, in bytes, where the system tells; else what it holds now.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.process.peak()
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What its data takes on the disk, in bytes.
    pub(crate) fn disk(&self) -> Result<u64> {
        size_of(&self.data())
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let began = Instant::now();
        while !call::is_ready(self.address) {
            if let Some(status) = self.process.ended()? {
                bail!("the server ended ({status}):\n{}", self.log());
            }
            ensure!(began.elapsed() < READY_WITHIN, "the server is not ready:\n{}", self.log());
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// The end of what it has printed.
    pub(crate) fn log(&self) -> String {
        let text = fs::read(self.dir.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

fn spawn(binary: &Path, dir: &Path) -> Result<Owned> {
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    let mut command = Command::new(binary);
    command
        .args(["--config", "chatroom.toml"])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    // What the developer's own shell sets is not part of the measurement.
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CHATROOM__") {
            command.env_remove(name);
        }
    }
    Owned::start(&mut command)
}

/// The server that stores nothing.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    _process: Owned,
    /// It ends when this closes.
    _input: ChildStdin,
}

impl Bare {
    pub(crate) fn start(binary: &Path) -> Result<Self> {
        let mut process = Owned::start(Command::new(binary).stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let input = process.child().stdin.take().context("no input")?;
        let output = process.child().stdout.take().context("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().context("the bare server did not say its address")?;
        Ok(Self { address, _process: process, _input: input })
    }
}

/// A port that is free now. Another process could take it before the server does; the server then says so.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// The blocks that a file, or all in a directory, takes.
fn size_of(path: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt as _;

    let data = fs::symlink_metadata(path)?;
    let mut size = data.blocks() * 512;
    if data.is_dir() {
        for entry in fs::read_dir(path)? {
            size += size_of(&entry?.path())?;
        }
    }
    Ok(size)
}
