//! Batches that are larger than the server takes at once.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use crate::error::Error;

/// A batch that failed. If it was split, a part may have been done before.
///
/// `?` turns it into its [`Error`] where the parts do not matter.
#[derive(Clone)]
pub struct BatchError<I, T> {
    pub(crate) done: Vec<T>,
    pub(crate) failed: Vec<I>,
    pub(crate) not_sent: Vec<I>,
    pub(crate) error: Error,
}

impl<I, T> BatchError<I, T> {
    /// The results of the calls that were answered before the one that failed.
    #[must_use]
    pub fn done(&self) -> &[T] {
        &self.done
    }

    /// What the failed call was about. Whether it was done says
    /// [`is_outcome_unknown`](Error::is_outcome_unknown).
    #[must_use]
    pub fn failed(&self) -> &[I] {
        &self.failed
    }

    /// What would have come after it, and was not sent.
    #[must_use]
    pub fn not_sent(&self) -> &[I] {
        &self.not_sent
    }

    /// Why it failed.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }
}

impl<I, T> From<BatchError<I, T>> for Error {
    fn from(batch: BatchError<I, T>) -> Self {
        batch.error
    }
}

impl<I, T> fmt::Display for BatchError<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, failed, not_sent, error } = self;
        write!(f, "{error}")?;
        if done.is_empty() && not_sent.is_empty() {
            return Ok(());
        }
        write!(f, " (of a batch: {} done before, {} failed", done.len(), failed.len())?;
        write!(f, ", {} not sent)", not_sent.len())
    }
}

impl<I, T> fmt::Debug for BatchError<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchError")
            .field("done", &self.done.len())
            .field("failed", &self.failed.len())
            .field("not_sent", &self.not_sent.len())
            .field("error", &self.error)
            .finish()
    }
}

impl<I, T> std::error::Error for BatchError<I, T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The error itself is in the text already.
        self.error.source()
    }
}

/// Without duplicates, in the order given; the server counts after duplicates fall away.
pub(crate) fn unique<I: Clone + Eq + Hash>(items: &[I]) -> Vec<I> {
    let mut seen = HashSet::with_capacity(items.len());
    items.iter().filter(|item| seen.insert(*item)).cloned().collect()
}

/// A batch on its way, one part after the other, until one fails.
pub(crate) struct Parts<I, T> {
    items: Vec<I>,
    size: usize,
    /// How many items were answered.
    answered: usize,
    done: Vec<T>,
}

impl<I, T> Parts<I, T> {
    /// At most `size` items a part, and at least one.
    pub(crate) fn new(items: Vec<I>, size: usize) -> Self {
        Self { done: Vec::with_capacity(items.len()), items, size: size.max(1), answered: 0 }
    }

    /// The part to be sent now.
    pub(crate) fn part(&self) -> Option<&[I]> {
        self.items.get(self.answered..)?.chunks(self.size).next()
    }

    /// What became of that part.
    pub(crate) fn answer(&mut self, results: Result<Vec<T>, Error>) -> Result<(), BatchError<I, T>> {
        match results {
            Ok(results) => {
                self.answered = self.items.len().min(self.answered + self.size);
                self.done.extend(results);
                Ok(())
            }
            Err(error) => {
                let mut failed = self.items.split_off(self.answered.min(self.items.len()));
                let not_sent = failed.split_off(self.size.min(failed.len()));
                Err(BatchError { done: std::mem::take(&mut self.done), failed, not_sent, error })
            }
        }
    }

    /// All results, once there is no further part.
    pub(crate) fn into_done(self) -> Vec<T> {
        self.done
    }
}
