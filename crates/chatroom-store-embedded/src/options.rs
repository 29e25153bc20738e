use std::path::PathBuf;
use std::time::Duration;

/// How an [`EmbeddedStore`](crate::EmbeddedStore) is to be opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its data directory. Made if it is not there, readable by its owner only.
    pub dir: PathBuf,
    /// Whether commits are synced.
    pub sync: Sync,
    /// The most memberships that it holds; `None`: as many as fit in memory.
    pub max_members: Option<u64>,
    /// No event older than this is kept.
    pub keep: Duration,
    /// No more bytes of events than this are kept, about.
    pub keep_bytes: u64,
    /// How many operations may wait for a place in a commit before more are refused.
    pub queue: usize,
    /// How many bytes of commits are replayed at a start at most, about. More, and a snapshot is written; after one of
    /// a large state, half of its size.
    pub snapshot_bytes: u64,
}

/// Whether commits are synced to the disk before they are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// They are: what was answered survives a loss of power.
    #[default]
    Full,
    /// They are not: what was answered survives the end of the process, but not a loss of power. For throw-away
    /// set-ups.
    None,
}

impl Options {
    /// A store in this directory: synced, unbounded, events kept for seven days and at most 1 GiB of them.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            sync: Sync::Full,
            max_members: None,
            keep: Duration::from_secs(7 * 24 * 60 * 60),
            keep_bytes: 1 << 30,
            queue: 8_192,
            snapshot_bytes: 64 << 20,
        }
    }
}
