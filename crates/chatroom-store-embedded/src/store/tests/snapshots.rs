//! Snapshots under load, and starts from them.

use std::path::Path;

use super::*;
use crate::journal::Groups;

fn snapshots(dir: &Path) -> Vec<u64> {
    let names =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_prefix("snapshot-")?.parse().ok()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_snapshots_that_were_taken_under_load_finds_everything() {
    let world = Arc::new(World::with(|options| options.snapshot_bytes = 1).await);
    let room = world.room_of(400).await;
    let load: Vec<_> = (0..8)
        .map(|task| {
            let world = world.clone();
            tokio::spawn(async move {
                let mut made = Vec::new();
                for round in 0..50 {
                    let name = format!("u{}", task * 50 + round);
                    world.remove(&room, &name).await.unwrap();
                    let own = world.room(std::slice::from_ref(&name)).await;
                    made.push(own);
                    if round % 3 == 0 {
                        world.add(&room, &name).await.unwrap();
                    }
                    if round % 4 == 0 {
                        let dissolve = chatroom_core::DissolveRoom { room: own.id };
                        world.operate(Action::DissolveRoom(dissolve)).await.unwrap();
                        world.rooms.sweep(1).await.unwrap();
                    }
                }
                made
            })
        })
        .collect();
    let mut rounds = 0;
    while !load.iter().all(tokio::task::JoinHandle::is_finished) {
        let world = world.clone();
        tokio::task::spawn_blocking(move || world.store.maintain()).await.unwrap().unwrap();
        rounds += 1;
    }
    let mut rooms = vec![room];
    for task in load {
        rooms.extend(task.await.unwrap());
    }
    let world = Arc::into_inner(world).unwrap();
    assert!(rounds > 1 && snapshots(&world.options.dir).len() == 1, "{rounds}");
    let (before, mut logs) = (world.whole(), Vec::new());
    for room in &rooms {
        logs.push(world.store.events(room, Seq(0), 10_000).await.unwrap());
    }
    let world = world.reopen().await;
    assert_eq!(world.whole(), before);
    for (room, log) in rooms.iter().zip(logs) {
        assert_eq!(world.store.events(room, Seq(0), 10_000).await.unwrap(), log);
    }
    assert!(
        world.store.shared.engine().uncovered < 100_000,
        "a start replays only what is behind the snapshot"
    );
}

#[tokio::test]
async fn a_snapshot_counts_when_all_that_it_shows_is_durable_and_not_when_some_was_taken_back() {
    let journal = FaultyJournal::default();
    let world = World::faulty(&journal, |_| {}).await;
    let room = world.room_of(2).await;
    let before = journal.begun();
    let _held = journal.hold();
    let mut removal = Box::pin(world.remove(&room, "u0"));
    assert!(poll(&mut removal).is_pending());
    journal.wait_for(before + 1).await;
    let shared = &world.store.shared;
    let shown = crate::snapshot::Shown::write(shared, &world.options.dir, [7; 16]).unwrap().unwrap();
    assert_eq!(shown.fate(&shared.engine()), None, "it shows what is not durable");
    journal.release(Some(Left::NothingFull));
    assert!(removal.await.is_err());
    assert_eq!(shown.fate(&shared.engine()), Some(Fate::Undone));

    let _held = journal.hold();
    let mut removal = Box::pin(world.remove(&room, "u0"));
    assert!(poll(&mut removal).is_pending());
    let shown = crate::snapshot::Shown::write(shared, &world.options.dir, [7; 16]).unwrap().unwrap();
    assert_eq!(shown.fate(&shared.engine()), None);
    journal.release(None);
    removal.await.unwrap();
    assert_eq!(shown.fate(&shared.engine()), Some(Fate::Durable));
}

#[tokio::test]
async fn what_was_answered_is_in_the_files_and_not_in_the_process() {
    let world = World::with(|options| options.snapshot_bytes = 2_000).await;
    let room = world.room_of(100).await;
    for n in 0..100 {
        world.remove(&room, &format!("u{n}")).await.unwrap();
        if n % 30 == 0 {
            world.store.maintain().unwrap();
        }
    }
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(&world.options.dir).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let mut options = world.options.clone();
    options.dir = copy.path().to_owned();
    let opened = EmbeddedStore::open(&options, world.clock.clone()).unwrap();
    assert_eq!(whole(&opened.shared.engine().state), whole(&world.store.shared.engine().state));
    let events = opened.events(&room, Seq(0), 1_000).await.unwrap();
    assert_eq!(events, world.store.events(&room, Seq(0), 1_000).await.unwrap());
    assert_eq!(events.len(), 102);
}

#[tokio::test]
async fn a_snapshot_that_was_opened_is_read_also_when_a_newer_one_took_its_place() {
    let world = World::with(|options| options.snapshot_bytes = 1).await;
    let room = world.room_of(20).await;
    world.store.maintain().unwrap();
    let dir = &world.options.dir;
    let opened = crate::snapshot::open_all(dir).unwrap();
    assert!(crate::snapshot::are_newest(&opened, dir).unwrap());
    let before = whole(&world.store.shared.engine().state);
    for n in 0..20 {
        world.remove(&room, &format!("u{n}")).await.unwrap();
    }
    world.store.maintain().unwrap();
    assert!(!crate::snapshot::are_newest(&opened, dir).unwrap());
    let store_id = crate::journal::FrozenJournal::open(&dir.join("journal.db")).unwrap().unwrap().store_id();
    let empty = || crate::contents::Contents::new(None, world.clock.now());
    let loaded = crate::snapshot::load_newest(opened, store_id, &empty, 0).unwrap().unwrap();
    assert_eq!(whole(&loaded.contents.state), before);
}
