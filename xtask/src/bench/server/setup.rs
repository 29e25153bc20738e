//! What the servers are told.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// The app that the server is told to have. Nothing outside this machine ever sees these.
pub(super) const CLIENT_ID: &str = "YXA6benchmark";
pub(super) const CLIENT_SECRET: &str = "YXA6secret-of-a-benchmark";

/// How many names one call may have, so that loading does not take hours.
pub(crate) const BATCH: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A configuration. All settings are the defaults, but for these and for the limits that would refuse what a
/// benchmark does.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) store: Store,
    /// `limits.max_users`
    pub(crate) max_users: usize,
    /// `rate_limit.per_second`; 0 for no limit.
    pub(crate) per_second: u32,
    /// `callback.keep`
    pub(crate) keep: Option<&'static str>,
}

impl Setup {
    pub(crate) fn of(store: Store, max_users: usize) -> Self {
        Self { store, max_users, per_second: 0, keep: None }
    }

    pub(super) fn to_toml(&self, address: SocketAddr) -> String {
        let Self { store, max_users, per_second, keep } = self;
        let mut toml = format!(
            "listen = \"{address}\"\n[store]\nkind = \"{}\"\npath = \"data\"\n[rate_limit]\nper_second = {per_second}\n\
             [limits]\nbatch = {BATCH}\nmax_users = {max_users}\n",
            store.name()
        );
        if let Some(keep) = keep {
            let _written = writeln!(toml, "[callback]\nkeep = \"{keep}\"");
        }
        let _written = write!(
            toml,
            "[[apps]]\norg = \"demo\"\napp = \"chat\"\nclient_id = \"{CLIENT_ID}\"\nclient_secret = \"{CLIENT_SECRET}\"\n"
        );
        toml
    }
}
