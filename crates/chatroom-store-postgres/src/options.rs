use std::path::PathBuf;
use std::time::Duration;

/// How a [`PostgresStore`](crate::PostgresStore) is to be opened.
#[derive(Clone)]
pub struct Options {
    /// Where the database is: `postgresql://user:password@host1,host2/database?sslmode=require`. With several hosts,
    /// the one that takes writes is used.
    pub url: String,
    /// Certificates, as PEM, of who may have signed the server's. If they are given, it is checked.
    pub tls_ca: Option<PathBuf>,
    /// Whether pending migrations are applied. If not, a database that needs one is refused.
    pub migrate: bool,
    /// The most memberships that the database holds; `None`: as many as fit. With a bound, every addition counts them
    /// and waits for the one before it, on all nodes.
    pub max_members: Option<u64>,
    /// No event older than this is kept.
    pub keep: Duration,
    /// No more bytes of events than this are kept, about.
    pub keep_bytes: u64,
    /// How many operations may wait for a place in a group before more are refused.
    pub queue: usize,
    /// How many groups are committed at once, each on a connection of its own.
    pub writers: usize,
    /// How many connections reads share.
    pub readers: usize,
    /// How long a call waits for the database before it is told that it is away.
    pub patience: Duration,
}

impl Options {
    /// A store in this database: migrated, unbounded, events kept for seven days and at most 1 GiB of them.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tls_ca: None,
            migrate: true,
            max_members: None,
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            keep_bytes: 1 << 30,
            queue: 8_192,
            writers: 2,
            readers: 8,
            patience: Duration::from_millis(4_500),
        }
    }
}
