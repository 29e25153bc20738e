//! Runs a history on a store, and keeps book of what its rules were told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chatroom_core::{
    AppChange, ChatroomId, LEASE, Lease, LeaseRequest, Progress, RoomKey, Rule, RuleChange, RuleId, Settled,
    Settlement, Timestamp,
};

use super::step::{RULES, Step, Then};
use crate::DeliveryStore;
use crate::broken::{Broken, Promise, ensure, ensure_eq};
use crate::delivering::{no, span, took_some};
use crate::harness::app_key;
use crate::world::World;

/// The key of the app that a history happens in.
const APP: &str = "deliveries";

pub(super) struct Run<R> {
    /// `None` only while the store is restarted.
    world: Option<World<R>>,
    rules: Vec<Rule>,
    rooms: Vec<ChatroomId>,
    /// What is in hand, and until when.
    hands: Vec<(Lease, Timestamp)>,
    /// What is done, by rule and room.
    done: BTreeMap<(RuleId, RoomKey), BTreeSet<u64>>,
}

impl<R: DeliveryStore> Run<R> {
    pub(super) fn new(world: World<R>) -> Self {
        let (rules, rooms, hands) = (Vec::new(), Vec::new(), Vec::new());
        Self { world: Some(world), rules, rooms, hands, done: BTreeMap::new() }
    }

    pub(super) fn into_world(self) -> Option<World<R>> {
        self.world
    }

    fn world(&self) -> Result<&World<R>, Broken> {
        self.world.as_ref().ok_or_else(|| Broken::new("the store was lost"))
    }

    /// Does all steps in a new app, lets everybody be told what is left, and deletes the app.
    pub(super) async fn all(
        &mut self,
        steps: &[Step],
        restart: &impl AsyncFn(World<R>) -> World<R>,
    ) -> Promise {
        let first = self.world()?.app;
        let mut kept = self.begin().await;
        for step in steps {
            if kept.is_err() {
                break;
            }
            if matches!(step, Step::Restart)
                && let Some(world) = self.world.take()
            {
                self.world = Some(restart(world).await);
                // Whether what is in hand stays there is not promised.
                self.hands.clear();
            }
            kept = self.step(*step).await;
        }
        if kept.is_ok() {
            kept = self.finish().await;
        }
        // Also after a failure: the next history wants the key.
        self.world()?.change(AppChange::Delete(app_key(APP))).await?;
        self.world()?.sweep().await?;
        self.world = self.world.take().map(|world| world.of_app(first));
        kept
    }

    async fn begin(&mut self) -> Promise {
        let world = self.world()?;
        let world = world.of_app(world.make_app(APP).await?);
        let mut rooms = vec![world.populated("owner", &["a"]).await?];
        for rule in 0..RULES {
            self.rules.push(world.rule(&format!("rule_{rule}")).await?);
        }
        while rooms.len() < super::step::ROOMS {
            rooms.push(world.room("owner", &["a"]).await?);
        }
        // The first room had two events before there was a rule.
        for rule in &self.rules {
            self.done.insert((rule.id, world.key(rooms[0])), [1, 2].into());
        }
        (self.rooms, self.world) = (rooms, Some(world));
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Promise {
        let world = self.world()?;
        match step {
            Step::Change(room) => world.happen(self.rooms[room], 1).await,
            Step::Lease(leases, events) => self.lease(leases, events).await.map(drop),
            Step::Settle(which, done, then) => self.settle(which, done, then).await,
            Step::Pass(millis) => {
                world.pass(Duration::from_millis(millis));
                Ok(())
            }
            Step::Switch(rule, on) => {
                let name = self.rules[rule].name.clone();
                let change = if on { RuleChange::Enable(name) } else { RuleChange::Disable(name) };
                world.change_rule(change).await?;
                Ok(())
            }
            Step::Replay(rule, room, first, last) => {
                let (rule, room) = (self.rules[rule].id, world.key(self.rooms[room]));
                world.store.replay(rule, vec![(room, span(first, last))]).await?;
                Ok(())
            }
            Step::Restart => Ok(()),
        }
    }

    /// Leases, and answers how many.
    async fn lease(&mut self, leases: usize, events: usize) -> Result<usize, Broken> {
        let world = self.world()?;
        let now = world.now();
        let leases = world.leased(LeaseRequest { leases, events }).await?.leases;
        let ends = now.plus_millis(i64::try_from(LEASE.as_millis())?);
        let count = leases.len();
        for lease in leases {
            let of = (lease.id.rule, lease.id.room);
            let lasts = |(held, ends): &(Lease, Timestamp)| (held.id.rule, held.id.room) == of && now < *ends;
            ensure!(!self.hands.iter().any(lasts), "somebody has this in hand already: {lease:?}");
            let done = self.done.get(&of).cloned().unwrap_or_default();
            let next = (1..).find(|seq| !done.contains(seq)).unwrap_or_default();
            let first = lease.events[0].seq.0;
            ensure!(first <= next, "{lease:?} begins behind event {next}, which was not told");
            let log = self.world()?.log(lease.id.room.id).await?;
            let same = lease.events.iter().all(|event| log.contains(event));
            ensure!(same, "events of a lease are those of the log: {lease:?}, {log:?}");
            self.hands.push((lease, ends));
        }
        Ok(count)
    }

    async fn settle(&mut self, which: usize, done: usize, then: Then) -> Promise {
        if self.hands.is_empty() {
            return Ok(());
        }
        let (lease, ends) = self.hands.remove(which % self.hands.len());
        let world = self.world()?;
        let mut settlement = took_some(&lease, done);
        let next = lease.events.get(done);
        settlement.then = match (then, next) {
            (Then::Retry(wait), Some(_)) => Progress::Retry { at: world.now().plus_millis(wait), why: no() },
            (Then::Bury, Some(event)) => Progress::Bury { seq: event.seq, why: no() },
            _ => Progress::Go,
        };
        let lasts = world.now() < ends;
        let settled = world.says(Settlement { ..settlement.clone() }).await?;
        ensure!(settled == Settled::Noted || !lasts, "of a lease that lasts: {settlement:?}");
        if settled == Settled::Noted {
            let buried = match settlement.then {
                Progress::Bury { seq, .. } => Some(seq),
                _ => None,
            };
            let of_lease = lease.events.iter().map(|event| event.seq);
            let done = of_lease.filter(|seq| Some(*seq) <= settlement.through || Some(*seq) == buried);
            self.done.entry((lease.id.rule, lease.id.room)).or_default().extend(done.map(|seq| seq.0));
        }
        Ok(())
    }

    /// Everybody is on and well again, and takes what is left.
    async fn finish(&mut self) -> Promise {
        for rule in 0..RULES {
            self.step(Step::Switch(rule, true)).await?;
        }
        let mut quiet = 0;
        for _ in 0..1_000 {
            if self.lease(9, 9).await? == 0 && self.hands.is_empty() {
                // No wait of a step is longer than this, no lease and no pause after a success.
                quiet += 1;
                self.step(Step::Pass(60_000)).await?;
            }
            while !self.hands.is_empty() {
                self.settle(0, usize::MAX, Then::Go).await?;
            }
            if quiet == 10 {
                break;
            }
        }
        ensure_eq!(quiet, 10, "all is told some time");
        let world = self.world()?;
        for room in &self.rooms {
            let last = world.log(*room).await?.last().map_or(0, |event| event.seq.0);
            for rule in &self.rules {
                let done = self.done.get(&(rule.id, world.key(*room))).cloned().unwrap_or_default();
                let missing = (1..=last).find(|seq| !done.contains(seq));
                ensure_eq!(missing, None, "an event of room {room} that rule {:?} was never told", rule.name);
            }
        }
        Ok(())
    }
}
