//! A full disk and a failed sync (invariants 3 and 4).

use std::task::Poll;

use super::*;

fn kind<T>(result: Result<T, Error>) -> StorageErrorKind {
    match result {
        Err(Error::Storage(error)) => error.kind(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was done"),
    }
}

/// `$a` is being committed, `$b` was decided on top of it.
macro_rules! in_flight {
    ($journal:ident, $($future:ident = $call:expr),+) => {
        let _held = $journal.hold();
        let before = $journal.begun();
        $(let mut $future = Box::pin($call);
        assert!(poll(&mut $future).is_pending());
        $journal.wait_for(before + 1).await;)+
    };
}

#[tokio::test]
async fn what_does_not_fit_on_the_disk_is_taken_back_with_all_that_was_decided_on_top() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(3).await;
    let (before, groups) = (world.whole(), journal.numbers());

    in_flight!(
        journal,
        removal = world.remove(&room, "u0"),
        on_top = world.remove(&room, "u1"),
        back = world.add(&room, "u1"),
        again = world.remove(&room, "u1"),
        refusal = world.remove(&room, "u0"),
        made = world.room(&[])
    );
    drop((back, again, made));
    assert_ne!(world.whole(), before);
    journal.release(Some(Left::NothingFull));
    assert_eq!(kind(removal.await), StorageErrorKind::Unavailable);
    assert_eq!(kind(on_top.await), StorageErrorKind::Unavailable);
    assert_eq!(kind(refusal.await), StorageErrorKind::Unavailable, "it told of what was never written");
    assert_eq!(world.whole(), before);
    assert_eq!(journal.numbers(), groups);
    assert_eq!(world.store.health(), Health::DiskFull);

    world.clock.advance(11_000);
    assert_eq!(world.store.health(), Health::Ready, "or nobody would try again");
    world.clock.advance(-11_000);
    assert_eq!(world.store.health(), Health::DiskFull);

    world.remove(&room, "u0").await.unwrap();
    assert_eq!(world.store.health(), Health::Ready);
    let numbers = journal.numbers();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let replayed =
        open::load(&world.options.dir, Box::new(journal.clone()), &world.options, world.clock.now()).unwrap();
    assert_eq!(whole(&replayed.engine.state), whole(&world.store.shared.engine().state));
}

#[tokio::test]
async fn after_a_failed_sync_the_outcome_is_unknown_and_nothing_more_is_written_or_read() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(3).await;
    let groups = journal.numbers();
    let mut failed = Box::pin(world.store.failed());
    assert!(poll(&mut failed).is_pending());

    in_flight!(
        journal,
        removal = world.remove(&room, "u0"),
        on_top = world.remove(&room, "u1"),
        read = world.store.room(&room)
    );
    journal.release(Some(Left::Unknown));
    assert_eq!(kind(removal.await), StorageErrorKind::OutcomeUnknown);
    assert_eq!(kind(on_top.await), StorageErrorKind::Unavailable, "nothing of it was written");
    assert_eq!(read.await.unwrap_err().kind(), StorageErrorKind::Unavailable);
    let why = failed.await;
    assert_eq!(world.store.health(), Health::Failed(why.clone()));
    assert!(why.contains("nobody knows what is on the disk") && !why.contains('/'), "{why}");

    assert_eq!(kind(world.remove(&room, "u2").await), StorageErrorKind::Unavailable);
    assert!(world.store.room(&room).await.is_err());
    assert!(world.store.events(&room, Seq(0), 9).await.is_err());
    assert!(world.store.maintain().is_err());
    assert_eq!(journal.numbers(), groups);
    world.store.close().await;
}

#[tokio::test]
async fn a_sync_that_fails_beside_the_writer_ends_the_store_too() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(1).await;
    let error = JournalError { left: Left::Unknown, doing: "a checkpoint", source: "told to fail".into() };
    world.store.shared.fail_beside_the_writer(&error);
    assert!(matches!(world.store.health(), Health::Failed(_)));
    assert_eq!(kind(world.remove(&room, "u0").await), StorageErrorKind::Unavailable);
    world.store.failed().await;
}

#[tokio::test]
async fn nothing_tells_of_a_write_before_it_is_durable() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(2).await;
    let mut idle = Box::pin(world.store.room(&room));
    assert!(matches!(poll(&mut idle), Poll::Ready(Ok(Some(_)))), "nothing is pending");

    in_flight!(
        journal,
        removal = world.remove(&room, "u0"),
        refusal = world.remove(&room, "u0"),
        read = world.store.room(&room),
        counters = world.store.counters(&room),
        log = world.store.events(&room, Seq(2), 9)
    );
    for _ in 0..10 {
        tokio::task::yield_now().await;
        assert!(poll(&mut removal).is_pending() && poll(&mut refusal).is_pending());
        assert!(poll(&mut read).is_pending() && poll(&mut counters).is_pending());
        assert!(poll(&mut log).is_pending());
    }
    journal.release(None);
    removal.await.unwrap();
    assert!(matches!(refusal.await, Err(Error::Rejected(_))));
    assert_eq!(read.await.unwrap().unwrap().members, 2);
    assert_eq!(counters.await.unwrap().unwrap().seq, Seq(3));
    assert_eq!(log.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_half() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(2).await;
    in_flight!(journal, removal = world.remove(&room, "u0"));
    drop(removal);
    journal.release(None);
    let refused = world.remove(&room, "u0").await;
    assert!(matches!(refused, Err(Error::Rejected(_))), "it was decided, so it was committed");
    assert_eq!(world.store.events(&room, Seq(2), 9).await.unwrap().len(), 1);
    assert!(matches!(poll(&mut Box::pin(world.store.counters(&room))), Poll::Ready(Ok(Some(_)))));
}
