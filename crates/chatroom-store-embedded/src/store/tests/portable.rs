//! What a directory holds, told beside the store that holds it, and taken into another.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chatroom_core::{
    CallbackLeases, DeleteUser, Deliveries, DeliveryFailure, DissolveRoom, EventKind, ExportId, Import,
    ImportMark, ImportState, LeaseRequest, MembersRequest, Order, Picture, Portable, PortableKind, Progress,
    RuleChange, RuleSecret, Settlement, Span, UserId,
};

use super::*;
use crate::{EmbeddedImport, EmbeddedPicture};

const DAY: i64 = 86_400_000;
const EXPORT: ExportId = ExportId(0xE0);

async fn all(picture: &mut dyn Picture) -> Vec<Portable> {
    let mut all = Vec::new();
    loop {
        let part = picture.next().await.unwrap();
        if part.is_empty() {
            return all;
        }
        all.extend(part);
    }
}

impl World {
    async fn picture(&self) -> Vec<Portable> {
        all(&mut EmbeddedPicture::open(&self.options.dir, self.clock.now()).unwrap()).await
    }

    /// Something of every kind: users and rooms that are gone and ones that are going, a log whose beginning was
    /// trimmed and one that was trimmed altogether, deliveries that wait, failed, were given up and are told again.
    async fn fill(&self) {
        let old = self.room_of(3).await;
        let going = self.room(&["u0".into(), "u2".into()]).await;
        let gone = self.room(&["u1".into()]).await;
        self.operate(Action::DissolveRoom(DissolveRoom { room: gone.id })).await.unwrap();
        self.rooms.sweep(9).await.unwrap();
        self.clock.advance(5 * DAY);
        self.remove(&old, "u0").await.unwrap();
        self.clock.advance(5 * DAY);
        self.store.maintain().unwrap();
        self.rule("all").await;
        let rule = self.rule("rotated").await;
        let rotate = RuleChange::RotateSecret("rotated".parse().unwrap(), RuleSecret::new("newer"));
        self.change_rule(rotate).await.unwrap();
        for name in ["u0", "u1"] {
            self.add(&old, name).await.unwrap();
            self.remove(&old, name).await.unwrap();
        }
        let told = self.room(&["u1".into(), "u0".into()]).await;
        self.remove(&told, "u0").await.unwrap();
        self.settle_all().await;
        let run = Span { first: Seq(1), last: Seq(2) };
        assert_eq!(self.store.replay(rule, vec![(told, run)]).await.unwrap(), 2);
        self.operate(Action::DissolveRoom(DissolveRoom { room: going.id })).await.unwrap();
        self.register(&["u9".to_owned()]).await;
        self.add(&told, "u9").await.unwrap();
        let name = "u9".parse().unwrap();
        self.operate(Action::DeleteUser(DeleteUser { name })).await.unwrap();
    }

    /// Of each room that waits: one event delivered, one given up, one that failed.
    async fn settle_all(&self) {
        for step in 0..3 {
            let leased = self.store.lease(LeaseRequest { leases: 8, events: 1 }).await.unwrap();
            let done = leased.leases.iter().map(|lease| {
                let (seq, why) = (lease.events[0].seq, DeliveryFailure::new("it said no"));
                let (through, taken, then) = match step {
                    0 => (Some(seq), 1, Progress::Go),
                    1 => (None, 0, Progress::Bury { seq, why }),
                    _ => (None, 0, Progress::Retry { at: self.clock.now().plus_millis(60_000), why }),
                };
                Settlement { lease: lease.id, through, taken, then }
            });
            self.store.settle(done.collect()).await.unwrap();
        }
        self.store.maintain().unwrap();
    }

    /// An import that may begin, in a directory beside the world's.
    fn import(&self) -> (EmbeddedImport, Options) {
        let options = Options { dir: self.options.dir.with_file_name("imported"), ..self.options.clone() };
        (EmbeddedImport::open(&options, self.clock.clone()).unwrap(), options)
    }
}

/// Takes the rest of an export in parts of this size, and answers how many there were.
async fn take(import: &mut EmbeddedImport, all: &[Portable], size: usize) -> usize {
    let mut taken = import.state().await.unwrap().go_on(EXPORT).unwrap();
    let rest = &all[usize::try_from(taken).unwrap()..];
    for part in rest.chunks(size) {
        taken += part.len() as u64;
        import.take(part.to_vec(), ImportMark { export: EXPORT, taken }).await.unwrap();
    }
    rest.len()
}

fn count(all: &[Portable], kind: PortableKind) -> usize {
    all.iter().filter(|portable| portable.kind() == kind).count()
}

#[tokio::test]
async fn what_one_store_tells_another_takes_and_tells_again() {
    let world = World::new().await;
    world.fill().await;
    // What is not written yet of deliveries is not in the picture.
    world.store.close().await;
    let told = world.picture().await;
    for kind in PortableKind::ALL {
        assert!(count(&told, kind) > 0, "nothing of kind {}", kind.as_str());
    }
    assert!(told.is_sorted_by_key(|portable| portable.kind().min(PortableKind::Cursor)));

    let (mut import, options) = world.import();
    assert_eq!(import.state().await.unwrap(), ImportState::Empty);
    take(&mut import, &told, 7).await;
    assert_eq!(all(&mut *import.picture().await.unwrap()).await, told);
    import.finish().await.unwrap();
    drop(import);

    let before = world.reopen().await;
    let store = EmbeddedStore::open(&options, before.clock.clone()).unwrap();
    assert_eq!(whole(&store.shared.engine().state), whole(&before.store.shared.engine().state));
    let request = MembersRequest { from: chatroom_core::From::Start, limit: 99, order: Order::Ascending };
    for room in before.store.streams(before.app, None, 99).await.unwrap() {
        let room = RoomKey { app: before.app, id: room.0 };
        let kept = before.store.events(&room, Seq(0), 99).await.unwrap();
        assert_eq!(store.events(&room, Seq(0), 99).await.unwrap(), kept);
        assert_eq!(store.counters(&room).await.unwrap(), before.store.counters(&room).await.unwrap());
        let members = before.store.members(&room, request).await.unwrap();
        assert_eq!(store.members(&room, request).await.unwrap(), members);
    }
    before.clock.advance(61_000);
    let leased = before.store.lease(LeaseRequest { leases: 8, events: 99 }).await.unwrap().leases;
    assert!(leased.len() > 3);
    let wait = |lease: &chatroom_core::Lease| {
        format!("{:?} {:?} {} {:?}", lease.rule.name, lease.events, lease.failures, lease.failing_for)
    };
    let waits = |leases: &[chatroom_core::Lease]| leases.iter().map(wait).collect::<BTreeSet<_>>();
    let mine = store.lease(LeaseRequest { leases: 8, events: 99 }).await.unwrap().leases;
    assert_eq!(waits(&mine), waits(&leased));
}

#[tokio::test]
async fn an_import_that_was_interrupted_goes_on_and_is_not_opened_before_it_is_finished() {
    let world = World::new().await;
    world.fill().await;
    world.store.close().await;
    let told = world.picture().await;
    let (mut import, options) = world.import();
    import.take(Vec::new(), ImportMark { export: EXPORT, taken: 0 }).await.unwrap();
    drop(import);
    let open = || EmbeddedStore::open(&options, world.clock.clone()).err();
    assert!(matches!(open(), Some(OpenError::Unfinished { .. })));

    let (mut import, _) = world.import();
    let half = told.len() / 2;
    take(&mut import, &told[..half], 5).await;
    drop(import);
    assert!(matches!(open(), Some(OpenError::Unfinished { .. })));
    let picture = EmbeddedPicture::open(&options.dir, world.clock.now());
    assert!(matches!(picture.err(), Some(OpenError::Unfinished { .. })));

    let (mut import, _) = world.import();
    let mark = ImportMark { export: EXPORT, taken: half as u64 };
    assert_eq!(import.state().await.unwrap(), ImportState::Unfinished(mark));
    assert_eq!(take(&mut import, &told, 5).await, told.len() - half);
    assert_eq!(all(&mut *import.picture().await.unwrap()).await, told);
    import.finish().await.unwrap();
    assert_eq!(import.state().await.unwrap(), ImportState::Filled);
    drop(import);
    assert!(open().is_none());
}

#[tokio::test]
async fn time_goes_on_behind_the_events_that_were_imported_when_the_clock_went_back() {
    let world = World::new().await;
    let room = world.room_of(2).await;
    world.store.close().await;
    let told = world.picture().await;
    world.clock.advance(-10_000);
    let (mut import, options) = world.import();
    take(&mut import, &told, 1_000).await;
    import.finish().await.unwrap();
    drop(import);
    let store = Arc::new(EmbeddedStore::open(&options, world.clock.clone()).unwrap());
    let rooms = Chatrooms::new(store.clone(), world.ids.clone(), Limits::default());
    rooms.remove_members(world.app, room.id, ["u0"]).await.unwrap();
    let events = store.events(&room, Seq(0), 9).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.at), "{events:?}");
}

#[tokio::test]
async fn a_store_that_holds_something_is_told_apart_from_an_empty_one() {
    let world = World::new().await;
    let options = world.options.clone();
    world.store.close().await;
    let mut import = EmbeddedImport::open(&options, world.clock.clone()).unwrap();
    assert_eq!(import.state().await.unwrap(), ImportState::Filled);
    assert!(matches!(
        EmbeddedPicture::open(&options.dir.with_file_name("nowhere"), world.clock.now()).err(),
        Some(OpenError::Missing { .. })
    ));
}

/// Who is a member by the records, and by the log.
fn membership(told: &[Portable]) -> BTreeMap<RoomKey, (BTreeSet<String>, BTreeSet<String>)> {
    let mut names: BTreeMap<UserId, String> = BTreeMap::new();
    let mut rooms: BTreeMap<RoomKey, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    let mut ends = BTreeMap::new();
    for portable in told {
        match portable {
            Portable::User(user) => drop(names.insert(user.id, user.name.to_string())),
            Portable::Room(room, counters) => {
                ends.insert(room.key, *counters);
            }
            Portable::Membership(membership) => {
                let records = &mut rooms.entry(membership.room).or_default().0;
                records.insert(names[&membership.user].clone());
            }
            Portable::Event(event) => {
                let log = &mut rooms.entry(event.room).or_default().1;
                match &event.kind {
                    EventKind::Created { owner, .. } => log.extend([owner.to_string()]),
                    EventKind::Joined { members } => log.extend(members.iter().map(ToString::to_string)),
                    EventKind::Left { members, .. } => {
                        log.retain(|name| !members.iter().any(|m| m.as_str() == name));
                    }
                    _ => {}
                }
                let end = ends[&event.room];
                assert!(event.seq <= end.seq);
                assert!(event.seq < end.seq || event.members == end.members);
            }
            _ => {}
        }
    }
    rooms
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_that_is_taken_under_load_is_of_one_moment() {
    let world = Arc::new(World::with(|options| options.snapshot_bytes = 3_000).await);
    world.rule("all").await;
    let room = world.room_of(400).await;
    let load: Vec<_> = (0..8)
        .map(|task| {
            let world = world.clone();
            tokio::spawn(async move {
                for round in 0..50 {
                    let name = format!("u{}", task * 50 + round);
                    world.remove(&room, &name).await.unwrap();
                    let own = world.room(std::slice::from_ref(&name)).await;
                    if round % 3 == 0 {
                        world.remove(&own, &name).await.unwrap();
                    }
                }
            })
        })
        .collect();
    let (mut pictures, mut sizes) = (0, BTreeSet::new());
    while !load.iter().all(tokio::task::JoinHandle::is_finished) {
        let store = world.store.clone();
        tokio::task::spawn_blocking(move || store.maintain()).await.unwrap().unwrap();
        let told = world.picture().await;
        for (key, (records, log)) in membership(&told) {
            let differ: Vec<_> = records.symmetric_difference(&log).collect();
            assert!(differ.is_empty(), "the log of {key:?} tells otherwise of {differ:?}");
        }
        sizes.insert(told.len());
        pictures += 1;
    }
    for task in load {
        task.await.unwrap();
    }
    assert!(pictures > 1 && sizes.len() > 1, "{pictures} pictures of {sizes:?}");
}

#[tokio::test]
async fn a_picture_stands_still_while_the_store_goes_on_trims_and_replaces_its_snapshot() {
    let world = World::with(|options| options.snapshot_bytes = 1).await;
    let room = world.room_of(30).await;
    world.store.maintain().unwrap();
    let before = world.picture().await;
    let mut still = EmbeddedPicture::open(&world.options.dir, world.clock.now()).unwrap();
    for n in 0..30 {
        world.remove(&room, &format!("u{n}")).await.unwrap();
    }
    world.clock.advance(8 * DAY);
    world.store.maintain().unwrap();
    assert_eq!(world.store.events(&room, Seq(0), 99).await.unwrap(), []);
    assert_eq!(all(&mut still).await, before);
    assert_eq!(count(&world.picture().await, PortableKind::Event), 0);
    tokio::time::timeout(Duration::from_secs(30), world.store.close()).await.unwrap();
}
