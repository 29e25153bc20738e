//! The configuration: defaults, then the file, then the environment, then flags. The later layer wins, key by key.
//!
//! Every key is known by its name in all layers. What is unknown or of a wrong type in any of them is an error that
//! names the place, the key and, for an unknown one, the nearest known key; all errors are told at once.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatroom_callback::{IpNet, Pace};
use chatroom_core::{Limits, RetrySchedule};

mod apps;
mod callbacks;
mod effective;
mod environment;
mod error;
mod file;
mod keys;
mod kinds;
mod listen;
mod nearest;
mod origins;
mod public_url;
mod rate_limit;
pub(crate) mod secret_file;
mod store;
mod table;
pub mod units;

pub use apps::{DeclaredApp, SecretSource};
pub use callbacks::DeclaredCallback;
pub use error::{ConfigError, ConfigErrors};
pub use listen::{InvalidListenAddress, ListenAddress};
pub(crate) use nearest::nearest;
pub use origins::Origins;
pub use public_url::{InvalidPublicUrl, PublicUrl};
pub use rate_limit::{Endpoint, Overrides, RateLimit};
pub use store::{DatabaseUrl, InvalidDatabaseUrl, StoreRequire};

/// The configuration in force. `Default` holds the default of every key.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen: one address or more.
    pub listen: Vec<ListenAddress>,
    /// What `uri` in answers begins with; without it, `http://` and the `Host` header.
    pub public_url: Option<PublicUrl>,
    /// How long a stop waits for calls in flight and queued commits.
    pub shutdown_grace: Duration,
    /// `[store]`
    pub store: StoreConfig,
    /// `[rate_limit]`
    pub rate_limit: RateLimit,
    /// `[limits]`
    pub limits: LimitsConfig,
    /// `[compat]`
    pub compat: Compat,
    /// `[cors]`
    pub cors: Cors,
    /// `[callback]`
    pub callback: CallbackConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[[apps]]`, in the order of the file. No two have the same app key.
    pub apps: Vec<DeclaredApp>,
}

/// Where the data lies and how safe it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// Which store.
    pub kind: StoreKind,
    /// The data directory of the embedded store, relative to the working directory.
    pub path: PathBuf,
    /// Whether an answer waits for the disk.
    pub sync: StoreSync,
    /// How many memberships there may be; additions beyond it are refused. `None` means no bound.
    pub max_members: Option<u64>,
    /// Where the database is.
    pub url: Option<DatabaseUrl>,
    /// The certificates, as PEM, of who may have signed the database's.
    pub tls_ca: Option<PathBuf>,
    /// Whether `serve` applies pending migrations of the database.
    pub migrate: bool,
    /// What a 200 must mean. `None`: whatever the database makes of a commit.
    pub require: Option<StoreRequire>,
}

/// The stores of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Durable, one process, in a data directory.
    Embedded,
    /// In a PostgreSQL database that several servers share.
    Postgres,
    /// Gone when the process ends.
    Memory,
}

/// Whether an answer waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreSync {
    /// Every change is synced before its answer.
    Full,
    /// Nothing is synced: for throw-away set-ups only.
    None,
}

/// Bounds of what one call may ask for, and of what a connection may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// `remove_batch`, `batch` and `max_users`: what one call may ask for.
    pub calls: Limits,
    /// The bytes of a request line and its headers, together.
    pub head: usize,
    /// The bytes of a body.
    pub body: usize,
    /// How long a head may take to arrive.
    pub head_timeout: Duration,
    /// How long a request may take from its head to its answer.
    pub request_timeout: Duration,
    /// How many connections are open at once.
    pub connections: usize,
}

/// What is answered where clients expect different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compat {
    /// The status of a removal whose users are not members (decision 1).
    pub not_member_status: NotMemberStatus,
    /// The body for a missing or blank token (decision 7).
    pub blank_token: BlankToken,
}

/// The status of a removal whose users are not members (decision 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMemberStatus {
    /// 400, as the documentation says.
    BadRequest,
    /// 403, as the live service was recorded.
    Forbidden,
}

/// The body of the 401 for a missing or blank token (decision 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlankToken {
    /// `unauthorized`, the same as for a wrong token.
    Documented,
    /// `group_authorization`, as the live service was recorded.
    Recorded,
}

/// Calls from browsers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Which pages may call (decision 38).
    pub origins: Origins,
}

/// How long events are kept for callbacks, and how they are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackConfig {
    /// Events older than this are trimmed.
    pub keep: Duration,
    /// Beyond this many bytes, the oldest events are trimmed.
    pub keep_bytes: u64,
    /// How many rules an app may have.
    pub max_rules: usize,
    /// How long an attempt may take. Shorter than a lease lasts.
    pub timeout: Duration,
    /// An event that fails for so long becomes a dead letter.
    pub give_up_after: Duration,
    /// Networks that may be asked although they are not public.
    pub allow_networks: Vec<IpNet>,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Directives of `tracing_subscriber`'s `EnvFilter`, checked: `info`, or `info,chatroom_server=debug`.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Pretty on a terminal, else JSON.
    Auto,
    /// For people.
    Pretty,
    /// For programs: one JSON object a line.
    Json,
}

/// What flags say about the configuration. They win over the file and the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overlay {
    /// `--listen`, as often as it was given.
    pub listen: Vec<ListenAddress>,
    /// `--data-dir`
    pub data_dir: Option<PathBuf>,
    /// `--ephemeral`
    pub ephemeral: bool,
}

/// A configuration that was read without an error.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration in force.
    pub config: Config,
    /// What is allowed and should be known, in sentences without secrets.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads all layers. `environment` is what the process was given; only names that begin with `CHATROOM__` are
    /// looked at.
    ///
    /// # Errors
    /// All that is wrong in the file and in the environment, the file first.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &Overlay,
    ) -> Result<Loaded, ConfigErrors> {
        let mut loaded = Loaded { config: Self::default(), warnings: Vec::new() };
        let mut errors = Vec::new();
        if let Some(path) = file {
            file::read(path, &mut loaded, &mut errors);
        }
        environment::read(environment, &mut loaded.config, &mut errors);
        errors.extend(store::check(&loaded.config));
        loaded.config.lay_over(flags);
        errors.extend(callbacks::check(&loaded.config));
        if errors.is_empty() { Ok(loaded) } else { Err(ConfigErrors(errors)) }
    }

    fn lay_over(&mut self, flags: &Overlay) {
        if !flags.listen.is_empty() {
            self.listen.clone_from(&flags.listen);
        }
        if let Some(path) = &flags.data_dir {
            self.store.kind = StoreKind::Embedded;
            self.store.path.clone_from(path);
        }
        if flags.ephemeral {
            self.store.kind = StoreKind::Memory;
        }
    }

    /// The directory that holds data and the control socket; `None` for stores that have none.
    #[must_use]
    pub fn data_dir(&self) -> Option<&Path> {
        match self.store.kind {
            StoreKind::Embedded => Some(&self.store.path),
            StoreKind::Memory | StoreKind::Postgres => None,
        }
    }

    /// The configuration as a file would say it: every key that has a value, secrets redacted.
    #[must_use]
    pub fn to_toml(&self) -> String {
        effective::to_toml(self)
    }
}

impl NotMemberStatus {
    /// 400 or 403.
    #[must_use]
    pub fn as_u16(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![ListenAddress::Tcp(([127, 0, 0, 1], 8080).into())],
            public_url: None,
            shutdown_grace: Duration::from_secs(10),
            store: StoreConfig {
                kind: StoreKind::Embedded,
                path: "./data".into(),
                sync: StoreSync::Full,
                max_members: None,
                url: None,
                tls_ca: None,
                migrate: true,
                require: None,
            },
            rate_limit: RateLimit::default(),
            limits: LimitsConfig {
                calls: Limits::default(),
                head: 16 << 10,
                body: 1 << 20,
                head_timeout: Duration::from_secs(5),
                request_timeout: Duration::from_secs(30),
                connections: 4_096,
            },
            compat: Compat {
                not_member_status: NotMemberStatus::BadRequest,
                blank_token: BlankToken::Documented,
            },
            cors: Cors { origins: Origins::Listed(Vec::new()) },
            callback: CallbackConfig {
                keep: Duration::from_secs(7 * 86_400),
                keep_bytes: 1 << 30,
                max_rules: 4,
                timeout: Pace::default().attempt,
                give_up_after: RetrySchedule::default().give_up_after,
                allow_networks: Vec::new(),
            },
            log: LogConfig { level: "info".to_owned(), format: LogFormat::Auto },
            apps: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
