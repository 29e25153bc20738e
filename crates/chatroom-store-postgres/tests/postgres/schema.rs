//! The schema: made by whoever comes first, and refused when it is not the one that is needed.

use std::sync::Arc;

use chatroom_core::test_util::ManualClock;
use chatroom_store_postgres::{OpenError, Options, PostgresStore, SCHEMA, SchemaError, migrate, schema};

use crate::database::Database;
use crate::world::run;

async fn open(options: Options) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(options, Arc::new(ManualClock::default())).await
}

#[test]
fn nodes_that_start_together_make_the_schema_once() {
    run(async {
        let database = Database::new();
        let nodes = (0..8).map(|node| {
            let url = database.url(&format!("node{node}"));
            tokio::spawn(async move { open(Options::new(url)).await.map(drop) })
        });
        for node in nodes.collect::<Vec<_>>() {
            node.await.expect("a task").expect("a store that opens");
        }
        assert_eq!(schema(&Options::new(database.url("look"))).await.expect("a schema"), SCHEMA);
    });
}

#[test]
fn a_database_that_must_be_migrated_first_is_refused_with_the_command_that_does_it() {
    run(async {
        let database = Database::new();
        let mut options = Options::new(database.url("node"));
        options.migrate = false;
        let error = open(options.clone()).await.err().expect("a refusal");
        let pending = SchemaError::Pending { found: 0, known: SCHEMA };
        assert!(matches!(&error, OpenError::Schema(error) if *error == pending), "{error}");
        assert!(error.to_string().contains("chatroom-server migrate"), "{error}");
        assert_eq!(migrate(&options).await.expect("a migration"), (0, SCHEMA));
        assert_eq!(migrate(&options).await.expect("nothing to do"), (SCHEMA, SCHEMA));
        open(options).await.expect("a store that opens");
    });
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    run(async {
        let database = Database::new();
        open(Options::new(database.url("node"))).await.expect("a store that opens");
        let newer = format!("INSERT INTO schema_versions (version, name) VALUES ({}, 'later')", SCHEMA + 1);
        database.execute(&newer).await;
        let error = open(Options::new(database.url("old"))).await.err().expect("a refusal");
        assert!(error.to_string().contains("Start the newer version"), "{error}");
        let error = migrate(&Options::new(database.url("old"))).await.expect_err("a refusal");
        assert!(matches!(error, OpenError::Schema(SchemaError::Newer { .. })), "{error}");
    });
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    run(async {
        let error =
            open(Options::new("postgresql://u:hunter2@127.0.0.1:1/db")).await.err().expect("a refusal");
        let text = error.to_string();
        assert!(text.contains("127.0.0.1:1") && !text.contains("hunter2"), "{text}");
    });
}
