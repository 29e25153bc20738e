use super::check;
use crate::tidy::tree::Tree;

const CODE: &str = "crates/chatroom-store-postgres/src/a.rs";
const MIGRATION: &str = "crates/chatroom-store-postgres/migrations/0001_a.sql";
/// The keys that may be as they are.
const EXCEPTIONS: &str = "CREATE UNIQUE INDEX ix_apps_key ON apps (org, name);
    CREATE TABLE c (node uuid, CONSTRAINT pk_nodes PRIMARY KEY (node));
    CREATE TABLE a (one boolean, CONSTRAINT pk_registry PRIMARY KEY (one));
    CREATE TABLE b (version int, CONSTRAINT pk_schema_versions PRIMARY KEY (version));\n";

fn lines(path: &str, text: &str) -> Vec<usize> {
    check(&Tree::of(&[(path, text)])).iter().map(|finding| finding.line).collect()
}

/// Lines of a migration with findings, from its first.
fn in_migration(text: &str) -> Vec<usize> {
    lines(MIGRATION, &format!("{text}\n{EXCEPTIONS}"))
}

#[test]
fn a_lock_a_wake_up_and_a_number_beside_the_rows_are_found_in_code() {
    for sql in [
        "SELECT pg_advisory_xact_lock($1)",
        "SELECT pg_try_advisory_lock(1)",
        "LISTEN events",
        "NOTIFY events, 'x'",
        "SELECT 1; LISTEN events",
        "SELECT pg_notify('events', '')",
        "INSERT INTO a SELECT nextval('b')",
        "CREATE TABLE a (app uuid, id serial, CONSTRAINT pk_a PRIMARY KEY (app, id))",
    ] {
        assert_eq!(lines(CODE, &format!("fn a() {{\n    b(\"{sql}\");\n}}\n")), [2], "{sql}");
    }
    let part = "const A: &str = concat!(\n\"x \",\n\"FROM pg_advisory_lock(1)\");\n";
    assert_eq!(lines(CODE, part), [3], "a part of a statement");
    let raw = "const A: &str = r#\"\nSELECT \"a\",\n  nextval('b')\"#;\n";
    assert_eq!(lines(CODE, raw), [3], "a raw text of several lines");
}

#[test]
fn what_only_sounds_like_it_is_left_alone() {
    let code = "//! No LISTEN/NOTIFY, no pg_advisory_lock.\n/// SELECT nextval('a')\n\
        fn a() { b.notify_one(); error(\"cannot listen\"); \"the serial identity of a sequence\" }\n";
    assert_eq!(lines(CODE, code), [0; 0]);
}

#[test]
fn numbers_from_outside_the_transaction_are_found_in_migrations() {
    for column in [
        "id bigserial",
        "id serial",
        "id bigint GENERATED ALWAYS AS IDENTITY",
        "id bigint DEFAULT nextval('s')",
    ] {
        let table =
            format!("CREATE TABLE a (\napp uuid,\n{column},\nCONSTRAINT pk_a PRIMARY KEY (app, id));");
        assert_eq!(in_migration(&table), [3], "{column}");
    }
    assert_eq!(in_migration("\ncreate sequence s;"), [2]);
}

#[test]
fn a_key_that_does_not_begin_with_the_app_is_found() {
    for (sql, line) in [
        ("CREATE TABLE a (\napp uuid, id bigint,\nCONSTRAINT pk_a PRIMARY KEY (id, app));", 3),
        ("CREATE TABLE a (\napp uuid, id bigint PRIMARY KEY);", 2),
        ("CREATE TABLE a (\napp uuid,\nid bigint UNIQUE,\nCONSTRAINT pk_a PRIMARY KEY (app, id));", 3),
        ("CREATE TABLE a (app uuid, id bigint,\nUNIQUE (id));", 2),
        ("CREATE UNIQUE INDEX ix_a ON a (id, app);", 1),
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_a\nON a USING btree (id);", 1),
        ("ALTER TABLE a\nADD CONSTRAINT pk_a PRIMARY KEY (id);", 2),
    ] {
        assert_eq!(in_migration(sql), [line], "{sql}");
        let code = format!("const A: &str = \"{sql}\";\n");
        assert_eq!(lines(CODE, &code), [line], "in code: {sql}");
    }
}

#[test]
fn keys_that_begin_with_the_app_and_the_known_exceptions_are_right() {
    let right = "-- PRIMARY KEY (id)\nCREATE TABLE a (app uuid, id bigint, CONSTRAINT pk_a PRIMARY KEY (app, id));\n\
        CREATE UNIQUE INDEX ix_a ON a (app, lower(id)) WHERE id > 1;";
    assert_eq!(in_migration(right), [0; 0]);
}

#[test]
fn an_exception_that_nothing_needs_is_found() {
    let findings = check(&Tree::of(&[(MIGRATION, "CREATE INDEX ix_a ON a (app);")]));
    assert_eq!(findings.len(), 4);
    assert!(findings[0].what.contains("ix_apps_key"), "{}", findings[0]);
}

#[test]
fn sql_in_another_crate_is_found() {
    let path = "crates/chatroom-server/src/a.rs";
    for sql in
        ["SELECT name FROM users", "UPDATE a SET b = 1", "WITH a AS (SELECT 1) SELECT 2", "DELETE FROM a"]
    {
        assert_eq!(lines(path, &format!("\nconst A: &str = \"\\\n    {sql}\";\n")), [2], "{sql}");
    }
    assert_eq!(
        lines(path, "const A: &[&str] = &[\"UPDATE\", \"CREATE\", \"With all AS it is\", \"SELECT\"];"),
        [0; 0]
    );
    assert_eq!(lines("crates/chatroom-core/a.sql", "CREATE TABLE a (app uuid);"), [1]);
    assert_eq!(
        lines("crates/chatroom-store-embedded/src/journal/a.rs", "\"SELECT body FROM groups\""),
        [0; 0]
    );
}

#[test]
fn a_file_that_is_not_rust_is_named() {
    assert_eq!(lines("a.rs", "fn a() {\n  \"open\n"), [2]);
}
