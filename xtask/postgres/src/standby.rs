use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster::{Cluster, MOMENT};
use crate::home::Home;
use crate::template::finish;

/// How long replication may take to come up on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether commits of the primary wait for a standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// A commit returns when the standby has it too.
    Synchronous,
    /// A commit returns at once; what the standby does not have is lost when it takes over.
    Asynchronous,
}

/// A server that follows another one, and answers reads. Dropped as a [`Cluster`] is.
#[derive(Debug)]
pub struct Standby {
    cluster: Cluster,
    name: String,
    /// How it reaches its primary.
    primary: String,
}

impl Cluster {
    /// Copies this server and lets the copy follow it; in step on return, so commits of this server wait for a
    /// synchronous one from then on.
    ///
    /// # Errors
    /// If the copy cannot be made or does not start.
    pub fn standby(&mut self, replication: Replication) -> Result<Standby> {
        let name = format!("standby_{:016x}", getrandom::u64()?);
        let primary = format!("host=127.0.0.1 port={} user=postgres application_name={name}", self.port());
        let source = self.url("postgres");
        let cluster = Cluster::start_on(|account, home| copy(account, home, &source, &primary))?;
        let standby = Standby { cluster, name, primary };
        if replication == Replication::Synchronous {
            self.synchronous.push(standby.name.clone());
            self.wait_for_standbys()?;
        }
        self.wait_until_in_sync(&standby)?;
        Ok(standby)
    }

    /// Makes commits wait for each of the synchronous standbys.
    fn wait_for_standbys(&self) -> Result<()> {
        let names = format!("FIRST {} ({})", self.synchronous.len(), self.synchronous.join(", "));
        self.set("synchronous_standby_names", &names)
    }

    /// Waits until this standby has everything that is committed here now, on its disk, and, if it is a synchronous
    /// one, until commits wait for it.
    ///
    /// # Errors
    /// If that is not so within 30 s.
    pub fn wait_until_in_sync(&self, standby: &Standby) -> Result<()> {
        let now = self.query("postgres", "SELECT pg_current_wal_lsn()")?;
        let state = if self.synchronous.contains(&standby.name) { "sync" } else { "async" };
        let there = format!(
            "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{}' AND state = 'streaming' \
             AND sync_state = '{state}' AND flush_lsn >= '{now}'",
            standby.name
        );
        wait_for(|| Ok(self.query("postgres", &there)? == "1"))
            .with_context(|| format!("{} is not in step; it logged:\n{}", standby.name, standby.log()))
    }

    /// Changes a setting of a server that runs.
    fn set(&self, name: &str, value: &str) -> Result<()> {
        let value = value.replace('\'', "''");
        self.query("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.query("postgres", "SELECT pg_reload_conf()")?;
        Ok(())
    }
}

impl Standby {
    /// The URL of one of its databases, over TCP.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.cluster.url(database)
    }

    /// Its port on 127.0.0.1, which it keeps when it is promoted.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.cluster.port()
    }

    /// Runs statements that only read, and answers what they print: one line a row, columns divided by `|`.
    ///
    /// # Errors
    /// What the server says.
    pub fn query(&self, database: &str, statements: &str) -> Result<String> {
        self.cluster.query(database, statements)
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.cluster.log()
    }

    /// Cuts it off from its primary, so that it has nothing of what is committed from now on, also when it is
    /// promoted. (A standby that only stops replaying would replay the rest then.)
    ///
    /// # Errors
    /// If it is not cut off within 30 s.
    pub fn pause(&self) -> Result<()> {
        self.cluster.set("primary_conninfo", "")?;
        wait_for(|| self.receives().map(|receives| !receives)).context("the standby is not cut off")
    }

    /// Lets it follow its primary again.
    ///
    /// # Errors
    /// If it does not within 30 s.
    pub fn resume(&self) -> Result<()> {
        self.cluster.set("primary_conninfo", &self.primary)?;
        wait_for(|| self.receives()).context("the standby does not follow its primary again")
    }

    fn receives(&self) -> Result<bool> {
        Ok(self.query("postgres", "SELECT count(*) FROM pg_stat_wal_receiver")? != "0")
    }

    /// Makes it a primary, which takes writes on return. Whoever calls this has seen to it that the old one is gone.
    ///
    /// # Errors
    /// If it cannot become one within 60 s.
    pub fn promote(self) -> Result<Cluster> {
        match self.query("postgres", "SELECT pg_promote(true, 60)")?.as_str() {
            "t" => Ok(self.cluster),
            _ => bail!("the standby was not promoted; it logged:\n{}", self.log()),
        }
    }
}

/// Copies a server that runs into the home, as something that follows it.
fn copy(account: Account, home: &Home, source: &str, primary: &str) -> Result<()> {
    let mut command = account.command(Binaries::find()?.path("pg_basebackup"));
    command.args(["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--dbname", source]);
    command.arg("--pgdata").arg(home.data());
    finish(command, "pg_basebackup")?;
    // Written whole: what the source was told while it ran, such as whom to wait for, is not for the copy.
    let follows = format!("primary_conninfo = '{primary}'\n");
    fs::write(home.data().join("postgresql.auto.conf"), follows)?;
    let signal = home.data().join("standby.signal");
    fs::write(&signal, "")?;
    account.own(&signal)
}

fn wait_for(mut there: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        if there()? {
            return Ok(());
        }
        sleep(MOMENT);
    }
    bail!("not within {PATIENCE:?}")
}
