//! The schema of the database, at a start.

use xtask_postgres::shared;

use super::node::Nodes;
use crate::crash::api::Api;
use crate::support::{ended, run, try_to};

#[tokio::test]
async fn nodes_that_start_together_make_the_schema_once() {
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = Nodes::on(database.url(), "").start_together(3);
    for node in &nodes {
        Api::of(node).await.register(&[format!("u{}", node.pid())]).await;
    }
}

#[test]
fn a_schema_of_a_newer_version_is_refused() {
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = Nodes::on(database.url(), "");
    nodes.start().stop();
    database.query("INSERT INTO schema_versions (version, name) VALUES (999, 'later')").unwrap();
    let output = ended(&mut nodes.command());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("schema 999, made by a newer version"), "{error}");
}

#[test]
fn with_migrate_false_a_start_refuses_and_names_the_command_that_is_missing() {
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = Nodes::on(database.url(), "migrate = false");
    let output = ended(&mut nodes.command());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("`chatroom-server migrate`"), "{error}");

    let migrated = run(nodes.dir(), &["migrate", "--config", "c.toml"]);
    assert!(migrated.starts_with("the database had schema 0 and has schema "), "{migrated}");
    let again = run(nodes.dir(), &["migrate", "--config", "c.toml"]);
    assert!(again.ends_with(" already\n"), "{again}");
    nodes.start().stop();
}

#[test]
fn there_is_nothing_to_migrate_without_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let (code, _, error) = try_to(dir.path(), &["migrate"]);
    assert_eq!(code, 1);
    assert!(error.contains("store.kind"), "{error}");
}

#[test]
fn a_database_that_cannot_be_reached_is_named_without_its_password() {
    // Nobody listens on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nodes = Nodes::on(&format!("postgresql://u:hunter2@127.0.0.1:{port}/db"), "");
    let output = ended(&mut nodes.command());
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&format!("cannot connect to 127.0.0.1:{port}")), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
