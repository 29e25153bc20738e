//! Snapshots: the state and where events are, in one file, so that a start need not replay everything.
//!
//! A snapshot is taken in parts, each under a short lock, while operations go on. What changed between two parts may be
//! in it or not; the replay of all groups from the one on that was not durable when it began makes it right. It counts
//! only when it is complete and synced, and when everything that its parts showed is durable.

mod file;
mod take;

pub(crate) use file::{Candidate, are_newest, load_newest, open_all, remove_others, remove_unfinished};
#[cfg(test)]
pub(crate) use take::Shown;
pub(crate) use take::{Taken, take};
