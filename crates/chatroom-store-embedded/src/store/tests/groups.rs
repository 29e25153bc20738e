//! What goes into a group, and what waits.

use super::*;
use crate::codec::{Blob, DecodeError, Entry};

/// How many records each group wrote.
fn records(journal: &FaultyJournal) -> Vec<usize> {
    let mut journal = journal.clone();
    journal
        .numbers()
        .into_iter()
        .map(|number| {
            let (bytes, mut count) = (JournalReader::group(&mut journal, number).unwrap().unwrap(), 0);
            let each = |_: Entry| {
                count += 1;
                Ok::<(), DecodeError>(())
            };
            Blob::open(&bytes).unwrap().for_each(each).unwrap();
            count
        })
        .collect()
}

#[tokio::test]
async fn callers_that_wait_together_share_a_commit() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(50).await;
    let before = journal.numbers().len();
    let _held = journal.hold();
    let names: Vec<String> = (0..50).map(|n| format!("u{n}")).collect();
    let mut removals: Vec<_> = names.iter().map(|name| Box::pin(world.remove(&room, name))).collect();
    for removal in &mut removals {
        assert!(poll(removal).is_pending());
        journal.wait_for(before + 1).await;
    }
    journal.release(None);
    for removal in removals {
        removal.await.unwrap();
    }
    assert_eq!(journal.numbers().len(), before + 2);
    assert_eq!(records(&journal)[before..], [2, 98]);
}

#[tokio::test]
async fn no_group_has_more_than_2000_records_but_that_of_one_large_room() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(3_000).await;
    let names: Vec<String> = (0..3_000).map(|n| format!("u{n}")).collect();
    let _held = journal.hold();
    let parts = names[..2_500].chunks(100);
    let mut removals: Vec<_> = parts
        .map(|part| Box::pin(world.rooms.remove_members(world.app, room.id, part.iter().map(String::as_str))))
        .collect();
    for removal in &mut removals {
        assert!(poll(removal).is_pending());
    }
    let mut large = Box::pin(world.room(&names));
    let mut behind = Box::pin(world.remove(&room, "u2999"));
    assert!(poll(&mut large).is_pending() && poll(&mut behind).is_pending());
    journal.release(None);
    for removal in removals {
        removal.await.unwrap();
    }
    large.await;
    behind.await.unwrap();
    let records = records(&journal);
    // The room and its owner's seat, 3,000 seats and four events; once at the beginning, once here.
    let large = records.iter().filter(|records| **records > 2_000).collect::<Vec<_>>();
    assert_eq!(large, [&3_006, &3_006]);
    assert!(records.iter().filter(|records| **records <= 2_000).any(|records| *records > 900));
}

#[tokio::test]
async fn no_group_has_read_more_than_2000_records() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let names: Vec<String> = (0..99).map(|n| format!("stranger{n}")).collect();
    world.register(&names).await;
    let room = world.room_of(30).await;
    let members: Vec<String> = (0..30).map(|n| format!("u{n}")).collect();
    let before = journal.numbers().len();
    let _held = journal.hold();
    // Each reads a room, 100 users and 100 memberships, and writes two records.
    let batch = |member| std::iter::once(member).chain(&names).map(String::as_str);
    let calls = members.iter().map(|member| world.rooms.remove_members(world.app, room.id, batch(member)));
    let mut removals: Vec<_> = calls.map(Box::pin).collect();
    for removal in &mut removals {
        assert!(poll(removal).is_pending());
        journal.wait_for(before + 1).await;
    }
    journal.release(None);
    for removal in removals {
        removal.await.unwrap();
    }
    assert_eq!(records(&journal)[before..], [2, 2 * 9, 2 * 9, 2 * 9, 2 * 2]);
}

#[tokio::test]
async fn who_finds_the_queue_full_is_told_at_once_and_who_waits_gets_its_turn() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |options| options.queue = 2).await;
    let room = world.room_of(2_500).await;
    let names: Vec<String> = (0..2_500).map(|n| format!("u{n}")).collect();
    let before = journal.begun();
    let _held = journal.hold();
    let mut first = Box::pin(world.remove(&room, "u0"));
    assert!(poll(&mut first).is_pending());
    journal.wait_for(before + 1).await;
    let mut large = Box::pin(world.room(&names));
    assert!(poll(&mut large).is_pending());
    let mut waiting = [Box::pin(world.remove(&room, "u1")), Box::pin(world.remove(&room, "u2"))];
    for waiting in &mut waiting {
        assert!(poll(waiting).is_pending());
    }
    let refused = world.remove(&room, "u3").await.unwrap_err();
    assert!(matches!(refused, Error::Storage(e) if e.kind() == StorageErrorKind::Overloaded));
    let [gone, stays] = waiting;
    drop(gone);
    journal.release(None);
    first.await.unwrap();
    large.await;
    stays.await.unwrap();
    assert!(world.remove(&room, "u1").await.is_ok(), "nobody waited for it, so it was never decided");
}

#[tokio::test]
async fn operations_that_were_taken_are_committed_before_a_store_is_closed() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(2).await;
    let before = journal.begun();
    let _held = journal.hold();
    let mut first = Box::pin(world.remove(&room, "u0"));
    assert!(poll(&mut first).is_pending());
    journal.wait_for(before + 1).await;
    let mut second = Box::pin(world.remove(&room, "u1"));
    assert!(poll(&mut second).is_pending());
    let mut closing = Box::pin(world.store.close());
    assert!(poll(&mut closing).is_pending());
    journal.release(None);
    closing.await;
    first.await.unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn a_store_can_be_dropped_when_who_was_to_wake_the_writer_is_not_run_again() {
    let world = World::new().await;
    while !world.store.shared.engine().writer_asleep {
        std::thread::yield_now();
    }
    let user = NewUser { name: "u".parse().unwrap(), nickname: None };
    let mut call = Box::pin(world.rooms.register_users(world.app, vec![user]));
    assert!(poll(&mut call).is_pending());
    drop(call);
    // It joins the writer, on the only thread of the runtime.
    drop(world);
}
