//! The servers that are measured: each started on loopback, on a free port, and ended by its process id.

mod call;
mod child;

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
use super::requests::Peer;
use crate::project::Project;

/// The app that the server is told to have. Nothing outside this machine ever sees these.
const CLIENT_ID: &str = "YXA6benchmark";
const CLIENT_SECRET: &str = "YXA6secret-of-a-benchmark";

const READY_WITHIN: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How many names one call may have, so that loading does not take hours.
pub(crate) const BATCH: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Store {
    Embedded,
    Memory,
}

impl Store {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Memory => "memory",
        }
    }
}

/// `chatroom-server`, on a directory of its own beside the build: the disk that is measured is the developer's.
pub(crate) struct Server {
    process: Owned,
    binary: PathBuf,
    address: SocketAddr,
    dir: TempDir,
}

impl Server {
    /// Returns when `/readyz` answers 200. All settings are the defaults, but for the limits that would refuse
    /// what a benchmark does.
    pub(crate) fn start(project: &Project, binary: &Path, store: Store, max_users: usize) -> Result<Self> {
        let place = project.target.join("bench");
        fs::create_dir_all(&place)?;
        let dir = tempfile::tempdir_in(place)?;
        let address = free_address()?;
        let config = format!(
            "listen = \"{address}\"\n[store]\nkind = \"{}\"\npath = \"data\"\n[rate_limit]\nper_second = 0\n\
             [limits]\nbatch = {BATCH}\nmax_users = {max_users}\n[[apps]]\norg = \"demo\"\napp = \"chat\"\n\
             client_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\"\n",
            store.name()
        );
        fs::write(dir.path().join("chatroom.toml"), config)?;
        let process = spawn(binary, dir.path())?;
        let mut server = Self { process, binary: binary.to_owned(), address, dir };
        server.wait_until_ready()?;
        Ok(server)
    }

    pub(crate) fn peer(&self) -> Result<Peer> {
        let token = call::token(self.address, CLIENT_ID, CLIENT_SECRET)?;
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

    /// What its data takes on the disk, in bytes.
    pub(crate) fn disk(&self) -> Result<u64> {
        size_of(&self.dir.path().join("data"))
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
    fn log(&self) -> String {
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
