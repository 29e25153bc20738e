//! Every command in both states: a server runs on the data directory, and none does.

use std::path::Path;

use tempfile::tempdir;

use crate::support::{Binary, field, paste, run, try_to};

/// The status of a call with this token.
fn status(dir: &Path, address: &str, token: &str) -> String {
    let url = format!("http://{address}/acme/support/users");
    paste(dir, &format!("curl -s -o /dev/null -w '%{{http_code}}' -H 'Authorization: Bearer {token}' {url}"))
}

/// A token for these credentials, or the error.
fn token(dir: &Path, address: &str, id: &str, secret: &str) -> serde_json::Value {
    let body =
        format!(r#"{{"grant_type":"client_credentials","client_id":"{id}","client_secret":"{secret}"}}"#);
    let answer = paste(dir, &format!("curl -s http://{address}/acme/support/token -d '{body}'"));
    serde_json::from_str(&answer).unwrap()
}

fn all_app_commands(dir: &Path) {
    let created = run(dir, &["app", "create", "acme/support"]);
    let (id, secret) = (field(&created, "client id"), field(&created, "client secret"));
    assert!(id.starts_with("YXA6") && secret.starts_with("YXA6"), "{created}");
    let (code, _, err) = try_to(dir, &["app", "create", "acme/support"]);
    assert!(code == 1 && err.contains("there is an app `acme#support` already"), "{err}");

    let shown = run(dir, &["app", "show", "acme/support"]);
    assert_eq!(field(&shown, "client id"), id);
    assert!(!shown.contains(&secret));
    assert!(run(dir, &["app", "list"]).contains("acme#support"));

    let rotated = run(dir, &["app", "rotate-secret", "acme/support"]);
    assert_eq!(field(&rotated, "client id"), id);
    assert_ne!(field(&rotated, "client secret"), secret);

    let token = run(dir, &["token", "issue", "acme/support", "--ttl", "1h"]);
    assert!(token.starts_with("YWMt") && token.trim().lines().count() == 1, "{token}");

    run(dir, &["app", "delete", "acme/support"]);
    assert!(!run(dir, &["app", "list"]).contains("acme#support"));
    for arguments in [
        &["app", "show", "acme/support"][..],
        &["app", "delete", "acme/support"],
        &["app", "rotate-secret", "acme/support"],
        &["token", "issue", "acme/support"],
    ] {
        let (code, _, err) = try_to(dir, arguments);
        assert!(code == 1 && err.contains("there is no app `acme#support`"), "{arguments:?} {err}");
    }
}

#[test]
fn apps_are_administered_while_no_server_runs() {
    let dir = tempdir().unwrap();
    all_app_commands(dir.path());
}

#[test]
fn apps_are_administered_while_a_server_runs() {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &[]);
    all_app_commands(dir.path());
    server.stop();
    assert!(!dir.path().join("data/control.sock").exists());
}

#[test]
fn what_a_command_did_without_a_server_holds_in_the_next_one() {
    let dir = tempdir().unwrap();
    let created = run(dir.path(), &["app", "create", "acme/support"]);
    let issued = run(dir.path(), &["token", "issue", "acme/support"]);
    let server = Binary::start(dir.path(), &[]);
    assert_eq!(status(dir.path(), &server.address, issued.trim()), "200");
    let (id, secret) = (field(&created, "client id"), field(&created, "client secret"));
    assert!(token(dir.path(), &server.address, &id, &secret)["access_token"].is_string());
    server.stop();
}

#[test]
fn a_rotation_ends_the_tokens_of_a_running_server_at_once() {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &[]);
    let created = run(dir.path(), &["app", "create", "acme/support"]);
    let old = run(dir.path(), &["token", "issue", "acme/support"]);
    assert_eq!(status(dir.path(), &server.address, old.trim()), "200");
    let rotated = run(dir.path(), &["app", "rotate-secret", "acme/support"]);
    assert_eq!(status(dir.path(), &server.address, old.trim()), "401");
    let (id, secret) = (field(&created, "client id"), field(&created, "client secret"));
    let refused = token(dir.path(), &server.address, &id, &secret);
    assert_eq!(refused["error_description"], "client_secret does not match");
    let fresh = token(dir.path(), &server.address, &id, &field(&rotated, "client secret"));
    assert_eq!(status(dir.path(), &server.address, fresh["access_token"].as_str().unwrap()), "200");

    run(dir.path(), &["app", "delete", "acme/support"]);
    assert_eq!(status(dir.path(), &server.address, fresh["access_token"].as_str().unwrap()), "404");
    server.stop();
}

#[test]
fn an_app_that_the_configuration_declares_is_not_changed_by_commands() {
    let dir = tempdir().unwrap();
    let text = "[[apps]]\norg = \"acme\"\napp = \"support\"\nclient_id = \"i\"\nclient_secret = \"s\"\n";
    std::fs::write(dir.path().join("c.toml"), text).unwrap();
    let declared = |running: &str| {
        for verb in ["delete", "rotate-secret"] {
            let (code, _, err) = try_to(dir.path(), &["app", verb, "acme/support"]);
            assert!(code == 1 && err.contains("is declared in the configuration"), "{running} {verb} {err}");
        }
        assert!(run(dir.path(), &["app", "show", "acme/support"]).contains("declared"));
    };
    let server = Binary::start(dir.path(), &["--config", "c.toml"]);
    declared("running");
    server.stop();
    declared("not running");
}

#[test]
fn the_other_commands_need_no_store_and_work_in_both_states() {
    let dir = tempdir().unwrap();
    let other_commands = || {
        assert!(run(dir.path(), &["version"]).starts_with("chatroom-server 0."));
        assert!(run(dir.path(), &["check-config"]).contains("per_second = 100"));
        assert!(run(dir.path(), &["--help"]).contains("Examples:"));
        assert!(run(dir.path(), &["serve", "--help"]).contains("--public-demo"));
    };
    other_commands();
    let server = Binary::start(dir.path(), &[]);
    other_commands();
    server.stop();
}
