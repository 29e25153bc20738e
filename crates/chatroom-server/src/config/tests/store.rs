//! What goes with which store.

use super::*;

const POSTGRES: &str = "[store]\nkind = \"postgres\"\nurl = \"postgresql://u:hunter2@h/db\"\n";

#[test]
fn a_database_is_read_from_the_file_and_from_the_environment() {
    let text = format!("{POSTGRES}tls_ca = \"/ca.pem\"\nmigrate = false\nrequire = \"replicated\"\n");
    let store = file(&text).store;
    assert_eq!(store.kind, StoreKind::Postgres);
    assert_eq!(store.url.unwrap().expose(), "postgresql://u:hunter2@h/db");
    assert_eq!(store.tls_ca, Some("/ca.pem".into()));
    assert_eq!((store.migrate, store.require), (false, Some(StoreRequire::Replicated)));

    let variables = [
        ("CHATROOM__STORE__KIND", "postgres"),
        ("CHATROOM__STORE__URL", "postgres://h/other"),
        ("CHATROOM__STORE__MIGRATE", "false"),
    ];
    let store = environment(&variables).unwrap().store;
    assert_eq!((store.url.unwrap().expose(), store.migrate), ("postgres://h/other", false));
}

#[test]
fn the_url_of_a_database_is_never_shown() {
    let config = file(POSTGRES);
    let shown = config.to_toml();
    assert!(shown.contains("url = \"[redacted]\"") && !shown.contains("hunter2"), "{shown}");
    let debug = format!("{config:?}");
    assert!(debug.contains("[redacted]") && !debug.contains("hunter2"), "{debug}");
    insta::assert_snapshot!(file_errors("store.url = \"hunter2@h\""), @"
    chatroom.toml:1: `store.url` must begin with `postgresql://`; what it is now is not shown, as it may hold a password
    ");
    insta::assert_snapshot!(environment_errors(&[("CHATROOM__STORE__URL", "mysql://u:hunter2@h")]), @"
    CHATROOM__STORE__URL: `store.url` must begin with `postgresql://`; what it is now is not shown, as it may hold a password
    ");
}

#[test]
fn keys_of_another_store_are_refused() {
    insta::assert_snapshot!(file_errors("store.kind = \"postgres\""), @"
    store.url: `store.kind` is `postgres`, and its database is not named
    ");
    insta::assert_snapshot!(file_errors(&format!("{POSTGRES}path = \"/x\"\nsync = \"none\"\n")), @r#"
    store.path: this key is for `store.kind = "embedded"` only; remove it or choose that store
    store.sync: this key is for `store.kind = "embedded"` only; remove it or choose that store
    "#);
    insta::assert_snapshot!(file_errors("[store]\nurl = \"postgres://h/db\"\ntls_ca = \"/x\"\nmigrate = false\nrequire = \"replicated\"\n"), @r#"
    store.url: this key is for `store.kind = "postgres"` only; remove it or choose that store
    store.tls_ca: this key is for `store.kind = "postgres"` only; remove it or choose that store
    store.migrate: this key is for `store.kind = "postgres"` only; remove it or choose that store
    store.require: this key is for `store.kind = "postgres"` only; remove it or choose that store
    "#);
}

#[test]
fn a_flag_chooses_another_store_than_the_file_does() {
    let dir = Dir::with(POSTGRES);
    let flags = Overlay { ephemeral: true, ..Overlay::default() };
    let loaded = Config::load(Some(&dir.0.path().join("chatroom.toml")), [], &flags).unwrap();
    assert_eq!(loaded.config.store.kind, StoreKind::Memory);
}
