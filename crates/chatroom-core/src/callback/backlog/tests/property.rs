//! Random histories: whatever happens, nothing is forgotten, no room is leased twice, and every room is told in order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const ROOMS: u64 = 12;
const RULES: u128 = 2;

#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Lease(usize),
    /// Which of the open leases, how many of its events are taken, and what happens then.
    Settle(usize, u64, Then),
    Pass(i64),
    Trim(u64, u64),
    Switch(u128, bool),
    Replay(u128, u64, u64, u64),
    /// The process ends and another begins with what was kept. From a snapshot, or from all writes in their order.
    Restart(bool),
}

#[derive(Debug, Clone, Copy)]
enum Then {
    Go,
    Retry(i64),
    Bury,
    Vanish,
}

fn step() -> impl Strategy<Value = Step> {
    let then = prop_oneof![
        4 => Just(Then::Go),
        3 => (0_i64..100_000).prop_map(Then::Retry),
        1 => Just(Then::Bury),
        1 => Just(Then::Vanish),
    ];
    prop_oneof![
        12 => (0..ROOMS).prop_map(Step::Append),
        8 => (1_usize..6).prop_map(Step::Lease),
        10 => (any::<usize>(), 0_u64..4, then).prop_map(|(which, taken, then)| Step::Settle(which, taken, then)),
        4 => (0_i64..40_000).prop_map(Step::Pass),
        1 => (0..ROOMS, 0_u64..8).prop_map(|(room, seq)| Step::Trim(room, seq)),
        1 => (0..RULES, any::<bool>()).prop_map(|(rule, on)| Step::Switch(rule, on)),
        1 => (0..RULES, 0..ROOMS, 0_u64..8, 0_u64..8).prop_map(|(rule, r, a, b)| Step::Replay(rule, r, a, b)),
        1 => any::<bool>().prop_map(Step::Restart),
    ]
}

/// What is kept, in order: rules are put at the beginning.
#[derive(Clone)]
enum Kept {
    Event(Event),
    Cursor(CursorWrite),
}

fn number(room: RoomKey) -> u64 {
    room.id.as_number() - kicked(0, 1).room.id.as_number()
}

struct World {
    backlog: Backlog,
    now: Timestamp,
    journal: Vec<Kept>,
    on: BTreeMap<u128, bool>,
    ends: BTreeMap<u64, u64>,
    trimmed: BTreeMap<u64, u64>,
    open: Vec<(Claim, Timestamp)>,
    /// What each rule was told, or will not be, of each room.
    done: BTreeMap<(u128, RoomKey), BTreeSet<u64>>,
}

impl World {
    fn new() -> Self {
        let on = (0..RULES).map(|id| (id, true)).collect();
        Self {
            backlog: backlog(RULES),
            now: NOW,
            journal: Vec::new(),
            on,
            ends: BTreeMap::new(),
            trimmed: BTreeMap::new(),
            open: Vec::new(),
            done: BTreeMap::new(),
        }
    }

    fn keep(&mut self, writes: Vec<CursorWrite>) {
        for write in &writes {
            if let CursorWrite::Bury(letter) = write {
                let done = self.done.entry((letter.rule.0, letter.room)).or_default();
                done.extend(letter.span.first.0..=letter.span.last.0);
            }
        }
        self.journal.extend(writes.into_iter().map(Kept::Cursor));
    }

    fn lease(&mut self, most: usize) -> Result<usize, TestCaseError> {
        let now = self.now;
        self.open.retain(|(_, until)| *until > now);
        let claims = self.backlog.lease(now, most);
        for claim in &claims {
            let same = |(other, _): &&(Claim, Timestamp)| {
                other.id.rule == claim.id.rule && other.id.room == claim.id.room
            };
            prop_assert!(!self.open.iter().any(|open| same(&open)), "leased twice: {claim:?}");
            let done = self.done.entry((claim.id.rule.0, claim.id.room)).or_default();
            let trimmed = self.trimmed.get(&number(claim.id.room)).copied().unwrap_or_default();
            let gap = (trimmed + 1..claim.span.first.0).find(|seq| !done.contains(seq));
            prop_assert_eq!(gap, None, "jumped over an event of {:?}", claim);
            let of_rule = self.open.iter().filter(|(other, _)| other.id.rule == claim.id.rule).count();
            prop_assert!(of_rule < ROOMS_AT_ONCE);
            self.open.push((claim.clone(), super::super::super::time::later(now, LEASE)));
        }
        Ok(claims.len())
    }

    fn settle(&mut self, which: usize, taken: u64, then: Then) {
        if self.open.is_empty() {
            return;
        }
        let (claim, _) = self.open.remove(which % self.open.len());
        if matches!(then, Then::Vanish) {
            return;
        }
        let through = (claim.span.first.0 + taken).min(claim.span.last.0 + 1) - 1;
        let any = through >= claim.span.first.0;
        let next = Seq(through + 1);
        let why = DeliveryFailure::new("no");
        let then = match then {
            Then::Retry(wait) if next <= claim.span.last => {
                Progress::Retry { at: later(self.now, wait), why }
            }
            Then::Bury if next <= claim.span.last => Progress::Bury { seq: next, why },
            _ => Progress::Go,
        };
        // The receiver has them, whatever becomes of the settlement.
        let done = self.done.entry((claim.id.rule.0, claim.id.room)).or_default();
        done.extend(claim.span.first.0..=through);
        let through = any.then_some(Seq(through));
        let settlement = Settlement { lease: claim.id, through, taken: u32::from(any), then };
        let (_, writes) = self.backlog.settle(self.now, &[settlement]);
        self.keep(writes);
    }

    fn restart(&mut self, snapshot: bool) {
        if snapshot {
            let writes = self.backlog.tidy(Duration::MAX, self.now);
            self.keep(writes);
            self.journal = dumped(&self.backlog, self.now).into_iter().map(Kept::Cursor).collect();
        }
        self.open.clear();
        self.backlog = Backlog::default();
        for (id, on) in self.on.clone() {
            self.put_rule(id, on);
        }
        for kept in self.journal.clone() {
            match kept {
                Kept::Event(event) => drop(self.backlog.appended(&Happened::of(&event))),
                Kept::Cursor(write) => self.backlog.restore(write, self.now),
            }
        }
        for room in self.backlog.rooms_behind().collect::<BTreeSet<_>>() {
            let trimmed = self.trimmed.get(&number(room)).copied().unwrap_or_default();
            let writes = self.backlog.trimmed(&room, Seq(trimmed), self.now);
            self.keep(writes);
        }
    }

    fn put_rule(&mut self, id: u128, on: bool) {
        let state = if on { RuleState::Enabled } else { RuleState::Disabled };
        self.backlog.put_rule(Rule { state, ..rule(id) }, self.now);
        self.on.insert(id, on);
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Append(room) => {
                let end = self.ends.entry(room).or_default();
                *end += 1;
                let event = Event { at: self.now, ..kicked(room, *end) };
                self.backlog.appended(&Happened::of(&event));
                self.journal.push(Kept::Event(event));
            }
            Step::Lease(most) => drop(self.lease(most)?),
            Step::Settle(which, taken, then) => self.settle(which, taken, then),
            Step::Pass(millis) => self.now = later(self.now, millis),
            Step::Trim(room, seq) => {
                let seq = seq.min(self.ends.get(&room).copied().unwrap_or_default());
                let trimmed = self.trimmed.entry(room).or_default();
                *trimmed = seq.max(*trimmed);
                let writes = self.backlog.trimmed(&kicked(room, 1).room, Seq(seq), self.now);
                self.keep(writes);
            }
            Step::Switch(id, on) => self.put_rule(id, on),
            Step::Replay(id, room, a, b) => {
                let end = self.ends.get(&room).copied().unwrap_or_default();
                let trimmed = self.trimmed.get(&room).copied().unwrap_or_default();
                let span = Span { first: Seq(a.min(b)), last: Seq(a.max(b)) };
                let room = kicked(room, 1).room;
                let log = Span { first: Seq(trimmed + 1), last: Seq(end) };
                let (_, writes) = self.backlog.replay(RuleId(id), &room, span, log, self.now);
                self.keep(writes);
            }
            Step::Restart(snapshot) => self.restart(snapshot),
        }
        Ok(())
    }

    /// Everybody is well again: what was not told is told.
    fn drain(&mut self) -> Result<(), TestCaseError> {
        for id in 0..RULES {
            self.put_rule(id, true);
        }
        for _ in 0..10_000 {
            let leased = self.lease(4)?;
            for _ in 0..leased {
                self.settle(0, u64::MAX / 2, Then::Go);
            }
            if leased == 0 {
                match self.backlog.next() {
                    Some(at) => self.now = at.max(later(self.now, 1)),
                    None => break,
                }
            }
        }
        prop_assert_eq!(self.backlog.next(), None, "never done");
        let writes = self.backlog.tidy(Duration::MAX, self.now);
        self.keep(writes);
        for (room, end) in &self.ends {
            for id in 0..RULES {
                let done = self.done.get(&(id, kicked(*room, 1).room)).cloned().unwrap_or_default();
                let missing = (1..=*end).find(|seq| !done.contains(seq));
                prop_assert_eq!(missing, None, "rule {} was never told an event of room {}", id, room);
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn nothing_is_forgotten_no_room_is_leased_twice_and_every_room_is_told_in_order(
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step)?;
        }
        world.drain()?;
        for id in 0..RULES {
            let status = world.backlog.status(RuleId(id)).unwrap();
            prop_assert_eq!((status.rooms_behind, status.events_behind, status.leased), (0, 0, 0));
        }
    }
}
