//! A call that the store has, and how long it has had it.

use chatroom_core::Inside;

use super::Shared;
use crate::apps::AppEntry;

/// Counts from its making to the answer. A call whose caller goes away first was late if it was late by then: else a
/// store that answers nobody in time would look like one that is not asked.
pub(super) struct Asked<'a> {
    inside: Option<Inside<'a>>,
    began: u64,
    shared: &'a Shared,
}

impl<'a> Asked<'a> {
    /// `None` if the store has too many.
    pub(super) fn of(entry: &'a AppEntry, shared: &'a Shared) -> Option<Self> {
        let began = shared.watch.micros();
        let inside = shared.at_once.enter(&entry.calls.inside)?;
        Some(Self { inside: Some(inside), began, shared })
    }

    pub(super) fn answered(mut self) {
        if let Some(inside) = self.inside.take() {
            inside.done(self.took());
        }
    }

    fn took(&self) -> u64 {
        self.shared.watch.micros().saturating_sub(self.began)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if let Some(inside) = self.inside.take() {
            inside.given_up(self.took());
        }
    }
}
