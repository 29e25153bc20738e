//! One node, step by step.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::super::{
    Admission, HELD, IDLE, LimitKey, Look, NodeId, PATIENCE, PermitLedger, Pulse, QUIET, Seen, SharedLimit,
    Swap, WINDOW,
};
use super::node::KEY;
use crate::error::{StorageError, StorageErrorKind};
use crate::id::AppId;
use crate::limit::Permit;
use crate::test_util::MemoryLedger;

const TICK: u64 = 200_000;

/// Time that stands still, and a ledger that does what it is told.
#[derive(Default)]
struct Stage {
    ledger: MemoryLedger,
    now: AtomicU64,
    away: AtomicBool,
    /// Swaps are made and nobody hears of it.
    unheard: AtomicBool,
    /// How long an answer takes.
    slow: AtomicU64,
    looks: AtomicU64,
}

impl Stage {
    fn now(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    fn pass(&self, micros: u64) {
        self.now.fetch_add(micros, Ordering::SeqCst);
    }

    fn reach(&self) -> Result<(), StorageError> {
        let away = self.away.load(Ordering::SeqCst);
        if away { Err(StorageError::new(StorageErrorKind::Unavailable, "staged")) } else { Ok(()) }
    }

    async fn refresh(&self, limit: &SharedLimit) -> bool {
        limit.refresh(self, &|| self.now()).await.is_ok()
    }

    /// Lets so much time pass, with looks in between.
    async fn pass_looking(&self, limit: &SharedLimit, micros: u64) {
        for _ in 0..micros.div_ceil(TICK) {
            self.pass(TICK);
            self.refresh(limit).await;
        }
    }

    /// One call, that waits for a look if it has to.
    async fn call(&self, limit: &SharedLimit) -> Admission {
        match limit.admit(KEY, 10, self.now()) {
            Admission::Look(ticket) => {
                let _ = limit.refill(self, &|| self.now()).await;
                assert!(limit.ended() >= ticket.round());
                limit.admit_again(ticket, self.now())
            }
            known => known,
        }
    }

    /// How many of these calls are admitted.
    async fn admitted(&self, limit: &SharedLimit, calls: u32) -> u32 {
        let mut admitted = 0;
        for _ in 0..calls {
            admitted += u32::from(is_admitted(self.call(limit).await));
        }
        admitted
    }

    fn share(&self) -> u32 {
        self.ledger.book().shares(KEY).holders.iter().map(|holder| holder.share).sum()
    }
}

#[async_trait]
impl PermitLedger for Stage {
    async fn join(&self, node: NodeId) -> Result<(), StorageError> {
        self.reach()?;
        self.ledger.join(node).await
    }

    async fn look(&self, look: &Look) -> Result<Seen, StorageError> {
        self.reach()?;
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.pass(self.slow.load(Ordering::SeqCst));
        self.ledger.look(look).await
    }

    async fn swap(&self, swaps: &[Swap]) -> Result<Vec<bool>, StorageError> {
        self.reach()?;
        let made = self.ledger.swap(swaps).await?;
        self.away.store(self.unheard.load(Ordering::SeqCst), Ordering::SeqCst);
        self.reach()?;
        Ok(made)
    }

    async fn remove(&self, dead: &[Pulse]) -> Result<(), StorageError> {
        self.reach()?;
        self.ledger.remove(dead).await
    }
}

fn node(id: u128) -> SharedLimit {
    SharedLimit::new(NodeId::new(id << 16))
}

fn is_admitted(admission: Admission) -> bool {
    matches!(admission, Admission::Known(Permit::Admitted { .. }))
}

fn is_refused(admission: Admission) -> bool {
    matches!(admission, Admission::Known(Permit::Exhausted { .. }))
}

#[tokio::test]
async fn one_node_alone_admits_all_slots_at_once_and_then_refuses_without_asking_anybody() {
    let (stage, limit) = (Stage::default(), node(1));
    assert_eq!(stage.admitted(&limit, 11).await, 10);
    let looks = stage.looks.load(Ordering::SeqCst);
    for _ in 0..1_000 {
        assert!(is_refused(limit.admit(KEY, 10, stage.now())));
    }
    assert_eq!(stage.looks.load(Ordering::SeqCst), looks);
    let refused = limit.admit(KEY, 10, stage.now());
    assert_eq!(
        refused,
        Admission::Known(Permit::Exhausted { retry_after: Duration::from_micros(1_000_001) })
    );
    stage.pass(WINDOW + 1);
    assert_eq!(stage.admitted(&limit, 11).await, 10);
}

#[tokio::test]
async fn a_node_that_finds_nothing_looks_once_and_then_refuses_until_the_next_regular_look() {
    let (stage, one, other) = (Stage::default(), node(1), node(2));
    assert_eq!(stage.admitted(&one, 10).await, 10);
    assert!(is_refused(stage.call(&other).await));
    assert!(is_refused(other.admit(KEY, 10, stage.now())));
}

#[tokio::test]
async fn limits_are_apart() {
    let (stage, limit) = (Stage::default(), node(1));
    assert_eq!(stage.admitted(&limit, 11).await, 10);
    for key in [LimitKey { app: AppId(2), ..KEY }, LimitKey { name: "add_members", ..KEY }] {
        let Admission::Look(ticket) = limit.admit(key, 1, stage.now()) else { panic!("it looks") };
        limit.refill(&stage, &|| stage.now()).await.unwrap();
        assert!(is_admitted(limit.admit_again(ticket, stage.now())));
    }
}

#[tokio::test]
async fn a_lease_counts_from_before_its_beat_was_sent() {
    let (stage, limit) = (Stage::default(), node(1));
    stage.slow.store(900_000, Ordering::SeqCst);
    assert!(is_admitted(stage.call(&limit).await));
    stage.now.store(HELD - 1, Ordering::SeqCst);
    assert!(is_admitted(limit.admit(KEY, 10, stage.now())));
    stage.pass(1);
    assert!(!is_admitted(limit.admit(KEY, 10, stage.now())));
}

#[tokio::test]
async fn an_answer_that_comes_too_late_does_not_count() {
    let (stage, limit) = (Stage::default(), node(1));
    stage.slow.store(PATIENCE + 1, Ordering::SeqCst);
    assert_eq!(stage.call(&limit).await, Admission::Unknown);
}

#[tokio::test]
async fn without_the_ledger_a_node_admits_what_it_holds_until_its_lease_ends() {
    let (stage, limit) = (Stage::default(), node(1));
    assert!(is_admitted(stage.call(&limit).await));
    stage.away.store(true, Ordering::SeqCst);
    stage.pass(HELD - 1);
    assert!(!stage.refresh(&limit).await);
    assert!(is_admitted(limit.admit(KEY, 10, stage.now())));
    stage.pass(1);
    assert_eq!(limit.admit(KEY, 10, stage.now()), Admission::Unknown);
}

#[tokio::test]
async fn after_a_failure_a_node_takes_nothing_for_a_lease_and_a_second() {
    let (stage, limit) = (Stage::default(), node(1));
    stage.away.store(true, Ordering::SeqCst);
    assert_eq!(stage.call(&limit).await, Admission::Unknown);
    stage.away.store(false, Ordering::SeqCst);
    assert!(stage.refresh(&limit).await);
    stage.pass_looking(&limit, QUIET - TICK).await;
    assert_eq!(stage.call(&limit).await, Admission::Unknown);
    stage.pass_looking(&limit, 2 * TICK).await;
    assert!(is_admitted(stage.call(&limit).await));
}

#[tokio::test]
async fn a_node_that_did_not_look_for_long_takes_nothing_for_a_while() {
    let (stage, limit) = (Stage::default(), node(1));
    assert!(stage.refresh(&limit).await);
    stage.pass(PATIENCE + 1);
    assert!(stage.refresh(&limit).await);
    assert_eq!(stage.call(&limit).await, Admission::Unknown);
}

#[tokio::test]
async fn a_beat_seen_before_a_failure_does_not_make_a_node_dead() {
    let (stage, dead, watcher) = (Stage::default(), node(1), node(2));
    assert!(stage.refresh(&dead).await && stage.refresh(&watcher).await);
    stage.pass_looking(&watcher, TICK).await;
    stage.away.store(true, Ordering::SeqCst);
    stage.pass_looking(&watcher, TICK).await;
    stage.away.store(false, Ordering::SeqCst);
    stage.pass_looking(&watcher, QUIET).await;
    assert_eq!(stage.ledger.book().roster().len(), 2);
    stage.pass_looking(&watcher, 3 * TICK).await;
    assert_eq!(stage.ledger.book().roster().len(), 1);
}

#[tokio::test]
async fn a_node_that_was_taken_for_dead_begins_anew() {
    let (stage, limit) = (Stage::default(), node(1));
    assert_eq!(stage.admitted(&limit, 10).await, 10);
    stage.ledger.remove(&stage.ledger.book().roster()).await.unwrap();
    assert!(stage.refresh(&limit).await);
    let roster: Vec<_> = stage.ledger.book().roster().iter().map(|pulse| pulse.node).collect();
    assert_eq!(roster, [NodeId::new(1 << 16).next()]);
    assert!(is_refused(limit.admit(KEY, 10, stage.now())), "its old slots were used just now");
    stage.pass(WINDOW + 1);
    assert_eq!(stage.admitted(&limit, 11).await, 10);
}

#[tokio::test]
async fn a_node_that_was_taken_for_dead_has_nothing_even_if_a_failover_loses_that() {
    let (stage, silent, other) = (Stage::default(), node(1), node(2));
    assert_eq!(stage.admitted(&silent, 10).await, 10);
    assert!(stage.refresh(&other).await);
    stage.pass_looking(&other, QUIET - TICK).await;
    let before = stage.ledger.book();
    stage.pass_looking(&other, TICK).await;
    assert_eq!(stage.admitted(&other, 10).await, 10, "of the dead node");
    stage.away.store(true, Ordering::SeqCst);
    assert!(!stage.refresh(&silent).await && !stage.refresh(&other).await);
    stage.away.store(false, Ordering::SeqCst);
    stage.ledger.go_back_to(before);
    assert!(stage.refresh(&silent).await);
    assert_eq!(stage.share(), 10, "it is written that they are its own");
    assert_eq!(silent.admit(KEY, 10, stage.now()), Admission::Unknown);
    stage.pass_looking(&silent, QUIET + WINDOW + 2 * TICK).await;
    assert!(is_admitted(silent.admit(KEY, 10, stage.now())), "nobody else can have them any more");
}

#[tokio::test]
async fn a_node_that_renews_before_anybody_can_have_taken_it_for_dead_goes_on_with_what_it_held() {
    let (stage, limit) = (Stage::default(), node(1));
    assert!(is_admitted(stage.call(&limit).await));
    stage.away.store(true, Ordering::SeqCst);
    assert!(!stage.refresh(&limit).await);
    stage.away.store(false, Ordering::SeqCst);
    stage.pass(HELD + WINDOW - 1);
    assert_eq!(limit.admit(KEY, 10, stage.now()), Admission::Unknown, "its lease is over");
    assert!(stage.refresh(&limit).await);
    assert!(is_admitted(limit.admit(KEY, 10, stage.now())));
}

#[tokio::test]
async fn slots_of_a_write_that_nobody_heard_of_are_used_after_it_is_written_again() {
    let (stage, limit) = (Stage::default(), node(1));
    stage.unheard.store(true, Ordering::SeqCst);
    assert_eq!(stage.call(&limit).await, Admission::Unknown);
    assert_eq!(stage.share(), 5);
    stage.unheard.store(false, Ordering::SeqCst);
    stage.away.store(false, Ordering::SeqCst);
    let before = stage.ledger.book().shares(KEY).stamp;
    stage.pass_looking(&limit, QUIET + 2 * TICK).await;
    assert_ne!(stage.ledger.book().shares(KEY).stamp, before);
    stage.pass_looking(&limit, WINDOW).await;
    assert!(is_admitted(limit.admit(KEY, 10, stage.now())));
}

#[tokio::test]
async fn a_limit_that_nobody_calls_goes_back_whole_and_is_looked_at_no_more() {
    let (stage, limit) = (Stage::default(), node(1));
    assert!(is_admitted(stage.call(&limit).await));
    stage.pass_looking(&limit, IDLE).await;
    assert!(stage.share() > 0);
    stage.pass_looking(&limit, 2 * TICK).await;
    assert_eq!(stage.ledger.book().shares(KEY).holders, []);
    stage.pass_looking(&limit, TICK).await;
    assert_eq!(limit.state().look(&super::super::state::Scope::All, stage.now()).keys, []);
}

#[tokio::test]
async fn a_node_that_leaves_admits_nothing_and_is_out_of_the_roster_a_second_later() {
    let (stage, limit) = (Stage::default(), node(1));
    assert!(is_admitted(stage.call(&limit).await));
    let then = limit.leave(stage.now());
    assert!(then > stage.now() + WINDOW);
    assert_eq!(limit.admit(KEY, 10, stage.now()), Admission::Unknown);
    limit.depart(&stage).await.unwrap();
    assert_eq!(stage.ledger.book().roster(), []);
}
