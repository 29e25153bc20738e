//! What a small store has to deliver: the core's own backlog, with the faults of those who use it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chatroom_core::{
    Action, Backlog, Burial, Claim, Cursor, CursorWrite, DeadLetter, Decision, Event, Facts, Happened, Key,
    Lease, LeaseRequest, Leased, Operation, Progress, Record, RoomKey, Rule, RuleId, RuleState, Seq, Settled,
    Settlement, Span, Timestamp, Write,
};

use super::fault::Fault;
use crate::model::Model;

pub(super) struct Telling {
    fault: Fault,
    backlog: Backlog,
    /// The rules as they are.
    rules: BTreeMap<RuleId, Rule>,
    /// What is in hand, as far as anybody knows.
    hands: BTreeMap<(RuleId, RoomKey), Lease>,
    /// When events failed for the first time.
    failing: BTreeMap<(RuleId, RoomKey), Timestamp>,
    /// What is to be told once more, by one who does not know that it was.
    replays: Vec<(RuleId, RoomKey, Span, Span)>,
}

impl Telling {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            fault,
            backlog: Backlog::default(),
            rules: BTreeMap::new(),
            hands: BTreeMap::new(),
            failing: BTreeMap::new(),
            replays: Vec::new(),
        }
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    pub(super) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Notes what was committed.
    pub(super) fn committed(&mut self, decision: &Decision, model: &Model, now: Timestamp) {
        for write in &decision.writes {
            match write {
                Write::Put(Record::Rule(rule)) => self.put_rule(rule, model, now),
                Write::Delete(Key::Rule(_, rule)) => {
                    self.rules.remove(rule);
                    if self.fault != Fault::RemovedRuleIsTold {
                        self.backlog.remove_rule(*rule);
                    }
                }
                Write::Delete(Key::Room(room)) => self.backlog.forget_room(room),
                _ => {}
            }
        }
        for event in &decision.events {
            self.backlog.appended(&Happened::of(event));
        }
    }

    fn put_rule(&mut self, rule: &Rule, model: &Model, now: Timestamp) {
        let known = self.rules.insert(rule.id, rule.clone()).is_some();
        let mut told = rule.clone();
        match self.fault {
            Fault::EverythingIsWanted => (told.events, told.rooms) = (None, None),
            Fault::OffIsLeased => told.state = RuleState::Enabled,
            Fault::OffMissesEvents if !rule.delivers() => return self.backlog.remove_rule(rule.id),
            _ => {}
        }
        self.backlog.put_rule(told, now);
        if self.fault == Fault::NewRuleIsToldOfThePast && !known {
            self.append_all(model, now);
        }
    }

    fn append_all(&mut self, model: &Model, now: Timestamp) {
        for event in model.logs.values().flatten() {
            self.backlog.appended(&Happened { at: now, ..Happened::of(event) });
        }
    }

    pub(super) fn lease(&mut self, ask: LeaseRequest, model: &Model, now: Timestamp) -> Leased {
        let mut leases = Vec::new();
        for mut claim in self.claims(ask.leases, now) {
            let of = (claim.id.rule, claim.id.room);
            match self.fault {
                Fault::FailuresAreForgotten => (claim.failures, claim.failing_for) = (0, Duration::ZERO),
                Fault::ProbeIsNotSaid => claim.probe = false,
                Fault::ClockRunsInPause => {
                    let since = self.failing.get(&of).copied().unwrap_or(now);
                    let millis = now.as_millis().saturating_sub(since.as_millis());
                    claim.failing_for = Duration::from_millis(u64::try_from(millis).unwrap());
                }
                _ => {}
            }
            let events = events(model, &claim.id.room, claim.span, ask.events);
            leases.push(claim.with(events));
        }
        match self.fault {
            Fault::LeasedTwice => {
                leases.extend(self.hands.values().take(ask.leases - leases.len()).cloned());
            }
            Fault::EveryRoomAtOnce => {
                let most = ask.leases - leases.len();
                leases.extend(self.beyond(&leases).into_iter().take(most));
            }
            Fault::LeaseHasAGap => {
                for lease in leases.iter_mut().filter(|lease| lease.events.len() > 2) {
                    lease.events.remove(1);
                }
            }
            _ => {}
        }
        for lease in &leases {
            self.hands.insert((lease.id.rule, lease.id.room), lease.clone());
        }
        Leased { leases, next: self.backlog.next() }
    }

    fn claims(&mut self, most: usize, now: Timestamp) -> Vec<Claim> {
        let first: fn(&Self, &Claim) -> bool = match self.fault {
            Fault::OneRuleFirst => |this, claim| this.rules.keys().next() == Some(&claim.id.rule),
            Fault::OneRoomFirst => |this, claim| {
                let rooms = this.backlog.rooms_behind();
                rooms.max_by_key(|room| (this.waiting(claim.id.rule, *room), *room)) == Some(claim.id.room)
            },
            _ => return self.backlog.lease(self.lease_time(now), most),
        };
        // Gives back what it does not want, until it gets what it does.
        let mut claims = Vec::new();
        for _ in 0..50 * most {
            let Some(claim) = self.backlog.lease(now, 1).pop() else { break };
            if claims.len() < most && first(self, &claim) {
                claims.push(claim);
            } else {
                let back = Settlement { lease: claim.id, through: None, taken: 0, then: Progress::Go };
                self.backlog.settle(now, &[back]);
            }
        }
        if claims.is_empty() { self.backlog.lease(now, most) } else { claims }
    }

    /// For a store that does not see that leases end, the time of the first of them.
    fn lease_time(&self, now: Timestamp) -> Timestamp {
        let leased = self.hands.values().flat_map(|lease| &lease.events).map(|event| event.at).min();
        match self.fault {
            Fault::LeaseNeverEnds => leased.unwrap_or(now),
            _ => now,
        }
    }

    fn waiting(&self, rule: RuleId, room: RoomKey) -> u64 {
        let cursors = self.cursors().into_iter();
        let cursor = cursors.filter(|cursor| (cursor.rule, cursor.room) == (rule, room));
        cursor.map(|cursor| cursor.last.0 - cursor.after.0).sum()
    }

    fn cursors(&self) -> Vec<Cursor> {
        let kept = self.kept(Timestamp::default()).into_iter();
        kept.filter_map(|write| if let CursorWrite::Put(cursor) = write { Some(cursor) } else { None })
            .collect()
    }

    /// Leases of rooms that are not in hand.
    fn beyond(&self, held: &[Lease]) -> Vec<Lease> {
        let Some(like) = held.first().or_else(|| self.hands.values().next()) else { return Vec::new() };
        let held = |room| held.iter().chain(self.hands.values()).any(|lease| lease.id.room == room);
        let cursors = self.cursors().into_iter().filter(|cursor| !held(cursor.room));
        let lease = |cursor: Cursor| {
            let mut lease = like.clone();
            lease.id.room = cursor.room;
            lease.events.iter_mut().for_each(|event| event.room = cursor.room);
            lease
        };
        cursors.map(lease).collect()
    }

    pub(super) fn settle(&mut self, done: &[Settlement], now: Timestamp) -> Vec<Settled> {
        let done = done.iter().map(|settlement| self.spoil(settlement, now));
        let done: Vec<_> = done.collect();
        for settlement in &done {
            let of = (settlement.lease.rule, settlement.lease.room);
            if self.hands.get(&of).is_some_and(|lease| lease.id == settlement.lease) {
                self.hands.remove(&of);
            }
        }
        let (settled, _) = self.backlog.settle(now, &done);
        for (rule, room, span, log) in std::mem::take(&mut self.replays) {
            self.backlog.replay(rule, &room, span, log, now);
        }
        settled
    }

    /// The fault's part in a settlement.
    fn spoil(&mut self, settlement: &Settlement, now: Timestamp) -> Settlement {
        let mut spoilt = settlement.clone();
        let of = (spoilt.lease.rule, spoilt.lease.room);
        match (self.fault, &mut spoilt.then) {
            (Fault::AcknowledgementJumps, _) => spoilt.through = spoilt.through.map(Seq::next),
            (Fault::AcknowledgementIsLost, _) => spoilt.through = None,
            (Fault::LostLeaseIsSettled, _) => {
                spoilt.lease = self.hands.get(&of).map_or(spoilt.lease, |lease| lease.id);
            }
            (Fault::NeverPaused, _) => spoilt.taken = spoilt.taken.max(1),
            (Fault::ClockRunsInPause, Progress::Retry { .. }) => drop(self.failing.entry(of).or_insert(now)),
            (Fault::RetriedAtOnce, Progress::Retry { at, .. }) => *at = now,
            (Fault::BurialIsForgotten, Progress::Bury { seq, .. }) => {
                spoilt.through = Some(*seq);
                spoilt.then = Progress::Go;
            }
            _ => {}
        }
        spoilt
    }

    /// Notes that retention took a room's events up to `through`.
    pub(super) fn trimmed(&mut self, room: RoomKey, through: Seq, now: Timestamp) {
        if self.fault == Fault::LossIsNotTold {
            for rule in self.rules.keys() {
                let done = CursorWrite::Done { rule: *rule, room, through };
                self.backlog.restore(done, now);
            }
            return;
        }
        let letters = self.backlog.trimmed(&room, through, now);
        match self.fault {
            Fault::LossInParts => {
                for write in letters {
                    let CursorWrite::Bury(letter) = write else { continue };
                    for seq in letter.span.first.0..=letter.span.last.0 {
                        let span = Span::one(Seq(seq));
                        self.backlog.restore(CursorWrite::Bury(DeadLetter { span, ..letter.clone() }), now);
                    }
                }
            }
            Fault::LossInHand => {
                for lease in self.hands.values().filter(|lease| lease.id.room == room) {
                    let span = Span { first: lease.events[0].seq, last: through };
                    let rule = lease.id.rule;
                    let letter = DeadLetter { rule, room, span, why: Burial::Trimmed, at: now };
                    self.backlog.restore(CursorWrite::Bury(letter), now);
                }
            }
            _ => {}
        }
    }

    pub(super) fn replay(
        &mut self,
        rule: RuleId,
        room: RoomKey,
        span: Span,
        log: Span,
        now: Timestamp,
    ) -> u64 {
        let letters: Vec<_> = self.backlog.dead_letters(rule, None).cloned().collect();
        if self.fault == Fault::ReplayIsForgotten {
            return Span { last: span.last.min(log.last), ..span }.events();
        }
        let again = self.backlog.replay(rule, &room, span, log, now).0;
        match self.fault {
            Fault::ReplayedTwice => self.replays.push((rule, room, span, log)),
            Fault::LetterStaysAfterReplay => {
                for letter in letters {
                    self.backlog.restore(CursorWrite::Bury(letter), now);
                }
            }
            _ => {}
        }
        again
    }

    /// Everything that is to be kept.
    fn kept(&self, now: Timestamp) -> Vec<CursorWrite> {
        let (mut kept, mut next) = self.backlog.dump(None, 100, now);
        while next.is_some() {
            let part;
            (part, next) = self.backlog.dump(next, 100, now);
            kept.extend(part);
        }
        kept
    }

    /// The same after a restart, without what was in hand.
    pub(super) fn restarted(self, model: &Model, now: Timestamp) -> Self {
        if self.fault == Fault::RestartKeepsLeases {
            return self;
        }
        let mut after = Self::new(self.fault);
        for rule in self.rules.values().filter(|rule| model.facts.rules(rule.app).contains(rule)) {
            after.put_rule(rule, model, now);
        }
        for mut write in self.kept(now) {
            match (self.fault, &mut write) {
                (Fault::RestartForgetsWhatWaits, CursorWrite::Put(_))
                | (Fault::RestartForgetsLetters, CursorWrite::Bury(_)) => continue,
                (Fault::RestartForgetsReplays, CursorWrite::Put(cursor)) => cursor.again.clear(),
                _ => {}
            }
            after.backlog.restore(write, now);
        }
        if self.fault == Fault::RestartTellsThePast {
            after.append_all(model, now);
        }
        after
    }

    pub(super) fn losses(&self, limit: usize) -> Vec<(Arc<Rule>, DeadLetter)> {
        let losses = self.backlog.losses().take(limit);
        losses.map(|(rule, letter)| (rule.clone(), letter.clone())).collect()
    }
}

/// So many events of a room at most.
fn events(model: &Model, room: &RoomKey, span: Span, most: usize) -> Vec<Event> {
    let log = model.logs.get(room).into_iter().flatten();
    log.filter(|event| span.first <= event.seq && event.seq <= span.last).take(most).cloned().collect()
}

/// The fault's part in a change of rules.
pub(super) fn spoil(fault: Fault, operation: &Operation, decision: &mut Decision, known: bool) {
    match (fault, &operation.action) {
        (Fault::LostChangeOfRule, Action::ChangeRule(_)) if known => decision.writes.clear(),
        (Fault::RuleOutlivesItsApp, Action::ChangeApp(_)) => {
            decision.writes.retain(|write| !matches!(write, Write::Delete(Key::Rule(..))));
        }
        _ => {}
    }
}
