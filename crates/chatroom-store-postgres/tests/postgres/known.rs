//! Removals by what a node knows, while other nodes change it.

use chatroom_core::test_util::name;
use chatroom_core::{
    AppChange, AppRegistry as _, CallbackOutbox as _, ChatroomId, Error, Ids as _, MembersRemoved, Rejection,
    Seq,
};
use chatroom_store_postgres::Options;

use crate::database::{Database, connect};
use crate::world::{APP, Node, TestIds, key, run};

/// A node that knows the room and its users, and another one.
struct Two {
    database: Database,
    knows: Node,
    other: Node,
    room: ChatroomId,
}

impl Two {
    async fn begin() -> Self {
        let database = Database::new();
        let mut options = Options::new(database.url("knows"));
        // Whatever waits is in one group.
        options.writers = 1;
        let knows = Node::open(options).await;
        knows.make_app().await;
        let room = knows.room("owner", &["a", "b", "c"]).await;
        let other = Node::of(&database, "other").await;
        let two = Self { database, knows, other, room };
        for user in ["a", "b", "c"] {
            two.remove(user).await.expect("a removal from which the node knows the user");
            two.add(&two.knows, user).await;
        }
        two
    }

    async fn remove(&self, user: &str) -> Result<MembersRemoved, Error> {
        self.knows.remove(self.room, user).await
    }

    async fn add(&self, node: &Node, user: &str) {
        node.chatrooms.add_members(APP, self.room, [user]).await.expect("an addition");
    }

    /// Removes somebody although nobody may read rooms or users.
    async fn removes_by_what_it_knows(&self, user: &str) {
        let beside = connect(&self.database.url("beside")).await;
        let lock = "BEGIN; LOCK TABLE rooms, users IN ACCESS EXCLUSIVE MODE";
        beside.batch_execute(lock).await.expect("locks");
        self.remove(user).await.expect("a removal");
        beside.batch_execute("COMMIT").await.expect("the locks' end");
    }

    /// Why the node that knows it refuses to remove `a`. It is not done either.
    async fn refuses(&self) -> Rejection {
        let log = async || self.other.store.events(&key(self.room), Seq(0), 100).await.expect("a log").len();
        let before = log().await;
        let refused = self.remove("a").await.expect_err("a refusal");
        assert_eq!(log().await, before, "nothing happened");
        let Error::Rejected(why) = refused else { panic!("{refused:?}") };
        why
    }
}

#[test]
fn a_removal_of_what_is_known_reads_neither_rooms_nor_users() {
    run(async {
        let two = Two::begin().await;
        two.removes_by_what_it_knows("a").await;
        assert_eq!(two.other.members(two.room).await, ["b", "c"]);
    });
}

#[test]
fn a_connection_that_is_lost_and_made_again_takes_nothing_of_what_is_known_along() {
    run(async {
        let two = Two::begin().await;
        let elsewhere = two.knows.room("owner", &["b"]).await;
        two.database.end_sessions("knows").await;
        two.knows.remove(elsewhere, "b").await.expect("a removal over a new connection");
        two.removes_by_what_it_knows("a").await;
    });
}

#[test]
fn a_refusal_of_one_leaves_what_is_known_of_the_others() {
    run(async {
        let two = Two::begin().await;
        two.other.remove(two.room, "a").await.expect("a removal");
        assert_eq!(two.refuses().await, Rejection::NotMembers(vec![name("a")]));
        two.remove("b")
            .await
            .expect("a removal that reads, because the one before relied on what was not so");
        two.removes_by_what_it_knows("c").await;
    });
}

#[test]
fn a_room_that_is_gone_is_known_no_more_and_the_next_refusal_reads_at_once() {
    run(async {
        let two = Two::begin().await;
        let stays = two.knows.room("owner", &["a", "b", "c"]).await;
        two.other.chatrooms.dissolve_room(APP, two.room).await.expect("an end");
        for _ in 0..2 {
            assert_eq!(two.refuses().await, Rejection::RoomNotFound(two.room.to_string().into()));
        }
        for user in ["a", "b", "c"] {
            two.knows.remove(stays, user).await.expect("a removal");
        }
    });
}

#[test]
fn who_is_refused_waits_for_nobody_who_holds_the_room() {
    run(async {
        let two = Two::begin().await;
        let beside = connect(&two.database.url("beside")).await;
        beside.batch_execute("BEGIN; SELECT FROM logs FOR UPDATE").await.expect("locks");
        let refused = two.remove("nobody").await.expect_err("a refusal");
        assert!(matches!(refused, Error::Rejected(Rejection::UserNotFound(_))), "{refused:?}");
    });
}

#[test]
fn the_sweep_of_somebody_else_is_in_nobodys_way() {
    run(async {
        let two = Two::begin().await;
        two.other.users(&["stranger"]).await.expect("a user");
        two.other.chatrooms.delete_user(APP, name("stranger")).await.expect("a deletion, not swept");
        two.removes_by_what_it_knows("a").await;
    });
}

#[test]
fn what_another_node_appended_to_a_log_stands_before_the_removal() {
    run(async {
        let two = Two::begin().await;
        two.other.remove(two.room, "b").await.expect("a removal");
        two.remove("a").await.expect("a removal");
        assert_eq!(two.other.members(two.room).await, ["c"]);
        let log = two.other.store.events(&key(two.room), Seq(0), 100).await.expect("a log");
        let seqs: Vec<u64> = log.iter().map(|event| event.seq.0).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "without a gap");
        assert_eq!(log.last().expect("an event").members, 2);
    });
}

#[test]
fn whom_another_node_removed_is_no_member() {
    run(async {
        let two = Two::begin().await;
        two.other.remove(two.room, "a").await.expect("a removal");
        assert_eq!(two.refuses().await, Rejection::NotMembers(vec![name("a")]));
    });
}

#[test]
fn who_is_no_member_is_told_apart_in_a_batch_of_users_that_are_known() {
    run(async {
        let two = Two::begin().await;
        two.remove("b").await.expect("a removal");
        let removed = two.knows.chatrooms.remove_members(APP, two.room, ["a", "b", "c"]).await;
        let removals = removed.expect("two removals").removals;
        assert_eq!(removals.iter().map(|one| one.removed).collect::<Vec<_>>(), [true, false, true]);
        assert_eq!(two.other.members(two.room).await, [""; 0]);
    });
}

#[test]
fn a_user_that_another_node_deleted_does_not_exist_although_it_was_not_swept() {
    run(async {
        let two = Two::begin().await;
        two.other.chatrooms.delete_user(APP, name("a")).await.expect("a deletion");
        assert_eq!(two.refuses().await, Rejection::UserNotFound("a".into()));
    });
}

#[test]
fn a_user_who_was_deleted_and_made_again_elsewhere_is_another_one() {
    run(async {
        let two = Two::begin().await;
        two.other.chatrooms.delete_user(APP, name("a")).await.expect("a deletion");
        while two.other.chatrooms.sweep(9).await.expect("a sweep") {}
        two.other.users(&["a"]).await.expect("a user");
        assert_eq!(two.refuses().await, Rejection::NotMembers(vec![name("a")]));
        two.add(&two.other, "a").await;
        two.remove("a").await.expect("a removal of the new one");
        assert_eq!(two.other.members(two.room).await, ["b", "c"]);
    });
}

#[test]
fn a_room_that_another_node_dissolved_does_not_exist() {
    run(async {
        let two = Two::begin().await;
        two.other.chatrooms.dissolve_room(APP, two.room).await.expect("an end");
        assert_eq!(two.refuses().await, Rejection::RoomNotFound(two.room.to_string().into()));
    });
}

#[test]
fn a_room_whose_owner_another_node_deleted_does_not_exist_although_it_was_not_swept() {
    run(async {
        let two = Two::begin().await;
        two.other.chatrooms.delete_user(APP, name("owner")).await.expect("a deletion");
        assert_eq!(two.refuses().await, Rejection::RoomNotFound(two.room.to_string().into()));
    });
}

#[test]
fn a_room_that_is_gone_is_looked_at_before_a_user_who_does_not_exist() {
    run(async {
        let two = Two::begin().await;
        two.other.chatrooms.dissolve_room(APP, two.room).await.expect("an end");
        let refused = two.remove("nobody").await.expect_err("a refusal");
        let why = Rejection::RoomNotFound(two.room.to_string().into());
        assert!(matches!(&refused, Error::Rejected(rejection) if *rejection == why), "{refused:?}");
    });
}

#[test]
fn an_app_that_another_node_deleted_answers_no_more() {
    run(async {
        let two = Two::begin().await;
        let delete = AppChange::Delete("test#app".parse().expect("an app key"));
        two.other.store.change(TestIds.operation(), APP, delete).await.expect("a deletion");
        assert_eq!(two.refuses().await, Rejection::AppGone);
    });
}

#[test]
fn a_rule_that_another_node_made_is_told_of_the_next_removal() {
    run(async {
        let two = Two::begin().await;
        two.other.rule("rule").await;
        two.remove("a").await.expect("a removal");
        let beside = connect(&two.database.url("beside")).await;
        let told = "SELECT count(*) FROM logs WHERE news OR noticed = seq";
        assert_eq!(beside.query_one(told, &[]).await.expect("a count").get::<_, i64>(0), 1);
    });
}

#[test]
fn a_node_in_whose_rooms_others_write_all_the_time_still_removes_everybody_once() {
    run(async {
        let two = Two::begin().await;
        for _ in 0..50 {
            for user in ["a", "b", "c"] {
                two.other.remove(two.room, user).await.expect("a removal");
                two.add(&two.other, user).await;
            }
            two.remove("a").await.expect("a removal");
            assert!(two.remove("a").await.is_err(), "it is done already");
            two.add(&two.other, "a").await;
        }
        let log = two.other.store.events(&key(two.room), Seq(0), 1_000).await.expect("a log");
        let seqs: Vec<u64> = log.iter().map(|event| event.seq.0).collect();
        assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "without a gap");
    });
}
