use std::path::{Path, PathBuf};

use crate::codec::DecodeError;
use crate::journal::JournalError;

/// Why a store was not opened. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process holds the directory.
    #[error(
        "the data directory {dir} is in use by another process{holder}: stop that process, or choose another directory"
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Who holds it, as far as known: empty, or ` (pid 123)`.
        holder: String,
    },
    /// The directory was written by a newer version.
    #[error(
        "the data directory {dir} was written by a newer version of this program (format {found}; this one knows formats up to {known}): run that version, or choose another directory"
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// The format that it has.
        found: u32,
        /// The newest format that this code knows.
        known: u32,
    },
    /// What is stored cannot be read.
    #[error("the data directory {dir} is damaged: {what}; restore it from a backup")]
    Corrupt {
        /// The directory.
        dir: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It holds a part of an export.
    #[error(
        "the data directory {dir} holds an import that is not finished: import the same file again, which goes on where it stopped, or remove the directory"
    )]
    Unfinished {
        /// The directory.
        dir: PathBuf,
    },
    /// Nothing is there that could be read.
    #[error("the data directory {dir} holds no data")]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// The file system says no.
    #[error("the data directory {dir} cannot be opened: {doing}")]
    Io {
        /// The directory.
        dir: PathBuf,
        /// What was tried.
        doing: String,
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What went wrong inside a directory, before its name is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("{0}")]
    Damaged(String),
    #[error("its format is {found}")]
    Newer { found: u32, known: u32 },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl LoadError {
    /// Says where it went wrong.
    pub(crate) fn at(self, dir: &Path, doing: &str) -> OpenError {
        let dir = dir.to_owned();
        match self {
            Self::Decode(DecodeError::Newer { found }) => {
                OpenError::Newer { dir, found: found.into(), known: crate::codec::VERSION.into() }
            }
            Self::Newer { found, known } => OpenError::Newer { dir, found, known },
            Self::Decode(e) => OpenError::Corrupt { dir, what: format!("{doing}: {e}") },
            Self::Damaged(what) => OpenError::Corrupt { dir, what },
            Self::Journal(e) if e.is_damage() => OpenError::Corrupt { dir, what: format!("{doing}: {e}") },
            Self::Journal(e) => OpenError::Io { dir, doing: format!("{doing}: {e}"), source: Box::new(e) },
            Self::Io(e) => OpenError::Io { dir, doing: format!("{doing}: {e}"), source: Box::new(e) },
        }
    }
}
