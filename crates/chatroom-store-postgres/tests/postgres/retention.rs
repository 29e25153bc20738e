//! How many events are kept.

use std::time::{Duration, Instant};

use chatroom_core::{CallbackOutbox as _, ChatroomId, Seq};
use chatroom_store_postgres::Options;

use crate::database::Database;
use crate::world::{Node, key, names, run};

#[test]
fn of_more_events_than_there_is_room_for_the_newest_are_kept() {
    run(async {
        let database = Database::new();
        let mut options = Options::new(database.url("node"));
        // One page of the table; the events fill two.
        options.keep_bytes = 8_192;
        let node = Node::open(options).await;
        node.make_app().await;
        let members = names("member_with_a_name_of_some_length_", 100);
        let room = node.room("owner", &members).await;
        for member in &members {
            node.remove(room, member).await.expect("a removal");
            node.clock.advance(1_000);
        }
        let left = async || node.store.events(&key(room), Seq(0), 1_000).await.expect("a log");
        assert_eq!(left().await.len(), 102, "nothing goes unasked");
        let began = Instant::now();
        while left().await.len() == 102 {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing goes");
            database.execute("ANALYZE events").await;
            node.store.maintain().await.expect("retention");
        }
        let kept: Vec<u64> = left().await.iter().map(|event| event.seq.0).collect();
        assert_eq!(kept.last(), Some(&102), "the newest stays");
        assert!((20..=80).contains(&kept.len()), "{} of 102 are left, of two pages one", kept.len());
        for _ in 0..4 {
            // The file stays as large as it was, and says nothing of what is free in it.
            database.execute("VACUUM ANALYZE events").await;
            node.store.maintain().await.expect("retention");
        }
        let still = left().await.len();
        assert!(still * 10 >= kept.len() * 8, "of {} that fit, {still} are left", kept.len());
    });
}

/// A node that keeps events for 100 seconds.
async fn forgetful(database: &Database) -> Node {
    let mut options = Options::new(database.url("node"));
    options.keep = Duration::from_secs(100);
    Node::open(options).await
}

/// How many events of these rooms are kept, in all.
async fn kept(node: &Node, rooms: &[ChatroomId]) -> usize {
    let mut kept = 0;
    for room in rooms {
        kept += node.store.events(&key(*room), Seq(0), 1_000).await.expect("a log").len();
    }
    kept
}

#[test]
fn events_that_are_too_old_go_from_every_room_and_again_from_one_that_was_empty_meanwhile() {
    run(async {
        let database = Database::new();
        let node = forgetful(&database).await;
        node.make_app().await;
        // More than are cut in one commit; of each, a creation and its members.
        let mut rooms = Vec::new();
        for _ in 0..60 {
            rooms.push(node.room("owner", &["a", "b"]).await);
        }
        let first = kept(&node, &rooms).await;
        node.clock.advance(60_000);
        for room in &rooms[..3] {
            node.remove(*room, "a").await.expect("a removal");
        }
        node.clock.advance(60_000);
        node.store.maintain().await.expect("retention");
        assert_eq!((first >= 60, kept(&node, &rooms).await), (true, 3), "what is young enough stays");
        node.clock.advance(60_000);
        node.store.maintain().await.expect("retention");
        assert_eq!(kept(&node, &rooms).await, 0);
        node.remove(rooms[0], "b").await.expect("a removal");
        node.store.maintain().await.expect("retention");
        assert_eq!(kept(&node, &rooms).await, 1);
        node.clock.advance(120_000);
        node.store.maintain().await.expect("retention");
        assert_eq!(kept(&node, &rooms).await, 0);
    });
}

#[test]
fn a_database_of_the_version_before_learns_where_its_logs_begin() {
    run(async {
        let database = Database::new();
        let node = forgetful(&database).await;
        node.make_app().await;
        let room = node.room("owner", &["a"]).await;
        let events = kept(&node, &[room]).await;
        let as_before = "ALTER TABLE logs DROP COLUMN oldest; CREATE INDEX ix_events_at ON events (app, at); \
                         DELETE FROM schema_versions WHERE version >= 4";
        database.execute(as_before).await;
        let migrated = forgetful(&database).await;
        assert_eq!(kept(&migrated, &[room]).await, events);
        migrated.clock.advance(120_000);
        migrated.store.maintain().await.expect("retention");
        assert_eq!(kept(&migrated, &[room]).await, 0);
    });
}
