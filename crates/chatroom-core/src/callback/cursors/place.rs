//! One room that is behind.

use std::time::Duration;

use super::super::cursor::Span;
use super::super::lease::LeaseToken;
use super::super::time::between;
use crate::clock::Timestamp;
use crate::event::Seq;

/// Where a room that is behind stands.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) after: Seq,
    pub(super) last: Seq,
    pub(super) behind_since: Timestamp,
    pub(super) turn: Turn,
    /// What few rooms have.
    more: Option<Box<More>>,
}

/// When it is a room's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Not decided yet.
    Open,
    /// It stands in the queue, under this key.
    Queued(Timestamp, u64),
    /// It is leased, under this key.
    Leased(Timestamp, LeaseToken),
}

#[derive(Debug, Default)]
struct More {
    failures: u32,
    /// When the next event failed for the first time, by the rule's own clock.
    failing_since: Timestamp,
    again: Vec<Span>,
    trimmed: Seq,
}

/// A room's place as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::callback) struct Shown {
    pub(in crate::callback) after: Seq,
    pub(in crate::callback) last: Seq,
    pub(in crate::callback) again: Vec<Span>,
    pub(in crate::callback) failures: u32,
    pub(in crate::callback) failing_for: Duration,
    pub(in crate::callback) behind_since: Timestamp,
}

impl Place {
    pub(super) fn new(after: Seq, last: Seq, behind_since: Timestamp) -> Self {
        Self { after, last, behind_since, turn: Turn::Open, more: None }
    }

    pub(super) fn shown(shown: Shown, clock: Timestamp) -> Self {
        let mut place = Self::new(shown.after, shown.last, shown.behind_since);
        if shown.failures > 0 || !shown.again.is_empty() {
            let failing_since = clock.minus(shown.failing_for);
            let (failures, again) = (shown.failures, shown.again);
            place.more = Some(Box::new(More { failures, failing_since, again, trimmed: Seq(0) }));
        }
        place
    }

    pub(super) fn show(&self, clock: Timestamp) -> Shown {
        let (failures, failing_for) = self.failing(clock);
        let again = self.more.as_ref().map(|more| more.again.clone()).unwrap_or_default();
        let Self { after, last, behind_since, .. } = *self;
        Shown { after, last, again, failures, failing_for, behind_since }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.after < self.last || self.more.as_ref().is_some_and(|more| !more.again.is_empty())
    }

    /// How many events wait.
    pub(super) fn events(&self) -> u64 {
        let again: u64 = self.more.iter().flat_map(|more| &more.again).map(|span| span.events()).sum();
        again + self.last.0.saturating_sub(self.after.0)
    }

    /// What is to be told next, and whether it is told again.
    pub(super) fn next(&self) -> (Span, bool) {
        match self.more.as_ref().and_then(|more| more.again.first()) {
            Some(span) => (*span, true),
            None => (Span { first: self.after.next(), last: self.last }, false),
        }
    }

    /// How often the next event failed, and how long ago for the first time.
    pub(super) fn failing(&self, clock: Timestamp) -> (u32, Duration) {
        match &self.more {
            Some(more) if more.failures > 0 => (more.failures, between(more.failing_since, clock)),
            _ => (0, Duration::ZERO),
        }
    }

    /// Notes that the next event failed.
    pub(super) fn failed(&mut self, clock: Timestamp) {
        let more = self.more.get_or_insert_default();
        if more.failures == 0 {
            more.failing_since = clock;
        }
        more.failures = more.failures.saturating_add(1);
    }

    /// Notes that everything from `first` to `through` is done.
    pub(super) fn done(&mut self, first: Seq, through: Seq, again: bool) {
        if let Some(more) = &mut self.more {
            more.failures = 0;
            if again {
                remove(&mut more.again, Span { first, last: through });
            }
        }
        if !again {
            self.after = self.after.max(through);
            self.last = self.last.max(self.after);
        }
        self.tidy();
    }

    /// Wants this run told again. Whoever asks for it does not want to wait for an earlier failure.
    pub(super) fn again(&mut self, span: Span) {
        let more = self.more.get_or_insert_default();
        more.failures = 0;
        remove(&mut more.again, span);
        let at = more.again.partition_point(|other| other.first < span.first);
        more.again.insert(at, span);
        more.again.dedup_by(|next, kept| {
            let adjacent = kept.last.next() == next.first;
            if adjacent {
                kept.last = next.last;
            }
            adjacent
        });
    }

    /// Notes that retention took everything up to here.
    pub(super) fn trimmed(&mut self, through: Seq) {
        if self.next().0.first <= through {
            self.more.get_or_insert_default().trimmed = through;
        }
    }

    /// Passes over what retention took, and says what that is.
    pub(super) fn lose_trimmed(&mut self) -> Vec<Span> {
        let Some(more) = &mut self.more else { return Vec::new() };
        let trimmed = std::mem::take(&mut more.trimmed);
        let mut lost = Vec::new();
        more.again.retain_mut(|span| {
            let gone = Span { first: span.first, last: span.last.min(trimmed) };
            if !gone.is_empty() {
                lost.push(gone);
            }
            span.first = span.first.max(trimmed.next());
            !span.is_empty()
        });
        if self.after < trimmed {
            let gone = Span { first: self.after.next(), last: trimmed.min(self.last) };
            if !gone.is_empty() {
                lost.push(gone);
            }
            self.after = trimmed;
            self.last = self.last.max(trimmed);
        }
        if !lost.is_empty() {
            more.failures = 0;
        }
        self.tidy();
        lost
    }

    fn tidy(&mut self) {
        self.more.take_if(|more| more.failures == 0 && more.again.is_empty() && more.trimmed == Seq(0));
    }
}

/// Takes a run out of others.
fn remove(spans: &mut Vec<Span>, gone: Span) {
    let rest = spans.drain(..).flat_map(|span| {
        let before = Span { first: span.first, last: span.last.min(Seq(gone.first.0.saturating_sub(1))) };
        let behind = Span { first: span.first.max(gone.last.next()), last: span.last };
        let apart = gone.last < span.first || span.last < gone.first;
        if apart { [Some(span), None] } else { [Some(before), Some(behind)] }
    });
    *spans = rest.flatten().filter(|span| !span.is_empty()).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(of: &[(u64, u64)]) -> Vec<Span> {
        of.iter().map(|(first, last)| Span { first: Seq(*first), last: Seq(*last) }).collect()
    }

    fn place(again: &[(u64, u64)]) -> Place {
        let mut place = Place::new(Seq(20), Seq(25), Timestamp::default());
        for span in spans(again) {
            place.again(span);
        }
        place
    }

    fn again(place: &Place) -> Vec<Span> {
        place.show(Timestamp::default()).again
    }

    #[test]
    fn runs_that_are_told_again_are_kept_in_order_and_joined() {
        assert_eq!(again(&place(&[(10, 12), (1, 3), (4, 5)])), spans(&[(1, 5), (10, 12)]));
        assert_eq!(again(&place(&[(3, 5), (1, 9)])), spans(&[(1, 9)]));
        assert_eq!(again(&place(&[(1, 9), (3, 5)])), spans(&[(1, 9)]));
    }

    #[test]
    fn a_run_is_done_in_parts_and_then_the_room_goes_on_where_it_was() {
        let mut place = place(&[(3, 5), (9, 9)]);
        assert_eq!(place.next(), (spans(&[(3, 5)])[0], true));
        place.done(Seq(3), Seq(4), true);
        assert_eq!(again(&place), spans(&[(5, 5), (9, 9)]));
        place.done(Seq(5), Seq(5), true);
        place.done(Seq(9), Seq(9), true);
        assert_eq!(place.next(), (spans(&[(21, 25)])[0], false));
        assert!(place.more.is_none());
    }

    #[test]
    fn what_retention_took_is_told_as_lost_once() {
        let mut place = place(&[(3, 5)]);
        place.trimmed(Seq(22));
        assert_eq!(place.lose_trimmed(), spans(&[(3, 5), (21, 22)]));
        assert_eq!(place.lose_trimmed(), []);
        assert_eq!(place.next(), (spans(&[(23, 25)])[0], false));
        place.trimmed(Seq(30));
        assert_eq!(place.lose_trimmed(), spans(&[(23, 25)]));
        assert!(!place.is_behind());
    }
}
