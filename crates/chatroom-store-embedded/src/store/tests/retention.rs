//! How long events are kept.

use std::time::Duration;

use chatroom_core::{DissolveRoom, Span};

use super::*;

const DAY: i64 = 86_400_000;

async fn seqs(world: &World, room: &RoomKey) -> Vec<u64> {
    world.store.events(room, Seq(0), 10_000).await.unwrap().iter().map(|event| event.seq.0).collect()
}

#[tokio::test]
async fn events_older_than_keep_are_trimmed_and_the_counters_stay() {
    let world = World::new().await;
    let room = world.room_of(4).await;
    world.clock.advance(4 * DAY);
    world.remove(&room, "u0").await.unwrap();
    world.store.maintain().unwrap();
    assert_eq!(seqs(&world, &room).await, [1, 2, 3]);
    world.clock.advance(4 * DAY);
    world.store.maintain().unwrap();
    assert_eq!(seqs(&world, &room).await, [3]);

    let world = world.reopen().await;
    assert_eq!(seqs(&world, &room).await, [3]);
    world.clock.advance(8 * DAY);
    world.store.maintain().unwrap();
    assert_eq!(seqs(&world, &room).await, []);
    let world = world.reopen().await;
    assert_eq!(seqs(&world, &room).await, []);
    let counters = world.store.counters(&room).await.unwrap().unwrap();
    assert_eq!((counters.seq, counters.members), (Seq(3), 4));
    world.remove(&room, "u1").await.unwrap();
    assert_eq!(seqs(&world, &room).await, [4]);
    let world = world.reopen().await;
    assert_eq!(seqs(&world, &room).await, [4]);
    assert_eq!(world.store.room(&room).await.unwrap().unwrap().members, 3);
}

#[tokio::test]
async fn the_oldest_events_are_trimmed_when_they_take_too_many_bytes() {
    let world = World::with(|options| options.keep_bytes = 100_000).await;
    let room = world.room_of(1).await;
    for _ in 0..600 {
        world.remove(&room, "u0").await.unwrap();
        world.add(&room, "u0").await.unwrap();
    }
    world.store.maintain().unwrap();
    let kept = seqs(&world, &room).await;
    let bytes = world.store.shared.write(|journal| journal.bytes()).unwrap().unwrap();
    assert!(bytes <= 100_000, "{bytes}");
    assert!(kept.len() > 200 && kept.len() < 1_200, "{} are kept", kept.len());
    assert_eq!(kept, (kept[0]..=1_202).collect::<Vec<_>>());
    let world = world.reopen().await;
    assert_eq!(seqs(&world, &room).await, kept);
}

#[tokio::test]
async fn what_becomes_too_old_while_something_is_trimmed_waits_for_the_next_time() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |options| options.keep = Duration::from_secs(100)).await;
    let room = world.room_of(1).await;
    for _ in 0..10 {
        world.clock.advance(1_000);
        world.remove(&room, "u0").await.unwrap();
        world.clock.advance(1_000);
        world.add(&room, "u0").await.unwrap();
    }
    let clock = world.clock.clone();
    journal.at_each_trim(move || clock.advance(1_000));
    // Nobody else trims meanwhile.
    let mut keeper = keeper::lock(&world.store.keeper);
    world.clock.advance(90_000);
    keeper.maintain().unwrap();
    let first = (journal.trims(), journal.numbers()[0]);
    keeper.maintain().unwrap();
    drop(keeper);
    assert_eq!((first.0, journal.trims()), (1, 2));
    assert!(first.1 > 1 && journal.numbers()[0] == first.1 + 1, "{first:?}, then {}", journal.numbers()[0]);
}

#[tokio::test]
async fn nothing_is_trimmed_that_no_snapshot_covers() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |options| options.keep = Duration::ZERO).await;
    let room = world.room_of(2).await;
    world.clock.advance(DAY);
    // A directory in the way of the file: no snapshot can be written.
    std::fs::create_dir(world.options.dir.join("snapshot.unfinished")).unwrap();
    assert!(world.store.maintain().is_err());
    assert_eq!(journal.numbers().first(), Some(&1));
    assert_eq!(seqs(&world, &room).await, [1, 2]);
}

#[tokio::test]
async fn a_group_that_cannot_be_read_keeps_nothing_but_trimming_from_being_done() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |options| options.snapshot_bytes = 1).await;
    let load = || {
        open::load(&world.options.dir, Box::new(journal.clone()), &world.options, world.clock.now()).unwrap()
    };
    world.rule("all").await;
    let room = world.room_of(3).await;
    world.store.maintain().unwrap();
    let covered = load().covered.from;
    journal.spoil(1);
    world.clock.advance(8 * DAY);
    world.deliver(9).await;
    let error = world.store.maintain().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("is to be trimmed cannot be read"), "{cause}");
    for _ in 0..20 {
        world.remove(&room, "u0").await.unwrap();
        world.add(&room, "u0").await.unwrap();
    }
    let claims = load().engine.deliveries.backlog.lease(world.clock.now(), 9);
    let spans: Vec<_> = claims.iter().map(|claim| claim.span).collect();
    assert_eq!(spans, [Span { first: Seq(3), last: Seq(42) }], "deliveries are written");
    assert!(world.store.maintain().is_err());
    assert!(load().covered.from > covered, "snapshots are written");
    assert_eq!(journal.numbers().first(), Some(&1));
}

#[tokio::test]
async fn a_dissolved_room_is_forgotten_when_nobody_can_ask_for_its_events() {
    let world = World::new().await;
    let (room, other) = (world.room_of(2).await, world.room(&[]).await);
    world.operate(Action::DissolveRoom(DissolveRoom { room: room.id })).await.unwrap();
    while world.rooms.sweep(10).await.unwrap() {}
    world.store.maintain().unwrap();
    assert!(world.store.counters(&room).await.unwrap().is_some(), "its log outlives it");
    world.clock.advance(8 * DAY);
    world.store.maintain().unwrap();
    assert_eq!(world.store.counters(&room).await.unwrap(), None);
    assert!(world.store.counters(&other).await.unwrap().is_some());
    let world = world.reopen().await;
    assert_eq!(world.store.counters(&room).await.unwrap(), None);
    assert_eq!(world.store.shared.engine().state.rooms_in(world.app, 9), [other]);
}

/// A store that holds a dissolved room without events, since the disk was full when it was to be forgotten.
async fn not_forgotten(journal: &FaultyJournal) -> (World, RoomKey) {
    let world = World::faulty(journal, |_| {}).await;
    let room = world.room_of(2).await;
    world.operate(Action::DissolveRoom(DissolveRoom { room: room.id })).await.unwrap();
    while world.rooms.sweep(10).await.unwrap() {}
    // Nobody else tidies up.
    world.store.stop.tell();
    world.clock.advance(8 * DAY);
    journal.release(Some(Left::NothingFull));
    world.store.maintain().unwrap();
    while world.store.health() != Health::DiskFull {
        tokio::task::yield_now().await;
    }
    assert_eq!(seqs(&world, &room).await, []);
    assert!(world.store.counters(&room).await.unwrap().is_some(), "it was taken back");
    (world, room)
}

#[tokio::test]
async fn a_dissolved_room_is_forgotten_later_when_the_disk_was_full() {
    let journal = FaultyJournal::default();
    let (world, room) = not_forgotten(&journal).await;
    let before = journal.begun();
    world.store.maintain().unwrap();
    assert!(world.store.counters(&room).await.unwrap().is_some());
    assert_eq!(journal.begun(), before, "the disk has some time");
    world.clock.advance(11_000);
    world.store.maintain().unwrap();
    assert_eq!(world.store.counters(&room).await.unwrap(), None);
}

#[tokio::test]
async fn a_dissolved_room_that_was_not_forgotten_before_a_restart_is_afterwards() {
    let journal = FaultyJournal::default();
    let (world, room) = not_forgotten(&journal).await;
    world.store.close().await;
    let directory = Directory::open(&world.options.dir).unwrap();
    let opened = open::load(&world.options.dir, Box::new(journal), &world.options, world.clock.now());
    let again =
        EmbeddedStore::start(directory, opened.unwrap(), &world.options, world.clock.clone()).unwrap();
    again.maintain().unwrap();
    assert_eq!(again.counters(&room).await.unwrap(), None);
}
