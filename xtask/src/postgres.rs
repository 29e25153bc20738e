//! The PostgreSQL server that the tests of one run share.

use std::env;

use anyhow::Result;
use xshell::Cmd;
use xtask_postgres::{Cluster, TEMPLATE, URL, template};

use crate::needs;
use crate::say::{self, Working};

/// A server that tests make their databases on. One that was started for this run ends when this is dropped.
pub(crate) enum Shared {
    /// The caller keeps it; the tests read the variable themselves.
    Given,
    /// Started for this run.
    Own(Cluster),
}

impl Shared {
    /// Takes the server that the caller names, or starts one, and says which.
    pub(crate) fn start() -> Result<Self> {
        if env::var_os(URL).is_some() {
            say::line(&format!("tests use the PostgreSQL server that {URL} names"));
            return Ok(Self::Given);
        }
        needs::ensure(&[&needs::POSTGRES])?;
        let working = Working::on("starting PostgreSQL");
        let cluster = Cluster::start()?;
        let version = cluster.query("postgres", "SHOW server_version")?;
        working.line(&format!(
            "tests use PostgreSQL {version}, started for them on 127.0.0.1:{}",
            cluster.port()
        ));
        Ok(Self::Own(cluster))
    }

    /// Tells a program of the server, and of what further ones are copied from.
    pub(crate) fn tell<'a>(&self, command: Cmd<'a>) -> Result<Cmd<'a>> {
        match self {
            Self::Given => Ok(command),
            Self::Own(cluster) => Ok(command.env(URL, cluster.url("postgres")).env(TEMPLATE, template()?)),
        }
    }
}
