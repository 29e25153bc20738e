//! What is to be delivered, over restarts, snapshots, failures and retention.

use std::time::Duration;

use chatroom_core::{
    Burial, CallbackLeases, ChangeRule, CursorWrite, Deliveries, DissolveRoom, LeaseRequest, NewRule,
    Progress, Rule, RuleChange, RuleId, RuleRegistry, RuleSecret, Settled, Settlement, Span,
};

use super::*;

const DAY: i64 = 86_400_000;

impl World {
    pub(super) async fn rule(&self, name: &str) -> RuleId {
        self.change_rule(RuleChange::Add(NewRule {
            name: name.parse().unwrap(),
            url: "http://127.0.0.1:9/".into(),
            secret: RuleSecret::new("secret"),
            enabled: true,
            events: None,
            rooms: None,
            origin: Origin::Command,
        }))
        .await
        .unwrap()
        .id
    }

    pub(super) async fn change_rule(&self, change: RuleChange) -> Result<Rule, TransactError> {
        let change = ChangeRule { change, max_rules: 4 };
        self.store.change_rule(self.ids.operation(), self.app, change).await
    }

    /// Leases everything that is due and answers the events, without settling.
    pub(super) async fn leased(&self) -> Vec<(RoomKey, Vec<u64>)> {
        let leased = self.store.lease(LeaseRequest { leases: 8, events: 100 }).await.unwrap();
        let seqs = |events: &[chatroom_core::Event]| events.iter().map(|event| event.seq.0).collect();
        leased.leases.iter().map(|lease| (lease.id.room, seqs(&lease.events))).collect()
    }

    /// Delivers up to `most` events of everything that is due.
    pub(super) async fn deliver(&self, most: usize) {
        let leased = self.store.lease(LeaseRequest { leases: 8, events: most }).await.unwrap();
        let done = leased.leases.iter().map(|lease| Settlement {
            lease: lease.id,
            through: lease.events.last().map(|event| event.seq),
            taken: 1,
            then: Progress::Go,
        });
        let done: Vec<_> = done.collect();
        let settled = self.store.settle(done).await.unwrap();
        assert!(settled.iter().all(|settled| *settled == Settled::Noted), "{settled:?}");
    }

    /// Gives up the next event of the room whose turn it is.
    async fn give_up(&self) {
        let leased = self.store.lease(LeaseRequest { leases: 1, events: 1 }).await.unwrap();
        let lease = &leased.leases[0];
        let then =
            Progress::Bury { seq: lease.events[0].seq, why: chatroom_core::DeliveryFailure::new("no") };
        let bury = Settlement { lease: lease.id, through: None, taken: 0, then };
        self.store.settle(vec![bury]).await.unwrap();
    }
}

#[tokio::test]
async fn what_waits_is_leased_after_a_restart_and_what_was_settled_is_not() {
    let world = World::new().await;
    world.rule("all").await;
    let room = world.room_of(3).await;
    world.remove(&room, "u0").await.unwrap();
    world.deliver(2).await;
    assert_eq!(world.leased().await, [(room, vec![3])]);
    let world = world.reopen().await;
    assert_eq!(world.leased().await, [(room, vec![3])], "a lease ends with the process");
    let world = world.reopen().await;
    world.deliver(9).await;
    let world = world.reopen().await;
    assert_eq!(world.leased().await, []);
}

#[tokio::test]
async fn what_a_process_that_dies_has_not_written_is_delivered_again_and_nothing_is_missed() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    world.rule("all").await;
    let room = world.room_of(3).await;
    world.deliver(1).await;
    world.store.maintain().unwrap();
    world.remove(&room, "u0").await.unwrap();
    world.deliver(9).await;
    let opened = open::load(&world.options.dir, Box::new(journal.clone()), &world.options, world.clock.now());
    let mut engine = opened.unwrap().engine;
    let claims = engine.deliveries.backlog.lease(world.clock.now(), 9);
    let spans: Vec<_> = claims.iter().map(|claim| (claim.id.room, claim.span)).collect();
    assert_eq!(spans, [(room, Span { first: Seq(2), last: Seq(3) })]);
}

#[tokio::test]
async fn a_start_from_a_snapshot_knows_what_waits_of_groups_that_are_not_replayed() {
    let world = World::with(|options| options.snapshot_bytes = 1).await;
    world.rule("all").await;
    let (room, told) = (world.room_of(3).await, world.room(&[]).await);
    while !world.leased().await.is_empty() {}
    world.clock.advance(31_000);
    world.deliver(1).await;
    world.store.maintain().unwrap();
    world.remove(&room, "u0").await.unwrap();
    let world = world.reopen().await;
    assert!(world.store.shared.engine().uncovered < 500, "a snapshot covers most of it");
    assert_eq!(world.leased().await, [(room, vec![2, 3])]);
    assert_eq!(world.store.counters(&told).await.unwrap().unwrap().seq, Seq(1));
}

#[tokio::test]
async fn a_rule_that_was_taken_back_is_told_nothing_and_one_that_stays_is() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(3).await;
    let before = journal.begun();
    let _held = journal.hold();
    let mut rule = Box::pin(world.rule("all"));
    assert!(poll(&mut rule).is_pending());
    journal.wait_for(before + 1).await;
    let mut removal = Box::pin(world.remove(&room, "u0"));
    assert!(poll(&mut removal).is_pending());
    assert_eq!(world.leased().await, [], "nothing of it is durable");
    journal.release(Some(Left::NothingFull));
    assert!(removal.await.is_err());
    drop(rule);
    world.remove(&room, "u0").await.unwrap();
    assert_eq!(world.leased().await, []);
    world.rule("all").await;
    world.remove(&room, "u1").await.unwrap();
    assert_eq!(world.leased().await, [(room, vec![4])]);
}

#[tokio::test]
async fn what_a_full_disk_did_not_take_of_deliveries_is_written_later() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    world.rule("all").await;
    world.room_of(1).await;
    world.deliver(9).await;
    let before = journal.begun();
    journal.release(Some(Left::NothingFull));
    world.store.maintain().unwrap();
    journal.wait_for(before + 1).await;
    while world.store.health() != Health::DiskFull {
        tokio::task::yield_now().await;
    }
    let load =
        || open::load(&world.options.dir, Box::new(journal.clone()), &world.options, world.clock.now());
    assert!(load().unwrap().engine.deliveries.backlog.next().is_some(), "the journal says that it waits");
    world.clock.advance(11_000);
    world.store.maintain().unwrap();
    world.store.close().await;
    assert_eq!(load().unwrap().engine.deliveries.backlog.next(), None);
}

#[tokio::test]
async fn what_retention_took_before_it_was_told_is_one_dead_letter_also_after_a_restart() {
    let world = World::new().await;
    let rule = world.rule("all").await;
    let room = world.room_of(3).await;
    world.deliver(1).await;
    world.clock.advance(8 * DAY);
    world.remove(&room, "u0").await.unwrap();
    world.store.maintain().unwrap();
    let lost = async |world: &World| -> Vec<(RoomKey, Span)> {
        let letters = world.store.dead_letters(rule, None, 9).await.unwrap();
        letters.iter().map(|letter| (letter.room, letter.span)).collect()
    };
    assert_eq!(lost(&world).await, [(room, Span::one(Seq(2)))]);
    assert_eq!(world.store.losses(9).await.unwrap().len(), 1);
    assert_eq!(world.leased().await, [(room, vec![3])]);
    let world = world.reopen().await;
    assert_eq!(lost(&world).await, [(room, Span::one(Seq(2)))]);
    assert_eq!(world.leased().await, [(room, vec![3])]);
}

#[tokio::test]
async fn a_replay_is_durable_when_it_is_answered_and_takes_the_dead_letter_away() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let rule = world.rule("all").await;
    let room = world.room_of(3).await;
    world.give_up().await;
    world.deliver(9).await;
    let letters = world.store.dead_letters(rule, None, 9).await.unwrap();
    assert_eq!(
        letters.iter().map(|l| (l.span, &l.why)).collect::<Vec<_>>(),
        [(Span::one(Seq(1)), &Burial::GivenUp("no".into()))]
    );
    let run = Span { first: Seq(1), last: Seq(99) };
    assert_eq!(world.store.replay(rule, vec![(room, run)]).await.unwrap(), 2);
    let opened = open::load(&world.options.dir, Box::new(journal.clone()), &world.options, world.clock.now());
    let mut engine = opened.unwrap().engine;
    assert_eq!(engine.deliveries.backlog.dead_letters(rule, None).count(), 0);
    let spans: Vec<_> =
        engine.deliveries.backlog.lease(world.clock.now(), 9).iter().map(|c| c.span).collect();
    assert_eq!(spans, [Span { first: Seq(1), last: Seq(2) }]);
    assert_eq!(world.leased().await, [(room, vec![1, 2])]);
}

#[tokio::test]
async fn a_replay_writes_no_cursor_without_the_dead_letters_that_it_passes() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let rule = world.rule("all").await;
    let room = world.room_of(3).await;
    world.deliver(1).await;
    // Nobody else writes what waits.
    world.store.stop.tell();
    world.give_up().await;
    assert_eq!(world.store.replay(rule, vec![(room, Span::one(Seq(1)))]).await.unwrap(), 1);
    let opened = open::load(&world.options.dir, Box::new(journal.clone()), &world.options, world.clock.now());
    let backlog = opened.unwrap().engine.deliveries.backlog;
    let letters: Vec<_> = backlog.dead_letters(rule, None).map(|letter| letter.span).collect();
    assert_eq!(letters, [Span::one(Seq(2))]);
}

#[tokio::test]
async fn who_waits_for_more_is_woken_by_an_event_and_not_before_it_is_durable() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    world.rule("all").await;
    world.store.more().await;
    let room = world.room_of(3).await;
    world.store.more().await;
    world.deliver(9).await;
    let _held = journal.hold();
    let mut removal = Box::pin(world.remove(&room, "u0"));
    assert!(poll(&mut removal).is_pending());
    let mut more = Box::pin(world.store.more());
    assert!(poll(&mut more).is_pending());
    assert_eq!(world.leased().await, []);
    journal.release(None);
    removal.await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), more).await.unwrap();
    assert_eq!(world.leased().await, [(room, vec![3])]);
}

#[tokio::test]
async fn what_retention_took_of_a_dissolved_room_is_a_dead_letter_for_its_time_also_after_a_restart() {
    let world = World::new().await;
    let rule = world.rule("all").await;
    let room = world.room_of(2).await;
    world.operate(Action::DissolveRoom(DissolveRoom { room: room.id })).await.unwrap();
    while world.rooms.sweep(10).await.unwrap() {}
    let lost = async |world: &World| -> Vec<(RoomKey, Span)> {
        let letters = world.store.dead_letters(rule, None, 9).await.unwrap();
        letters.iter().map(|letter| (letter.room, letter.span)).collect()
    };
    let all = Span { first: Seq(1), last: world.store.counters(&room).await.unwrap().unwrap().seq };
    world.clock.advance(8 * DAY);
    world.store.maintain().unwrap();
    // Behind all that was written then.
    world.register(&["late".to_owned()]).await;
    assert_eq!(lost(&world).await, [(room, all)]);
    let world = world.reopen().await;
    world.store.maintain().unwrap();
    assert_eq!(lost(&world).await, [(room, all)]);
    world.clock.advance(8 * DAY);
    world.store.maintain().unwrap();
    assert_eq!(world.store.counters(&room).await.unwrap(), None);
    let world = world.reopen().await;
    assert_eq!(lost(&world).await, []);
    assert_eq!(world.leased().await, []);
}

#[tokio::test]
async fn a_cursor_that_was_written_behind_the_end_of_its_room_is_passed_over() {
    let world = World::new().await;
    let rule = world.rule("all").await;
    let room = world.room_of(2).await;
    let gone = RoomKey { id: chatroom_core::ChatroomId::TEST, ..room };
    let now = world.clock.now();
    {
        let mut engine = world.store.shared.engine();
        let [cursor] = &engine.deliveries.backlog.cursors(&room, now)[..] else { panic!("it is behind") };
        let why = Burial::Trimmed;
        let letter = chatroom_core::DeadLetter { rule, room: gone, span: Span::one(Seq(1)), why, at: now };
        let cursor = chatroom_core::Cursor { room: gone, ..cursor.clone() };
        engine.deliveries.keep(vec![CursorWrite::Put(cursor), CursorWrite::Bury(letter)]);
    }
    let world = world.reopen().await;
    assert_eq!(world.leased().await, [(room, vec![1, 2])]);
    let status = &world.store.statuses(world.app).await.unwrap()[0];
    assert_eq!((status.rooms_behind, status.dead_letters), (1, 0));
}
