//! Several nodes on one database.

use std::time::{Duration, Instant};

use chatroom_core::test_util::name;
use chatroom_core::{
    CallbackOutbox, Error, EventKind, NewRoom, Registration, Rejection, Seq, StorageErrorKind,
};
use chatroom_store_postgres::Options;
use futures_util::FutureExt as _;

use crate::database::{Database, connect};
use crate::world::{APP, Node, key, names, run};

async fn three(database: &Database) -> [Node; 3] {
    let first = Node::of(database, "one").await;
    first.make_app().await;
    [first, Node::of(database, "two").await, Node::of(database, "three").await]
}

#[test]
fn of_removals_through_three_nodes_each_is_done_once_with_its_event() {
    run(async {
        let database = Database::new();
        let nodes = three(&database).await;
        let members = names("m", 600);
        let rooms = [nodes[0].room("owner", &members).await, nodes[0].room("owner", &members).await];
        // Everybody is removed from both rooms through every node.
        let mut calls = Vec::new();
        for node in &nodes {
            for part in members.chunks(50) {
                let (node, part) = (node.clone(), part.to_vec());
                calls.push(tokio::spawn(async move {
                    let mut removed = Vec::new();
                    for member in part {
                        for room in rooms {
                            match node.remove(room, &member).await {
                                Ok(_) => removed.push((room, member.clone())),
                                Err(Error::Rejected(Rejection::NotMembers(_))) => {}
                                Err(error) => panic!("{member}: {error}"),
                            }
                        }
                    }
                    removed
                }));
            }
        }
        let mut removed = Vec::new();
        for call in calls {
            removed.extend(call.await.expect("a task"));
        }
        removed.sort();
        let before = removed.len();
        removed.dedup();
        assert_eq!((removed.len(), before), (1_200, 1_200), "each once, over all nodes");
        for room in rooms {
            assert_eq!(nodes[1].members(room).await, [""; 0]);
            let log = nodes[2].store.events(&key(room), Seq(0), 10_000).await.expect("a log");
            let seqs: Vec<u64> = log.iter().map(|event| event.seq.0).collect();
            assert_eq!(seqs, (1..=602).collect::<Vec<_>>(), "without a gap");
            let left = log.iter().filter(|event| matches!(event.kind, EventKind::Left { .. }));
            assert_eq!(left.count(), 600);
            let told: Vec<u32> = log.iter().map(|event| event.members).skip(1).collect();
            assert_eq!(told, (1..=601).rev().collect::<Vec<_>>(), "members after each event");
        }
    });
}

#[test]
fn of_registrations_of_one_name_through_three_nodes_one_wins() {
    run(async {
        let database = Database::new();
        let nodes = three(&database).await;
        for turn in 0..20 {
            let calls = nodes.clone().map(|node| {
                let new = chatroom_core::NewUser { name: name(&format!("u{turn}")), nickname: None };
                tokio::spawn(async move { node.chatrooms.register_users(APP, vec![new]).await })
            });
            let mut won = 0;
            for call in calls {
                match call.await.expect("a task") {
                    Ok(done) => won += usize::from(matches!(done[..], [Registration::Registered(_)])),
                    Err(Error::Rejected(Rejection::UserExists(_))) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(won, 1, "turn {turn}");
        }
    });
}

#[test]
fn nobody_joins_who_is_deleted_on_another_node() {
    run(async {
        let database = Database::new();
        let [one, two, _] = three(&database).await;
        let room = one.room("owner", &[""; 0]).await;
        for turn in 0..30 {
            let user = format!("u{turn}");
            one.users(&[&user]).await.expect("a user");
            let add = one.chatrooms.add_members(APP, room, [user.as_str()]);
            let delete = two.chatrooms.delete_user(APP, name(&user));
            let (added, deleted) = tokio::join!(add, delete);
            deleted.expect("a deletion");
            if let Err(error) = added {
                assert!(matches!(error, Error::Rejected(Rejection::UserNotFound(_))), "{error}");
            }
            while two.chatrooms.sweep(9).await.expect("a sweep") {}
        }
        // The sweeps have found all of them, or the room would count members that nobody sees.
        let view = one.chatrooms.room(APP, room).await.expect("an answer").expect("the room");
        assert_eq!(view.members, 1);
    });
}

#[test]
fn a_change_of_an_app_on_one_node_is_known_on_another_within_a_second() {
    run(async {
        let database = Database::new();
        let [one, two, _] = three(&database).await;
        let known = two.store.registry_changed(0).await;
        one.rule("rule").await;
        let told = tokio::time::timeout(Duration::from_secs(1), two.store.registry_changed(known)).await;
        assert!(told.is_ok_and(|version| version > known));
    });
}

#[test]
fn a_row_that_cannot_be_read_fails_its_own_call_and_not_those_beside_it() {
    run(async {
        let database = Database::new();
        let mut options = Options::new(database.url("one"));
        // Whatever waits is in one group.
        options.writers = 1;
        let node = Node::open(options).await;
        node.make_app().await;
        let first = node.room("owner", &["a", "b"]).await;
        let (broken, whole) = (node.room("owner", &["a", "b"]).await, node.room("owner", &["a", "b"]).await);
        let beside = connect(&database.url("beside")).await;
        let spoil = format!("UPDATE rooms SET name = '\\xff' WHERE id = {broken}");
        beside.batch_execute(&spoil).await.expect("a spoilt row");
        let hold = format!("BEGIN; SELECT FROM logs WHERE room = {first} FOR UPDATE");
        beside.batch_execute(&hold).await.expect("a lock");
        let held_up = {
            let node = node.clone();
            tokio::spawn(async move { node.remove(first, "a").await })
        };
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
        while beside.query_one(waits, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // The only writer is held up, so these two wait for it, and are its next group.
        let (mut fails, mut succeeds) =
            (Box::pin(node.remove(broken, "a")), Box::pin(node.remove(whole, "a")));
        assert!((&mut fails).now_or_never().is_none() && (&mut succeeds).now_or_never().is_none());
        beside.batch_execute("COMMIT").await.expect("the lock's end");
        held_up.await.expect("a task").expect("a removal");
        succeeds.await.expect("a removal beside a broken room");
        let error = fails.await.expect_err("it cannot be read");
        assert!(
            matches!(&error, Error::Storage(error) if error.kind() == StorageErrorKind::Corrupt),
            "{error}"
        );
        assert_eq!(node.members(whole).await, ["b"]);
    });
}

#[test]
fn groups_of_several_nodes_wait_for_each_other_but_never_in_a_circle() {
    // The server counts deadlocks of each database.
    let own = xtask_postgres::shared().and_then(|server| server.fresh_database()).expect("a database");
    run(async {
        let mut options = Options::new(own.url());
        // Whatever waits in a node is in one group.
        options.writers = 1;
        let nodes = [Node::open(options.clone()).await, Node::open(options).await];
        nodes[0].make_app().await;
        let members = names("m", 24);
        let mut rooms = Vec::new();
        for _ in 0..12 {
            rooms.push(nodes[0].room("owner", &members).await);
        }
        let beside = connect(own.url()).await;
        let count = async |sql: &str| beside.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0);
        // A transaction sees the sessions as they were when it first looked.
        let holder = connect(own.url()).await;
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock'";
        let middle = rooms[6];
        for pair in members.chunks(2) {
            // Somebody holds a room in the middle until both nodes have begun to lock, and wait.
            let hold = format!("BEGIN; SELECT FROM logs WHERE room = {middle} FOR UPDATE");
            holder.batch_execute(&hold).await.expect("a lock");
            let calls = nodes.iter().zip(pair).flat_map(|(node, member)| {
                rooms.iter().map(move |room| (node.clone(), *room, member.clone()))
            });
            let calls = calls.map(|(node, room, member)| {
                tokio::spawn(async move { node.remove(room, &member).await.map(drop) })
            });
            let calls: Vec<_> = calls.collect();
            let began = Instant::now();
            while count(waiting).await < 2 {
                assert!(began.elapsed() < Duration::from_secs(20), "they do not wait");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            holder.batch_execute("COMMIT").await.expect("the lock's end");
            for call in calls {
                call.await.expect("a task").expect("a removal");
            }
        }
        drop(holder);
        assert_eq!(deadlocks(&beside, nodes).await, 0);
    });
}

/// How many deadlocks there were in this database, which these nodes are done with.
async fn deadlocks(beside: &tokio_postgres::Client, nodes: [Node; 2]) -> i64 {
    let count = async |sql: &str| beside.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0);
    for node in nodes {
        node.store.close().await;
    }
    // Sessions say what they met when they end.
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                  AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while count(others).await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    count("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await
}

#[test]
fn with_a_bound_new_rooms_and_rules_wait_for_each_other_but_never_in_a_circle() {
    let own = xtask_postgres::shared().and_then(|server| server.fresh_database()).expect("a database");
    run(async {
        let mut options = Options::new(own.url());
        options.max_members = Some(1_000);
        let nodes = [Node::open(options.clone()).await, Node::open(options).await];
        nodes[0].make_app().await;
        nodes[0].users(&["owner"]).await.expect("a user");
        let beside = connect(own.url()).await;
        let dawdle = "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql \
                          AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$; \
                      CREATE TRIGGER dawdle AFTER INSERT ON rules EXECUTE FUNCTION dawdle()";
        beside.batch_execute(dawdle).await.expect("a trigger");
        let ruled = tokio::spawn({
            let node = nodes[0].clone();
            async move { node.rule("rule").await }
        });
        let dawdles = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event = 'PgSleep'";
        while beside.query_one(dawdles, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let new = NewRoom { owner: "owner", members: Vec::new(), max_users: Some(9), ..NewRoom::default() };
        nodes[1].chatrooms.create_room(APP, new).await.expect("a room");
        ruled.await.expect("a rule");
        assert_eq!(deadlocks(&beside, nodes).await, 0);
    });
}
