//! What is to be delivered, of all rules: a state machine that a store holds in memory.

mod dump;
mod letters;
#[cfg(test)]
mod tests;
mod writes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use self::dump::BacklogPlace;
use self::letters::Letters;
use super::class::Happened;
use super::cursor::{Cursor, CursorWrite, DeadLetter, Span};
use super::cursors::Cursors;
use super::lease::{Lease, LeaseId, LeaseToken, Settled, Settlement};
use super::rule::{Rule, RuleId};
use super::status::RuleStatus;
use crate::clock::Timestamp;
use crate::event::{Event, Seq};
use crate::id::{AppId, ChatroomId};
use crate::model::RoomKey;

/// What is to be delivered, of all rules.
///
/// A store tells it of every event once that is durable, hands out what it [leases](Backlog::lease), and keeps the
/// [`CursorWrite`]s that it answers, in their order. Whatever is asked costs at most the logarithm of the rooms and
/// rules that are behind. Time is passed in and never goes back.
#[derive(Debug, Default)]
pub struct Backlog {
    rules: BTreeMap<RuleId, Line>,
    apps: BTreeMap<AppId, Vec<RuleId>>,
    /// Rules by when something of them may be leased; whose turn is longest ago comes first.
    due: BTreeMap<(Timestamp, u64), RuleId>,
    ticks: u64,
    tokens: u64,
}

/// One rule, and what waits for it.
#[derive(Debug)]
struct Line {
    rule: Arc<Rule>,
    cursors: Cursors,
    letters: Letters,
    /// Where it stands in [`Backlog::due`].
    due: Option<(Timestamp, u64)>,
}

/// A lease without its events, which the store reads.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The lease's name.
    pub id: LeaseId,
    /// The rule.
    pub rule: Arc<Rule>,
    /// Which events are to be read: from `first` on, and none behind `last`.
    pub span: Span,
    /// See [`Lease::failures`].
    pub failures: u32,
    /// See [`Lease::failing_for`].
    pub failing_for: Duration,
    /// See [`Lease::probe`].
    pub probe: bool,
}

impl Claim {
    /// The lease with its events.
    #[must_use]
    pub fn with(self, events: Vec<Event>) -> Lease {
        let Self { id, rule, span: _, failures, failing_for, probe } = self;
        Lease { id, rule, events, failures, failing_for, probe }
    }
}

impl Backlog {
    /// Notes a rule that is new or was changed. A new one is told of what is [appended](Self::appended) from now on.
    pub fn put_rule(&mut self, rule: Rule, now: Timestamp) {
        let id = rule.id;
        if let Some(line) = self.rules.get_mut(&id) {
            line.cursors.health.switch(rule.delivers(), now);
            line.rule = Arc::new(rule);
        } else {
            let cursors = Cursors::new(rule.delivers(), now);
            self.apps.entry(rule.app).or_default().push(id);
            let line = Line { rule: Arc::new(rule), cursors, letters: Letters::default(), due: None };
            self.rules.insert(id, line);
        }
        self.turn(id, now);
    }

    /// Forgets a rule and all that it has.
    pub fn remove_rule(&mut self, id: RuleId) {
        let Some(line) = self.rules.remove(&id) else { return };
        if let Some(due) = line.due {
            self.due.remove(&due);
        }
        if let Some(rules) = self.apps.get_mut(&line.rule.app) {
            rules.retain(|other| *other != id);
            if rules.is_empty() {
                self.apps.remove(&line.rule.app);
            }
        }
    }

    /// The rules of an app, in the order in which they were noted.
    pub fn rules_of(&self, app: AppId) -> impl Iterator<Item = &Arc<Rule>> {
        let ids = self.apps.get(&app).into_iter().flatten();
        ids.filter_map(|id| self.rules.get(id)).map(|line| &line.rule)
    }

    /// Notes an event. It must be durable, since it may be leased at once. Whether there is more to lease now than
    /// before: whoever waits for that is to be woken then.
    pub fn appended(&mut self, event: &Happened) -> bool {
        self.noticed(event, event.at)
    }

    /// The same of an event that happened elsewhere, where another clock may show a later time than here.
    pub fn noticed(&mut self, event: &Happened, now: Timestamp) -> bool {
        let Happened { room, seq, at, .. } = *event;
        let mut more = false;
        for index in 0..self.apps.get(&room.app).map_or(0, Vec::len) {
            let Some(id) = self.apps.get(&room.app).and_then(|rules| rules.get(index)).copied() else {
                continue;
            };
            let Some(line) = self.rules.get_mut(&id) else { continue };
            if line.rule.is_told_of(event) && line.cursors.appended(room.id, seq, at) {
                more = true;
                self.turn(id, now);
            }
        }
        more
    }

    /// The rule of this id.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Arc<Rule>> {
        self.rules.get(&id).map(|line| &line.rule)
    }

    /// Whether the app has a rule, so that its events are to be noted.
    #[must_use]
    pub fn has_rules(&self, app: AppId) -> bool {
        self.apps.contains_key(&app)
    }

    /// When something may be leased; `None`: not before something happens. May lie in the past.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Leases up to `most` rooms, one of each rule in turn.
    pub fn lease(&mut self, now: Timestamp, most: usize) -> Vec<Claim> {
        let mut claims = Vec::new();
        while claims.len() < most {
            let Some(turn) = self.due.first_entry().filter(|turn| turn.key().0 <= now) else { break };
            let id = turn.remove();
            if let Some(line) = self.rules.get_mut(&id) {
                line.due = None;
                let token = LeaseToken(self.tokens);
                if let Some(next) = line.cursors.lease(now, token) {
                    self.tokens += 1;
                    let room = RoomKey { app: line.rule.app, id: next.room };
                    claims.push(Claim {
                        id: LeaseId { rule: id, room, token },
                        rule: Arc::clone(&line.rule),
                        span: next.span,
                        failures: next.failures,
                        failing_for: next.failing_for,
                        probe: next.probe,
                    });
                }
            }
            self.turn(id, now);
        }
        claims
    }

    /// Notes what became of leases: one answer each, in their order, and what is to be kept.
    pub fn settle(&mut self, now: Timestamp, done: &[Settlement]) -> (Vec<Settled>, Vec<CursorWrite>) {
        let mut writes = Vec::new();
        let settled = done.iter().map(|settlement| {
            let id = settlement.lease.rule;
            let Some(line) = self.rules.get_mut(&id) else { return Settled::Lost };
            let noted = line.settle(now, settlement, &mut writes);
            self.turn(id, now);
            if noted { Settled::Noted } else { Settled::Lost }
        });
        (settled.collect(), writes)
    }

    /// Notes that retention took the room's events up to `through`, delivered or not. What was not delivered becomes
    /// a dead letter.
    pub fn trimmed(&mut self, room: &RoomKey, through: Seq, now: Timestamp) -> Vec<CursorWrite> {
        let mut writes = Vec::new();
        for id in self.apps.get(&room.app).cloned().unwrap_or_default() {
            if let Some(line) = self.rules.get_mut(&id) {
                line.trimmed(room, through, now, &mut writes);
                self.turn(id, now);
            }
        }
        writes
    }

    /// Whether anything of a room waits for a rule, is in somebody's hands or is a dead letter.
    #[must_use]
    pub fn holds(&self, room: &RoomKey) -> bool {
        let rules = self.apps.get(&room.app).into_iter().flatten();
        let mut lines = rules.filter_map(|id| self.rules.get(id));
        lines.any(|line| line.cursors.holds(room.id) || line.letters.holds(room.id))
    }

    /// Forgets a room: its log is gone with its app.
    pub fn forget_room(&mut self, room: &RoomKey) {
        for id in self.apps.get(&room.app).into_iter().flatten() {
            if let Some(line) = self.rules.get_mut(id) {
                line.cursors.forget(room.id);
                line.letters.forget(room.id);
            }
        }
    }

    /// Tells a rule a run of events again, before the room goes on. `log` is what of the room's log is kept: what
    /// lies outside is passed over. Dead letters in the run are there no more. What is not told yet is not told
    /// twice. Answers how many events are told again.
    pub fn replay(
        &mut self,
        rule: RuleId,
        room: &RoomKey,
        span: Span,
        log: Span,
        now: Timestamp,
    ) -> (u64, Vec<CursorWrite>) {
        let mut writes = Vec::new();
        let mut events = 0;
        if let Some(line) = self.rules.get_mut(&rule).filter(|line| line.rule.app == room.app) {
            events = line.replay(room, span, log, now, &mut writes);
            self.turn(rule, now);
        }
        (events, writes)
    }

    /// How the rules that a room is behind for stand with it: what is to be kept of the room, all of it.
    #[must_use]
    pub fn cursors(&self, room: &RoomKey, now: Timestamp) -> Vec<Cursor> {
        let rules = self.apps.get(&room.app).into_iter().flatten();
        rules.filter_map(|id| self.rules.get(id)).filter_map(|line| line.cursor(*room, now)).collect()
    }

    /// How a rule is doing. Walks over the rooms that are behind.
    #[must_use]
    pub fn status(&self, rule: RuleId) -> Option<RuleStatus> {
        let line = self.rules.get(&rule)?;
        let (rooms_behind, events_behind, behind_since) = line.cursors.behind();
        let health = &line.cursors.health;
        Some(RuleStatus {
            rule: Arc::clone(&line.rule),
            health: health.shown(),
            rooms_behind,
            events_behind,
            behind_since,
            leased: line.cursors.leased(),
            failures_in_a_row: health.failures(),
            last_failure: health.last_failure().cloned(),
            last_success: health.last_success(),
            dead_letters: line.letters.count(),
            lost: line.letters.lost(),
        })
    }

    /// How the rules of an app are doing, in the order in which they were noted.
    #[must_use]
    pub fn statuses(&self, app: AppId) -> Vec<RuleStatus> {
        self.apps.get(&app).into_iter().flatten().filter_map(|id| self.status(*id)).collect()
    }

    /// The dead letters of a rule, by room, then in order, from behind the one that begins with this event.
    pub fn dead_letters(
        &self,
        rule: RuleId,
        after: Option<(ChatroomId, Seq)>,
    ) -> impl Iterator<Item = &DeadLetter> {
        self.rules.get(&rule).into_iter().flat_map(move |line| line.letters.behind(after))
    }

    /// What retention took before it was delivered, of all rules.
    pub fn losses(&self) -> impl Iterator<Item = (&Arc<Rule>, &DeadLetter)> {
        self.rules.values().flat_map(|line| line.letters.lost_ones().map(|letter| (&line.rule, letter)))
    }

    /// Puts the rule where its next turn is. One whose turn it is already keeps its place.
    fn turn(&mut self, id: RuleId, now: Timestamp) {
        let Some(line) = self.rules.get_mut(&id) else { return };
        let next = line.cursors.next(now);
        let keeps = |at: Timestamp| next.is_some_and(|next| at == next || (at <= now && next <= now));
        if line.due.is_some_and(|(at, _)| keeps(at)) {
            return;
        }
        if let Some(due) = line.due.take() {
            self.due.remove(&due);
        }
        if let Some(at) = next {
            self.ticks += 1;
            line.due = Some((at, self.ticks));
            self.due.insert((at, self.ticks), id);
        }
    }
}
