use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::home::Home;
use crate::processes::kill_tree;
use crate::server::Server;
use crate::template;

/// How long a start may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a server is started on another port, because somebody else took the one that was free.
const PORTS: u32 = 5;
/// Between two looks at something that will be soon.
pub(crate) const MOMENT: Duration = Duration::from_millis(5);

/// What clusters have in common.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    // A process that is killed leaves what it wrote to the system, which a power cut would not.
    ("fsync", "off"),
    ("max_connections", "300"),
    // Nothing of a killed server stays outside its directory.
    ("dynamic_shared_memory_type", "mmap"),
    // A standby that was paused finds what it missed, and soon.
    ("wal_keep_size", "256MB"),
    ("wal_retrieve_retry_interval", "50ms"),
];

/// A server of its own in a temporary directory, with the superuser `postgres` and no passwords, on a port of
/// 127.0.0.1 and on a Unix socket. When it is dropped, or its process ends in any other way, the server is ended and
/// its data removed.
#[derive(Debug)]
pub struct Cluster {
    home: Home,
    server: Server,
    port: u16,
    killed: bool,
    /// The standbys that commits wait for.
    pub(crate) synchronous: Vec<String>,
}

impl Cluster {
    /// Starts one that takes connections on return. It does not sync to the disk.
    ///
    /// # Errors
    /// If there is no PostgreSQL, or it does not start: what it logged.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// Starts one with further settings of `postgresql.conf`, such as `("fsync", "on")`.
    ///
    /// # Errors
    /// If there is no PostgreSQL, or it does not start: what it logged.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        Self::start_on(|account, home| {
            template::copy(account, &home.data())?;
            configure(home, SETTINGS)?;
            configure(home, settings)
        })
    }

    /// Starts one on the data and settings that `fill` puts into the home.
    pub(crate) fn start_on(fill: impl FnOnce(Account, &Home) -> Result<()>) -> Result<Self> {
        let (account, postgres) = (Account::find()?, Binaries::find()?.path("postgres"));
        let home = Home::make(account, |home| vec![postgres, "-D".into(), home.join("data")])?;
        fill(account, &home)?;
        Self::listen(home, (0..PORTS).map(|_| free_port()))
    }

    /// Starts it on the first of these ports that it can have.
    fn listen(mut home: Home, ports: impl IntoIterator<Item = Result<u16>>) -> Result<Self> {
        let directory = home.path().to_string_lossy().into_owned();
        for port in ports {
            let port = port?;
            let number = port.to_string();
            configure(&home, &[("port", &number), ("unix_socket_directories", &directory)])?;
            let logged = home.log().len();
            home.run()?;
            if wait_until_ready(&home, logged)? {
                let server = Server::of(&format!("postgres://postgres@127.0.0.1:{port}/postgres"))?;
                return Ok(Self { home, server, port, killed: false, synchronous: Vec::new() });
            }
        }
        bail!("somebody else took every port that was free a moment before:\n{}", home.log())
    }

    /// What it is to clients.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of one of its databases, over TCP.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// The URL of one of its databases, over its Unix socket.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        let directory = self.home.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://postgres@{directory}:{}/{database}", self.port)
    }

    /// Makes a database and answers its URL.
    ///
    /// # Errors
    /// What the server says.
    pub fn create_database(&self, name: &str) -> Result<String> {
        self.server.create_database(name)
    }

    /// Runs statements in a database and answers what they print: one line a row, columns divided by `|`.
    ///
    /// # Errors
    /// What the server says.
    pub fn query(&self, database: &str, statements: &str) -> Result<String> {
        self.server.query(database, statements)
    }

    /// What the server has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.home.log()
    }

    /// Ends the server and all its processes with SIGKILL, at once. Its data stays until this is dropped.
    ///
    /// # Errors
    /// If it was killed before, or has ended by itself.
    pub fn kill9(&mut self) -> Result<()> {
        ensure!(!self.killed, "the server was killed before");
        let lock = Lock::read(&self.home).context("the server has ended by itself")?;
        kill_tree(lock.pid)?;
        self.killed = true;
        self.home.gone()?;
        if let Some(segment) = lock.shared_memory {
            // What a killed server cannot give back to the system; nobody minds if somebody else did.
            let mut command = Command::new("ipcrm");
            let _ = command.args(["-m", &segment]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        Ok(())
    }
}

/// A port that is free now. Whether it still is a moment later is seen when the server starts.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Adds settings: of two with the same name, the later counts.
fn configure(home: &Home, settings: &[(&str, &str)]) -> Result<()> {
    let mut text = String::new();
    for (name, value) in settings {
        writeln!(text, "{name} = '{}'", value.replace('\'', "''"))?;
    }
    let mut file = fs::OpenOptions::new().append(true).open(home.data().join("postgresql.conf"))?;
    Ok(file.write_all(text.as_bytes())?)
}

/// Answers whether the server took its port. It says in its lock file when it takes connections, and removes that
/// file when it gives up. Of its log only what follows the first `logged` bytes is of this start.
fn wait_until_ready(home: &Home, logged: usize) -> Result<bool> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let lock = Lock::read(home);
        if lock.as_ref().is_some_and(|lock| lock.ready) {
            return Ok(true);
        }
        let log = home.log();
        let log = log.get(logged..).unwrap_or_default();
        if lock.is_none() && log.contains("FATAL:") {
            if log.contains("could not create any TCP/IP sockets") {
                return Ok(false);
            }
            bail!("PostgreSQL does not start:\n{log}");
        }
        sleep(MOMENT);
    }
    bail!("PostgreSQL does not start within {PATIENCE:?}:\n{}", home.log())
}

/// What `postmaster.pid` says.
struct Lock {
    pid: i32,
    shared_memory: Option<String>,
    ready: bool,
}

impl Lock {
    fn read(home: &Home) -> Option<Self> {
        let text = fs::read_to_string(home.data().join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        // Data directory, start, port, socket directory, addresses; then key and id of the shared memory.
        let segment = lines.nth(5).and_then(|line| line.split_whitespace().nth(1)).map(str::to_owned);
        let ready = lines.next().is_some_and(|line| line.trim() == "ready");
        Some(Self { pid, shared_memory: segment, ready })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_else_took_is_given_up_for_another() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (account, postgres) = (Account::find().unwrap(), Binaries::find().unwrap().path("postgres"));
        let home = Home::make(account, |home| vec![postgres, "-D".into(), home.join("data")]).unwrap();
        template::copy(account, &home.data()).unwrap();
        configure(&home, SETTINGS).unwrap();
        let cluster = Cluster::listen(home, [Ok(taken.local_addr().unwrap().port()), free_port()]).unwrap();
        assert_ne!(cluster.port(), taken.local_addr().unwrap().port());
        assert_eq!(cluster.query("postgres", "SELECT 1").unwrap(), "1");
    }

    #[test]
    fn a_server_that_does_not_start_says_why() {
        let error = Cluster::start_with(&[("max_connections", "many")]).unwrap_err().to_string();
        assert!(error.contains("max_connections") && error.contains("many"), "{error}");
    }
}
