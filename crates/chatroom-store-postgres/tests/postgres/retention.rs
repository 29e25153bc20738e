//! How many events are kept.

use std::time::{Duration, Instant};

use chatroom_core::{CallbackOutbox as _, Seq};
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
        let kept = async || node.store.events(&key(room), Seq(0), 1_000).await.expect("a log");
        assert_eq!(kept().await.len(), 102, "nothing goes unasked");
        let began = Instant::now();
        while kept().await.len() == 102 {
            assert!(began.elapsed() < Duration::from_secs(20), "nothing goes");
            database.execute("ANALYZE events").await;
            node.store.maintain().await.expect("retention");
        }
        let left: Vec<u64> = kept().await.iter().map(|event| event.seq.0).collect();
        assert_eq!(left.last(), Some(&102), "the newest stays");
        assert!((20..=80).contains(&left.len()), "{} of 102 are left, of two pages one", left.len());
    });
}
