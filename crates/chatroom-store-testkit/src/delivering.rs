//! What a promise does with a store that hands out deliveries.

use std::collections::BTreeMap;
use std::time::Duration;

use chatroom_core::{
    ChangeRule, ChatroomId, Clock, DeadLetter, DeliveryFailure, Event, Ids, LEASE, Lease, LeaseRequest,
    Leased, NewRule, Origin, Progress, RoomKey, Rule, RuleChange, RuleId, RuleName, RuleSecret, RuleStatus,
    Seq, Settled, Settlement, Span, Timestamp, TransactError,
};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::World;
use crate::{DeliveryStore, Promise};

/// The most rules that an app has in promises, unless they say otherwise.
pub(crate) const MAX_RULES: usize = 4;

/// A rule of this name that wants everything.
pub(crate) fn new_rule(rule: &str) -> NewRule {
    NewRule {
        name: rule_name(rule),
        url: "https://receiver.example/hook".into(),
        secret: RuleSecret::new(format!("secret-of-{rule}")),
        enabled: true,
        events: None,
        rooms: None,
        origin: Origin::Command,
    }
}

#[expect(clippy::expect_used, reason = "the testkit's own names are legal")]
pub(crate) fn rule_name(rule: &str) -> RuleName {
    rule.parse().expect("a legal name of a rule")
}

/// A receiver's no.
pub(crate) fn no() -> DeliveryFailure {
    DeliveryFailure::new("the receiver answered 500")
}

/// All events of the lease are done, and the receiver took those that it wants.
pub(crate) fn took(lease: &Lease) -> Settlement {
    took_some(lease, lease.events.len())
}

/// The same of the first few.
pub(crate) fn took_some(lease: &Lease, events: usize) -> Settlement {
    let done = &lease.events[..events.min(lease.events.len())];
    let wanted = done.iter().filter(|event| lease.rule.wants(event)).count();
    let through = done.last().map(|event| event.seq);
    let taken = u32::try_from(wanted).unwrap_or(u32::MAX);
    Settlement { lease: lease.id, through, taken, then: Progress::Go }
}

/// The first event of the lease failed, and is tried again then.
pub(crate) fn failed(lease: &Lease, at: Timestamp) -> Settlement {
    let then = Progress::Retry { at, why: no() };
    Settlement { lease: lease.id, through: None, taken: 0, then }
}

/// The first event of the lease is given up.
pub(crate) fn gave_up(lease: &Lease) -> Settlement {
    let seq = lease.events.first().map_or(Seq(0), |event| event.seq);
    let then = Progress::Bury { seq, why: no() };
    Settlement { lease: lease.id, through: None, taken: 0, then }
}

/// The numbers of events.
pub(crate) fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq.0).collect()
}

/// From one number to another.
pub(crate) fn span(first: u64, last: u64) -> Span {
    Span { first: Seq(first), last: Seq(last) }
}

impl<R: DeliveryStore> World<R> {
    pub(crate) async fn change_rule(&self, change: RuleChange) -> Result<Rule, TransactError> {
        self.change_rule_of(MAX_RULES, change).await
    }

    /// The same, of an app that may have so many rules.
    pub(crate) async fn change_rule_of(
        &self,
        max_rules: usize,
        change: RuleChange,
    ) -> Result<Rule, TransactError> {
        self.clock.advance(1);
        let change = ChangeRule { change, max_rules };
        self.store.change_rule(self.ids.operation(), self.app, change).await
    }

    /// Makes a rule that wants everything.
    pub(crate) async fn rule(&self, rule: &str) -> Result<Rule, Broken> {
        Ok(self.change_rule(RuleChange::Add(new_rule(rule))).await?)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// So much later.
    pub(crate) fn pass(&self, time: Duration) -> Timestamp {
        self.clock.advance(i64::try_from(time.as_millis()).unwrap_or(i64::MAX));
        self.now()
    }

    /// Writes so many events to a room in which `a` is a member: it goes and comes in turns.
    pub(crate) async fn happen(&self, room: ChatroomId, events: usize) -> Promise {
        for _ in 0..events {
            self.clock.advance(1);
            if self.remove(room, &["a"]).await.is_err() {
                self.add(room, &["a"]).await?;
            }
        }
        Ok(())
    }

    /// Leases, and holds what it gets to what every lease promises.
    pub(crate) async fn leased(&self, ask: LeaseRequest) -> Result<Leased, Broken> {
        let leased = self.store.lease(ask).await?;
        ensure!(leased.leases.len() <= ask.leases, "more leases than were asked for: {leased:?}");
        for lease in &leased.leases {
            let (rule, room) = (lease.id.rule, lease.id.room);
            ensure!(!lease.events.is_empty(), "a lease must hold an event: {lease:?}");
            ensure!(lease.events.len() <= ask.events, "more events than were asked for: {lease:?}");
            ensure_eq!(lease.rule.id, rule, "a lease must bear its rule");
            ensure!(lease.rule.delivers(), "a rule that is off must not be leased: {lease:?}");
            for (event, seq) in lease.events.iter().zip(lease.events[0].seq.0..) {
                ensure_eq!(event.room, room, "a lease is of one room");
                ensure_eq!(event.seq.0, seq, "events of a lease must be in order without a gap: {lease:?}");
            }
        }
        Ok(leased)
    }

    /// Up to so many leases of up to nine events.
    pub(crate) async fn lease(&self, leases: usize) -> Result<Vec<Lease>, Broken> {
        Ok(self.leased(LeaseRequest { leases, events: 9 }).await?.leases)
    }

    /// The only lease there is.
    pub(crate) async fn one(&self) -> Result<Lease, Broken> {
        let mut leases = self.lease(9).await?;
        match (leases.pop(), leases.is_empty()) {
            (Some(lease), true) => Ok(lease),
            (last, _) => Err(Broken::new(format!("one lease is due: {leases:?} {last:?}"))),
        }
    }

    /// Breaks the promise if something can be leased.
    pub(crate) async fn nothing_is_due(&self, why: &str) -> Promise {
        let leases = self.lease(9).await?;
        ensure!(leases.is_empty(), "{why}, but is leased: {leases:?}");
        Ok(())
    }

    /// Settles one lease.
    pub(crate) async fn says(&self, settlement: Settlement) -> Result<Settled, Broken> {
        match self.store.settle(vec![settlement]).await?[..] {
            [settled] => Ok(settled),
            ref other => Err(Broken::new(format!("one settlement has one answer: {other:?}"))),
        }
    }

    /// Settles one lease, which must be noted.
    pub(crate) async fn settle(&self, settlement: Settlement) -> Promise {
        let how = format!("{settlement:?}");
        ensure_eq!(self.says(settlement).await?, Settled::Noted, "of a lease that lasts: {how}");
        Ok(())
    }

    /// Delivers all that is due now, and answers what each rule was told of each room, in this order.
    pub(crate) async fn deliver(&self) -> Result<BTreeMap<(RuleId, RoomKey), Vec<Event>>, Broken> {
        let mut told: BTreeMap<_, Vec<Event>> = BTreeMap::new();
        for _ in 0..10_000 {
            let leases = self.leased(LeaseRequest { leases: 64, events: 5 }).await?.leases;
            if leases.is_empty() {
                return Ok(told);
            }
            let settlements: Vec<_> = leases.iter().map(took).collect();
            let settled = self.store.settle(settlements).await?;
            ensure_eq!(settled, vec![Settled::Noted; leases.len()], "of leases that last: {leases:?}");
            for lease in leases {
                let wanted = lease.events.iter().filter(|event| lease.rule.wants(event));
                told.entry((lease.id.rule, lease.id.room)).or_default().extend(wanted.cloned());
            }
        }
        Err(Broken::new("what is settled as done must not be leased without end"))
    }

    /// The numbers of what a rule is told of a room, if all is delivered that is due now.
    pub(crate) async fn delivered(&self, rule: &Rule, room: ChatroomId) -> Result<Vec<u64>, Broken> {
        let told = self.deliver().await?;
        Ok(told.get(&(rule.id, self.key(room))).map(|events| seqs(events)).unwrap_or_default())
    }

    /// Leases of before a restart have ended: a store that cannot free them lets their time pass.
    pub(crate) fn outlast_leases(&self) {
        self.pass(LEASE);
    }

    pub(crate) async fn letters(&self, rule: &Rule) -> Result<Vec<DeadLetter>, Broken> {
        Ok(self.store.dead_letters(rule.id, None, 99).await?)
    }

    pub(crate) async fn status(&self, rule: &Rule) -> Result<RuleStatus, Broken> {
        let statuses = self.store.statuses(self.app).await?;
        let found = statuses.into_iter().find(|status| status.rule.id == rule.id);
        found.ok_or_else(|| Broken::new(format!("{rule:?} must have a status")))
    }
}
