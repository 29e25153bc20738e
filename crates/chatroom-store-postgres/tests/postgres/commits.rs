//! What callers are told when the way to the database is cut.

use std::time::{Duration, Instant};

use chatroom_core::test_util::name;
use chatroom_core::{ChatroomRepository, Error, Rejection, StorageErrorKind};
use chatroom_store_postgres::{Health, Options};

use crate::database::Database;
use crate::proxy::{Proxy, Then, Way};
use crate::world::{APP, Node, run};

/// A node whose only way to the database can be cut.
pub(crate) async fn cut_off(patience: Duration) -> (Database, Proxy, Node) {
    let database = Database::new();
    let proxy = Proxy::to(database.cluster()).await;
    let mut options = Options::new(database.url_by(proxy.url(), "cut"));
    options.patience = patience;
    // One group at a time, so that it is known whose commit is next.
    options.writers = 1;
    let node = Node::open(options).await;
    node.make_app().await;
    (database, proxy, node)
}

fn kind(error: &Error) -> Option<StorageErrorKind> {
    match error {
        Error::Storage(error) => Some(error.kind()),
        Error::Invalid(_) | Error::Rejected(_) => None,
    }
}

pub(crate) const PATIENT: Duration = Duration::from_millis(4_500);

#[test]
fn a_removal_whose_answer_is_lost_is_found_and_answered() {
    run(async {
        let (_database, proxy, node) = cut_off(PATIENT).await;
        let room = node.room("owner", &["a", "b"]).await;
        proxy.set(Way::LoseAnswer(Then::Open));
        let removed = node.remove(room, "a").await.expect("the truth: it was removed");
        assert!(removed.removals.iter().all(|removal| removal.removed));
        assert_eq!(node.members(room).await, ["b"]);
        let again = node.remove(room, "a").await.expect_err("it is no member");
        assert!(matches!(again, Error::Rejected(Rejection::NotMembers(_))), "{again:?}");
    });
}

#[test]
fn a_registration_whose_answer_is_lost_is_found_and_answered() {
    run(async {
        let (_database, proxy, node) = cut_off(PATIENT).await;
        proxy.set(Way::LoseAnswer(Then::Open));
        node.users(&["a"]).await.expect("the truth: it was registered");
        assert!(node.store.user(APP, &name("a")).await.expect("an answer").is_some());
    });
}

#[test]
fn a_new_room_whose_answer_is_lost_is_found_and_answered() {
    run(async {
        let (_database, proxy, node) = cut_off(PATIENT).await;
        node.users(&["owner", "a"]).await.expect("users");
        proxy.set(Way::LoseAnswer(Then::Open));
        let room = node.room("owner", &["a"]).await;
        assert_eq!(node.members(room).await, ["a"]);
        assert_eq!(node.store.rooms(APP, None, 0, 9).await.expect("rooms").len(), 1);
    });
}

#[test]
fn a_removal_whose_commit_did_not_arrive_was_not_made_and_says_so() {
    run(async {
        let (_database, proxy, node) = cut_off(PATIENT).await;
        let room = node.room("owner", &["a", "b"]).await;
        proxy.set(Way::LoseCommit);
        let error = node.remove(room, "a").await.expect_err("nothing was done");
        assert_eq!(kind(&error), Some(StorageErrorKind::Unavailable), "{error}");
        assert_eq!(node.members(room).await, ["a", "b"]);
        node.remove(room, "a").await.expect("the way is open again");
    });
}

#[test]
fn a_removal_of_which_nothing_can_be_found_out_is_unknown_and_soon() {
    run(async {
        let (_database, proxy, node) = cut_off(Duration::from_millis(800)).await;
        let room = node.room("owner", &["a", "b"]).await;
        proxy.set(Way::LoseAnswer(Then::Closed));
        let asked = Instant::now();
        let error = node.remove(room, "a").await.expect_err("nobody knows");
        assert_eq!(kind(&error), Some(StorageErrorKind::OutcomeUnknown), "{error}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        proxy.set(Way::Open);
        assert_eq!(node.members(room).await, ["b"], "it had been made");
    });
}

#[test]
fn while_the_database_is_away_nothing_is_done_and_callers_are_told_in_time() {
    run(async {
        let (database, proxy, node) = cut_off(Duration::from_millis(800)).await;
        let room = node.room("owner", &["a", "b"]).await;
        for way in [Way::Closed, Way::Silent] {
            proxy.set(way);
            database.end_sessions("cut").await;
            let asked = Instant::now();
            let error = node.remove(room, "a").await.expect_err("nothing was done");
            assert_eq!(kind(&error), Some(StorageErrorKind::Unavailable), "{way:?}: {error}");
            let error = node.store.user(APP, &name("a")).await.expect_err("nothing can be read");
            assert_eq!(error.kind(), StorageErrorKind::Unavailable, "{way:?}: {error}");
            assert!(asked.elapsed() < Duration::from_secs(5), "{way:?}: {:?}", asked.elapsed());
        }
        while node.store.health() == Health::Ready {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy.set(Way::Open);
        while node.store.health() != Health::Ready {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(node.members(room).await, ["a", "b"]);
        node.remove(room, "a").await.expect("the way is open again");
    });
}
