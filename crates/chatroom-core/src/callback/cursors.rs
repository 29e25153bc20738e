//! How far each room's log was told to one rule: which rooms are behind, which are leased, and whose turn it is.
//!
//! Memory is used only for rooms that are behind. Whatever is asked costs at most the logarithm of their number.

mod place;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use self::place::{Place, Turn};
use super::cursor::Span;
use super::health::Health;
use super::lease::{LEASE, LeaseToken, Progress, ROOMS_AT_ONCE, Settlement};
use super::time::{between, later};
use crate::clock::Timestamp;
use crate::event::Seq;
use crate::id::ChatroomId;

pub(super) use self::place::Shown;

/// Before any time that a clock shows.
const READY: Timestamp = Timestamp::from_millis(i64::MIN);

/// The first place in the queue behind all rooms that are due.
const FIRST_WAITING: (Timestamp, u64) = (Timestamp::from_millis(i64::MIN + 1), 0);

/// The rooms of one rule.
#[derive(Debug)]
pub(super) struct Cursors {
    pub(super) health: Health,
    places: BTreeMap<ChatroomId, Place>,
    /// Rooms that are not leased: those that are due under [`READY`], the one that waits longest first, then those
    /// that wait after a failure, by the rule's own clock.
    queue: BTreeMap<(Timestamp, u64), ChatroomId>,
    /// Rooms that are leased, by when the lease ends.
    leased: BTreeMap<(Timestamp, LeaseToken), Held>,
    /// What retention took of rooms whose lease ended unsettled, until somebody asks.
    lost: Vec<(ChatroomId, Span)>,
    ticks: u64,
}

/// A lease as who gave it remembers it.
#[derive(Debug)]
struct Held {
    room: ChatroomId,
    span: Span,
    again: bool,
    probe: bool,
}

/// What may be delivered next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) room: ChatroomId,
    pub(super) span: Span,
    pub(super) failures: u32,
    pub(super) failing_for: Duration,
    pub(super) probe: bool,
}

/// What a settlement changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Everything up to here is done.
    pub(super) after: Seq,
    /// The event that was given up.
    pub(super) buried: Option<Seq>,
    /// What retention took before it was delivered.
    pub(super) lost: Vec<Span>,
}

impl Cursors {
    pub(super) fn new(on: bool, now: Timestamp) -> Self {
        Self {
            health: Health::new(on, now),
            places: BTreeMap::new(),
            queue: BTreeMap::new(),
            leased: BTreeMap::new(),
            lost: Vec::new(),
            ticks: 0,
        }
    }

    /// Notes an event that the rule wants. Whether the room was not behind before.
    pub(super) fn appended(&mut self, room: ChatroomId, seq: Seq, at: Timestamp) -> bool {
        if let Some(place) = self.places.get_mut(&room) {
            place.last = place.last.max(seq);
            return false;
        }
        self.places.insert(room, Place::new(Seq(seq.0.saturating_sub(1)), seq, at));
        self.enqueue(room, READY);
        true
    }

    /// When something may be leased at the earliest, as far as is known now.
    pub(super) fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let freed = self.leased.keys().next().map(|(until, _)| *until);
        if !self.health.is_on() {
            return None;
        }
        let first = self.queue.keys().next().map(|(due, _)| *due);
        if let Some(probe) = self.health.next_probe() {
            return freed.or_else(|| first.map(|_| probe));
        }
        let first = first.filter(|_| self.leased.len() < ROOMS_AT_ONCE);
        let due = first.map(|due| if due == READY { now } else { self.health.when(due) });
        [due, freed].into_iter().flatten().min()
    }

    /// Leases the next room, if one is due and the receiver may be asked for one more.
    pub(super) fn lease(&mut self, now: Timestamp, token: LeaseToken) -> Option<Next> {
        self.free_ended(now);
        if !self.health.is_on() || self.leased.len() >= ROOMS_AT_ONCE {
            return None;
        }
        let probe = self.health.next_probe();
        if probe.is_some_and(|at| now < at || !self.leased.is_empty()) {
            return None;
        }
        let clock = self.health.clock(now);
        let key = if probe.is_some() { self.probed() } else { self.due(clock) }?;
        let room = self.queue.remove(&key)?;
        let place = self.places.get_mut(&room)?;
        let (span, again) = place.next();
        let until = later(now, LEASE);
        place.turn = Turn::Leased(until, token);
        let (failures, failing_for) = place.failing(clock);
        let probe = probe.is_some();
        self.leased.insert((until, token), Held { room, span, again, probe });
        Some(Next { room, span, failures, failing_for, probe })
    }

    /// Notes what became of a lease; `None` if it had ended.
    pub(super) fn settle(&mut self, now: Timestamp, settled: &Settlement) -> Option<Change> {
        let room = settled.lease.room.id;
        let place = self.places.get_mut(&room)?;
        let held = match place.turn {
            Turn::Leased(until, token) if token == settled.lease.token => {
                self.leased.remove(&(until, token))?
            }
            _ => return None,
        };
        if let Some(through) = settled.through {
            place.done(held.span.first, through, held.again);
        }
        if settled.taken > 0 {
            self.health.succeeded(now);
        }
        let clock = self.health.clock(now);
        let mut buried = None;
        let mut due = READY;
        match &settled.then {
            Progress::Go => {}
            Progress::Retry { at, why } => {
                // No event's clock runs while the rule is paused: such a failure counts for the rule alone.
                if self.health.next_probe().is_none() {
                    place.failed(clock);
                    due = later(clock, between(now, *at));
                }
                self.health.failed(why, held.probe, now);
            }
            Progress::Bury { seq, why } => {
                place.done(*seq, *seq, held.again);
                buried = Some(*seq);
                self.health.failed(why, held.probe, now);
            }
        }
        let lost = place.lose_trimmed();
        let change = Change { after: place.after, buried, lost };
        self.go_on(room, due);
        Some(change)
    }

    /// Notes that retention took the room's events up to `through`. What of it was not delivered is lost.
    pub(super) fn trimmed(&mut self, room: ChatroomId, through: Seq) -> Vec<Span> {
        let Some(place) = self.places.get_mut(&room) else { return Vec::new() };
        place.trimmed(through);
        if matches!(place.turn, Turn::Leased(..)) {
            // The events are in the hands of who delivers them: settling says whether they were.
            return Vec::new();
        }
        let lost = place.lose_trimmed();
        if !place.is_behind() {
            self.forget(room);
        }
        lost
    }

    /// Tells a run of events again, as soon as it can be. `end` is how far the room's log goes. Events that were not
    /// told yet will be anyhow. Answers how many are told again.
    pub(super) fn replay(&mut self, room: ChatroomId, span: Span, end: Seq, now: Timestamp) -> u64 {
        let place = self.places.get(&room);
        let after = place.map_or(end, |place| place.after);
        let span = Span { first: span.first.max(Seq(1)), last: span.last.min(after) };
        if span.is_empty() {
            return 0;
        }
        self.places.entry(room).or_insert_with(|| Place::new(end, end, now)).again(span);
        if self.places.get(&room).is_some_and(|place| !matches!(place.turn, Turn::Leased(..))) {
            self.enqueue(room, READY);
        }
        span.events()
    }

    /// Forgets a room: its log is gone.
    pub(super) fn forget(&mut self, room: ChatroomId) {
        self.end_turn(room);
        self.places.remove(&room);
    }

    /// Puts a room where it was. Events that are known of already are not lost.
    pub(super) fn restore(&mut self, room: ChatroomId, shown: Shown, due: Timestamp, now: Timestamp) {
        let clock = self.health.clock(now);
        let known = self.places.get(&room).map_or(Seq(0), |place| place.last);
        self.forget(room);
        let mut place = Place::shown(shown, clock);
        place.last = place.last.max(known);
        self.places.insert(room, place);
        let wait = between(now, due);
        self.go_on(room, if wait.is_zero() { READY } else { later(clock, wait) });
    }

    /// Notes, while what is stored is read, that everything up to `through` is done.
    pub(super) fn restore_done(&mut self, room: ChatroomId, through: Seq) {
        let Some(place) = self.places.get(&room) else { return };
        let place = Place::new(place.after.max(through), place.last, place.behind_since);
        self.end_turn(room);
        self.places.insert(room, place);
        self.go_on(room, READY);
    }

    /// How the room stands, and when it is tried again at the earliest; `None` if it is not behind.
    pub(super) fn show(&self, room: ChatroomId, now: Timestamp) -> Option<(Shown, Timestamp)> {
        let place = self.places.get(&room)?;
        let clock = self.health.clock(now);
        let due = match place.turn {
            Turn::Queued(due, _) => later(now, between(clock, due)),
            Turn::Open | Turn::Leased(..) => now,
        };
        Some((place.show(clock), due))
    }

    /// Whether a room is behind, or retention took something of it that nobody has asked for yet.
    pub(super) fn holds(&self, room: ChatroomId) -> bool {
        self.places.contains_key(&room) || self.lost.iter().any(|(lost, _)| *lost == room)
    }

    /// All rooms that are behind.
    pub(super) fn rooms(&self) -> impl Iterator<Item = ChatroomId> {
        self.places.keys().copied()
    }

    /// The rooms that are behind, by id, from behind this one.
    pub(super) fn rooms_behind(&self, after: Option<ChatroomId>) -> impl Iterator<Item = ChatroomId> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.places.range((from, Bound::Unbounded)).map(|(room, _)| *room)
    }

    /// How many rooms and events are behind, and since when the first of them.
    pub(super) fn behind(&self) -> (u64, u64, Option<Timestamp>) {
        let events = self.places.values().map(Place::events).sum();
        let since = self.places.values().map(|place| place.behind_since).min();
        (u64::try_from(self.places.len()).unwrap_or(u64::MAX), events, since)
    }

    /// How many rooms are leased, whether or not the lease has ended.
    pub(super) fn leased(&self) -> usize {
        self.leased.len()
    }

    fn free_ended(&mut self, now: Timestamp) {
        while let Some(entry) = self.leased.first_entry().filter(|entry| entry.key().0 <= now) {
            let room = entry.remove().room;
            if let Some(place) = self.places.get_mut(&room) {
                self.lost.extend(place.lose_trimmed().into_iter().map(|span| (room, span)));
            }
            self.go_on(room, READY);
        }
    }

    /// What retention took of rooms whose lease ended unsettled, since this was last asked.
    pub(super) fn take_lost(&mut self) -> Vec<(ChatroomId, Span)> {
        std::mem::take(&mut self.lost)
    }

    /// Gives the room its next turn, at `due` of the rule's clock, if it is behind.
    fn go_on(&mut self, room: ChatroomId, due: Timestamp) {
        if self.places.get(&room).is_some_and(Place::is_behind) {
            self.enqueue(room, due);
        } else {
            self.forget(room);
        }
    }

    fn enqueue(&mut self, room: ChatroomId, due: Timestamp) {
        self.end_turn(room);
        if let Some(place) = self.places.get_mut(&room) {
            self.ticks += 1;
            place.turn = Turn::Queued(due, self.ticks);
            self.queue.insert((due, self.ticks), room);
        }
    }

    fn end_turn(&mut self, room: ChatroomId) {
        let turn = self.places.get_mut(&room).map(|place| std::mem::replace(&mut place.turn, Turn::Open));
        match turn {
            Some(Turn::Queued(due, tick)) => drop(self.queue.remove(&(due, tick))),
            Some(Turn::Leased(until, token)) => drop(self.leased.remove(&(until, token))),
            Some(Turn::Open) | None => {}
        }
    }

    /// Where the next room that is due stands in the queue.
    fn due(&mut self, clock: Timestamp) -> Option<(Timestamp, u64)> {
        // Who has waited long enough goes behind those that are due already, so that neither starves the other.
        while let Some((_, &room)) = self.queue.range(FIRST_WAITING..=(clock, u64::MAX)).next() {
            self.enqueue(room, READY);
        }
        self.queue.keys().next().filter(|(due, _)| *due == READY).copied()
    }

    /// Where the room to probe with stands in the queue. Those that wait after a failure come first, and each goes
    /// behind all others when its probe fails: a room whose event is never taken must not keep the rule from showing
    /// that it is well.
    fn probed(&self) -> Option<(Timestamp, u64)> {
        let waiting = self.queue.range(FIRST_WAITING..).next();
        waiting.or_else(|| self.queue.first_key_value()).map(|(key, _)| *key)
    }
}
