//! Everything moves from one store to the other and back.

mod source;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chatroom_core::test_util::ManualClock;
use chatroom_core::{
    CallbackLeases, CallbackOutbox, ChatroomRepository, Clock, ExportId, Import, ImportMark, ImportState,
    Lease, LeaseRequest, MembersRequest, Order, Picture, Portable, PortableKind, RoomKey, Seq, Span,
    Timestamp,
};
use chatroom_store_embedded as embedded;
use chatroom_store_postgres::{OpenError, Options, PostgresImport, PostgresPicture, PostgresStore};

use self::source::Source;
use crate::database::Database;
use crate::world::{APP, Node, names, run};

const EXPORT: ExportId = ExportId(0xE0);

/// Everything, in an order that does not depend on who tells it. What moves with the clock is left out.
async fn all(picture: &mut dyn Picture) -> Vec<Portable> {
    let mut all: Vec<(String, Portable)> = Vec::new();
    let mut kind = PortableKind::App;
    loop {
        let part = picture.next().await.expect("a part");
        if part.is_empty() {
            all.sort_by(|one, other| one.0.cmp(&other.0));
            return all.into_iter().map(|(_, portable)| portable).collect();
        }
        for mut portable in part {
            assert!(
                kind.min(PortableKind::Cursor) <= portable.kind(),
                "{:?} behind {kind:?}",
                portable.kind()
            );
            kind = portable.kind();
            if let Portable::Cursor(cursor) = &mut portable {
                (cursor.due, cursor.failing_for) = (Timestamp::default(), std::time::Duration::ZERO);
            }
            all.push((format!("{portable:?}"), portable));
        }
    }
}

/// Everything, in the order in which it is told.
async fn told(picture: &mut dyn Picture) -> Vec<Portable> {
    let mut told = Vec::new();
    loop {
        let part = picture.next().await.expect("a part");
        if part.is_empty() {
            return told;
        }
        told.extend(part);
    }
}

/// Takes these in parts of this size, from where the store is.
async fn take(import: &mut dyn Import, all: &[Portable], size: usize) -> usize {
    let mut taken = import.state().await.expect("a state").go_on(EXPORT).expect("a store for it");
    let rest = &all[usize::try_from(taken).expect("a number")..];
    for part in rest.chunks(size) {
        taken += part.len() as u64;
        let mark = ImportMark { export: EXPORT, taken };
        import.take(part.to_vec(), mark).await.expect("a part that is taken");
    }
    rest.len()
}

async fn import(database: &Database, clock: Arc<ManualClock>) -> PostgresImport {
    PostgresImport::open(Options::new(database.url("import")), clock).await.expect("an import")
}

async fn picture(database: &Database, now: Timestamp) -> PostgresPicture {
    PostgresPicture::open(&Options::new(database.url("picture")), now).await.expect("a picture")
}

fn same(one: &[Portable], other: &[Portable]) {
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
}

#[test]
fn everything_moves_from_an_embedded_store_and_back() {
    run(async {
        let (source, database) = (Source::new().await, Database::new());
        let before = all(&mut source.picture()).await;
        for kind in PortableKind::ALL {
            assert!(
                before.iter().any(|portable| portable.kind() == kind),
                "nothing of kind {}",
                kind.as_str()
            );
        }
        let mut there = import(&database, source.clock.clone()).await;
        take(&mut there, &told(&mut source.picture()).await, 7).await;
        same(&all(&mut *there.picture().await.expect("a picture")).await, &before);
        there.finish().await.expect("the end of the import");
        let wrong = "SELECT count(*) FROM logs l WHERE oldest IS DISTINCT FROM \
                     (SELECT min(at) FROM events e WHERE e.app = l.app AND e.room = l.room)";
        assert_eq!(database.number(wrong).await, 0, "retention knows where the logs begin");
        let now = source.clock.now();
        same(&all(&mut picture(&database, now).await).await, &before);

        let options = embedded::Options::new(source.dir.path().join("back"));
        let mut back = embedded::EmbeddedImport::open(&options, source.clock.clone()).expect("a directory");
        take(&mut back, &told(&mut picture(&database, now).await).await, 1_000).await;
        same(&all(&mut *back.picture().await.expect("a picture")).await, &before);
        back.finish().await.expect("the end of the import");
    });
}

/// The rule, the room, the events and the failures of what is delivered next.
fn waits(leases: &[Lease]) -> BTreeSet<String> {
    let wait = |lease: &Lease| {
        format!("{} {} {:?} {}", lease.rule.name.as_str(), lease.id.room.id, lease.events, lease.failures)
    };
    leases.iter().map(wait).collect()
}

#[test]
fn a_node_goes_on_where_the_embedded_store_stood() {
    run(async {
        let (source, database) = (Source::new().await, Database::new());
        let mut there = import(&database, source.clock.clone()).await;
        take(&mut there, &told(&mut source.picture()).await, 1_000).await;
        there.finish().await.expect("the end of the import");
        source.clock.advance(61_000);
        let before = source.open();
        let options = Options::new(database.url("node"));
        let node = PostgresStore::open(options, source.clock.clone()).await.expect("a store that opens");
        let node = Node::around(Arc::new(node), source.clock.clone());

        let ask = LeaseRequest { leases: 8, events: 99 };
        let expected = waits(&before.lease(ask).await.expect("leases").leases);
        assert!(expected.len() > 2, "{expected:?}");
        assert_eq!(waits(&node.store.lease(ask).await.expect("leases").leases), expected);
        let request = MembersRequest { from: chatroom_core::From::Start, limit: 99, order: Order::Ascending };
        for room in &source.rooms {
            let key = RoomKey { app: APP, id: *room };
            let members = before.members(&key, request).await;
            let here = node.store.members(&key, request).await;
            assert_eq!(here.expect("a page"), members.expect("a page"));
        }
    });
}

#[test]
fn an_import_that_was_interrupted_goes_on_and_no_node_serves_it() {
    run(async {
        let (source, database) = (Source::new().await, Database::new());
        let all_of_it = told(&mut source.picture()).await;
        let (options, half) = (Options::new(database.url("node")), all_of_it.len() / 2);
        let mut first = import(&database, source.clock.clone()).await;
        assert_eq!(first.state().await.expect("a state"), ImportState::Empty);
        first.take(Vec::new(), ImportMark { export: EXPORT, taken: 0 }).await.expect("a mark");
        take(&mut first, &all_of_it[..half], 9).await;
        let open = || PostgresStore::open(options.clone(), source.clock.clone());
        assert!(matches!(open().await.err(), Some(OpenError::Unfinished)));
        let refused = PostgresPicture::open(&options, source.clock.now()).await;
        assert!(matches!(refused.err(), Some(OpenError::Unfinished)));

        let mut second = import(&database, source.clock.clone()).await;
        assert_eq!(take(&mut second, &all_of_it, 9).await, all_of_it.len() - half);
        let late = first.take(all_of_it[half..].to_vec(), ImportMark { export: EXPORT, taken: half as u64 });
        assert!(late.await.is_err(), "another import went on");
        second.finish().await.expect("the end of the import");
        assert_eq!(second.state().await.expect("a state"), ImportState::Filled);
        same(
            &all(&mut picture(&database, source.clock.now()).await).await,
            &all(&mut source.picture()).await,
        );
        open().await.expect("a store that opens");
    });
}

#[test]
fn time_goes_on_behind_the_events_that_were_imported_when_the_clock_went_back() {
    run(async {
        let (source, database) = (Source::new().await, Database::new());
        let all_of_it = told(&mut source.picture()).await;
        source.clock.advance(-10_000);
        let mut there = import(&database, source.clock.clone()).await;
        take(&mut there, &all_of_it, 9).await;
        there.finish().await.expect("the end of the import");
        let options = Options::new(database.url("node"));
        let node = PostgresStore::open(options, source.clock.clone()).await.expect("a store that opens");
        let node = Node::around(Arc::new(node), source.clock.clone());
        node.remove(source.rooms[1], "u0").await.expect("a removal");
        let events = node.store.events(&source.key(1), Seq(0), 99).await.expect("events");
        let last = events.last().expect("an event");
        assert!(last.at > source.clock.now(), "{last:?}");
        assert!(events.is_sorted_by_key(|event| event.at) && events.is_sorted_by_key(|event| event.seq));
    });
}

#[test]
fn a_node_that_runs_beside_an_import_learns_of_it_when_it_is_finished() {
    run(async {
        let (source, database) = (Source::new().await, Database::new());
        let options = Options::new(database.url("node"));
        let node = PostgresStore::open(options, source.clock.clone()).await.expect("a store that opens");
        let before = node.registry_changed(0).await;
        let mut there = import(&database, source.clock.clone()).await;
        take(&mut there, &told(&mut source.picture()).await, 1_000).await;
        let ask = LeaseRequest { leases: 8, events: 99 };
        assert_eq!(node.lease(ask).await.expect("leases").leases.len(), 0, "it delivers nothing of it");
        assert_eq!(database.number("SELECT version FROM registry").await, before);
        there.finish().await.expect("the end of the import");
        assert!(node.registry_changed(before).await > before);
    });
}

#[test]
fn a_database_that_nodes_filled_takes_no_import() {
    run(async {
        let database = Database::new();
        let mut import = import(&database, Arc::default()).await;
        assert_eq!(import.state().await.expect("a state"), ImportState::Empty);
        Node::of(&database, "node").await.make_app().await;
        assert_eq!(import.state().await.expect("a state"), ImportState::Filled);
        let mark = ImportMark { export: EXPORT, taken: 0 };
        assert!(import.take(Vec::new(), mark).await.is_err(), "it is not empty any more");
    });
}

#[test]
fn a_picture_beside_nodes_that_remove_members_is_of_one_moment() {
    run(async {
        let database = Database::new();
        let one = Node::of(&database, "one").await;
        one.make_app().await;
        let two = Node::of(&database, "two").await;
        let members = names("u", 600);
        let room = one.room("owner", &members).await;
        let done = Arc::new(AtomicBool::new(false));
        let removers: Vec<_> = [one.clone(), two]
            .into_iter()
            .zip(members.chunks(300).map(<[String]>::to_vec))
            .map(|(node, names)| {
                tokio::spawn(async move {
                    for name in names {
                        node.remove(room, &name).await.expect("a removal");
                    }
                })
            })
            .collect();
        let watched = done.clone();
        let watch = tokio::spawn(async move {
            for remover in removers {
                remover.await.expect("a remover");
            }
            watched.store(true, Ordering::SeqCst);
        });
        let mut sizes = BTreeSet::new();
        while !done.load(Ordering::SeqCst) {
            let told = told(&mut picture(&database, one.clock.now()).await).await;
            let (mut records, mut end, mut last) = (0, None, None);
            for portable in &told {
                match portable {
                    Portable::Membership(_) => records += 1,
                    Portable::Room(_, counters) => end = Some((counters.seq, counters.members)),
                    Portable::Event(event) => last = Some((event.seq, event.members)),
                    _ => {}
                }
            }
            assert_eq!((end, end.map(|(_, members)| members)), (last, Some(records)));
            sizes.insert(records);
        }
        watch.await.expect("removers that end");
        assert!(sizes.len() > 1, "{sizes:?}");
    });
}

#[test]
fn what_is_to_be_told_again_is_in_a_picture_also_before_a_node_noted_it() {
    run(async {
        let (source, database) = (Source::new().await, Database::new());
        let mut there = import(&database, source.clock.clone()).await;
        take(&mut there, &told(&mut source.picture()).await, 1_000).await;
        there.finish().await.expect("the end of the import");
        let run = format!(
            "INSERT INTO replays (app, rule, id, rooms, firsts, lasts) \
             SELECT app, id, gen_random_uuid(), ARRAY[{}], ARRAY[1], ARRAY[1] FROM rules WHERE name = 'all'",
            source.rooms[2]
        );
        database.execute(&run).await;
        let told = told(&mut picture(&database, source.clock.now()).await).await;
        let again = told.iter().any(|portable| match portable {
            Portable::Cursor(cursor) => cursor.room == source.key(2) && cursor.again == [Span::one(Seq(1))],
            _ => false,
        });
        assert!(again);
    });
}
