//! Plans are made once, and may be older than all that is in the tables.

use crate::database::Database;
use crate::world::{APP, Node, names, run};

#[test]
fn plans_made_while_there_was_nothing_do_not_read_whole_rooms() {
    run(async {
        let database = Database::new();
        let node = Node::of(&database, "node").await;
        for table in ["memberships", "users", "rooms", "logs"] {
            database.execute(&format!("ALTER TABLE {table} SET (autovacuum_enabled = false)")).await;
        }
        node.make_app().await;
        let room = node.room("owner", &["first"]).await;
        let add = async |part: &[String]| {
            let part = part.iter().map(String::as_str);
            node.chatrooms.add_members(APP, room, part).await.expect("an addition");
        };
        node.remove(room, "first").await.expect("a removal");
        add(&["first".to_owned()]).await;
        let users = names("user", 2_000);
        node.users(&users).await.expect("users");
        for part in users.chunks(500) {
            add(part).await;
        }
        for user in users.iter().take(50) {
            node.remove(room, user).await.expect("a removal");
            add(std::slice::from_ref(user)).await;
        }
        // With the end of a session all that it read is counted.
        database.end_sessions("node").await;
        let read =
            "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE schemaname = current_schema()";
        let read = database.number(read).await;
        assert!(read < 50_000, "{read} entries of indexes were read");
    });
}
