//! The `callback` commands in both states: a server runs on the data directory, and none does.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Binary, Receiver, field, paste, run, try_to};

/// Lets the receivers of these tests be asked.
const CONFIG: &str = "[callback]\nallow_networks = [\"127.0.0.0/8\"]\n";

/// A rule of `acme/support`, or the command for it.
fn callback<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec!["callback"];
    line.extend(words);
    line.extend(["--app", "acme/support", "--config", "c.toml"]);
    line
}

fn refused(dir: &Path, words: &[&str]) -> String {
    let (code, out, err) = try_to(dir, &callback(words));
    assert_eq!(code, 1, "{words:?}\n{out}{err}");
    err
}

async fn all_callback_commands(dir: &Path) {
    let mut receiver = Receiver::start().await;
    let url = receiver.url.clone();
    run(dir, &["app", "create", "acme/support"]);
    let added = run(dir, &callback(&["add", "room_events", &url, "--events", "LEAVE/KICK,DELETE"]));
    let secret = field(&added, "secret");
    assert!(secret.starts_with("whsec_"), "{added}");
    assert_eq!(field(&added, "events"), "LEAVE/KICK, DELETE");
    assert!(refused(dir, &["add", "room_events", &url]).contains("already"));
    let inside = refused(dir, &["add", "inner", "http://169.254.169.254/latest"]);
    assert!(inside.contains("`callback.allow_networks` does not allow"), "{inside}");

    let list = run(dir, &callback(&["list"]));
    assert!(list.contains("room_events") && !list.contains(&secret), "{list}");
    assert!(!run(dir, &callback(&["show", "room_events"])).contains("whsec_"));
    assert_eq!(field(&run(dir, &callback(&["show", "room_events", "--with-secrets"])), "secret"), secret);

    let tried = run(dir, &callback(&["test", "room_events"]));
    assert!(field(&tried, "answered").starts_with("200 OK"), "{tried}");
    assert_eq!(field(&tried, "body"), "seen");
    let sample = receiver.next().await.json();
    assert_eq!((&sample["operation"], &sample["payload"]["type"]), (&"LEAVE".into(), &"KICK".into()));
    assert!(sample["callId"].as_str().unwrap().ends_with(&field(&tried, "event")), "{sample}");
    receiver.answers(503);
    let failed = refused(dir, &["test", "room_events"]);
    assert!(failed.contains("answered 503 Service Unavailable"), "{failed}");

    let rotated = run(dir, &callback(&["rotate-secret", "room_events"]));
    assert_ne!(field(&rotated, "secret"), secret);
    let both = run(dir, &callback(&["show", "room_events", "--with-secrets"]));
    assert_eq!(field(&both, "old secret"), secret);
    assert!(refused(dir, &["rotate-secret", "room_events"]).contains("--finish"));
    run(dir, &callback(&["rotate-secret", "room_events", "--finish"]));
    assert!(!run(dir, &callback(&["show", "room_events", "--with-secrets"])).contains("old secret"));

    assert_eq!(field(&run(dir, &callback(&["disable", "room_events"])), "state"), "disabled");
    assert_eq!(field(&run(dir, &callback(&["enable", "room_events"])), "state"), "enabled");
    assert_eq!(field(&run(dir, &callback(&["status", "room_events"])), "behind"), "nothing waits");
    assert_eq!(run(dir, &callback(&["dead-letters"])), "");
    let replay = ["replay", "room_events", "--room", "123456789012345"];
    assert!(refused(dir, &replay).contains("no event of room 123456789012345 is kept"));
    assert_eq!(run(dir, &callback(&["replay", "room_events", "--dead-letters"])), "nothing is told again\n");
    assert!(refused(dir, &["remove", "roomevents"]).contains("did you mean `room_events`?"));
    run(dir, &callback(&["remove", "room_events"]));
    assert_eq!(run(dir, &callback(&["list"])), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_are_administered_while_no_server_runs() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("c.toml"), CONFIG).unwrap();
    all_callback_commands(dir.path()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_are_administered_while_a_server_runs() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("c.toml"), CONFIG).unwrap();
    let server = Binary::start(dir.path(), &["--config", "c.toml"]);
    all_callback_commands(dir.path()).await;
    server.stop();
}

/// Calls the app's API, which must take it.
fn call(dir: &Path, address: &str, method: &str, path: &str, body: &str) -> Value {
    let token = run(dir, &["token", "issue", "acme/support"]);
    let (token, url) = (token.trim(), format!("http://{address}/acme/support{path}"));
    let line = format!("curl -s -X {method} {url} -H 'Authorization: Bearer {token}' -d '{body}'");
    let answer: Value = serde_json::from_str(&paste(dir, &line)).unwrap();
    assert!(answer["error"].is_null(), "{answer}");
    answer
}

/// The ids of the next deliveries, in the order in which they arrive.
async fn ids(receiver: &mut Receiver, deliveries: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..deliveries {
        ids.push(receiver.next().await.json()["callId"].as_str().unwrap().to_owned());
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_told_is_told_again_beside_a_server_and_by_the_next_one() {
    let dir = tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("c.toml"), CONFIG).unwrap();
    let mut receiver = Receiver::start().await;
    let server = Binary::start(dir, &["--config", "c.toml"]);
    run(dir, &["app", "create", "acme/support"]);
    run(dir, &callback(&["add", "room_events", &receiver.url]));
    let users = r#"[{"username":"o","password":"p"},{"username":"u1","password":"p"}]"#;
    call(dir, &server.address, "POST", "/users", users);
    let room = r#"{"name":"n","description":"d","owner":"o","members":["u1"]}"#;
    let room =
        call(dir, &server.address, "POST", "/chatrooms", room)["data"]["id"].as_str().unwrap().to_owned();
    call(dir, &server.address, "DELETE", &format!("/chatrooms/{room}/users/u1"), "");
    let told = ids(&mut receiver, 3).await;

    let again = |what: &[&str]| run(dir, &callback(&[&["replay", "room_events"], what].concat()));
    assert_eq!(again(&["--room", &room, "--seq", "2"]), "1 event is told again\n");
    assert_eq!(ids(&mut receiver, 1).await, told[1..2]);
    assert_eq!(again(&["--room", &room]), "3 events are told again\n");
    assert_eq!(ids(&mut receiver, 3).await, told);
    server.stop();

    assert_eq!(again(&["--since", "2024-01-01T00:00:00Z"]), "3 events are told again\n");
    let waiting = run(dir, &callback(&["status"]));
    assert!(field(&waiting, "behind").starts_with("3 events in 1 room, for "), "{waiting}");
    let server = Binary::start(dir, &["--config", "c.toml"]);
    assert_eq!(ids(&mut receiver, 3).await, told);
    server.stop();
}

/// What `callback status` says once it says this.
fn status_when(dir: &Path, is_so: impl Fn(&str) -> bool) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let status = run(dir, &callback(&["status"]));
        if is_so(&status) {
            return status;
        }
        assert!(Instant::now() < until, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_receiver_does_not_take_is_seen_and_told_when_somebody_asks_for_it() {
    let dir = tempdir().unwrap();
    let dir = dir.path();
    // What fails twice has failed for too long.
    std::fs::write(dir.join("c.toml"), format!("{CONFIG}give_up_after = \"1ms\"\n")).unwrap();
    let mut receiver = Receiver::start().await;
    receiver.answers(500);
    let server = Binary::start(dir, &["--config", "c.toml"]);
    run(dir, &["app", "create", "acme/support"]);
    run(dir, &callback(&["add", "room_events", &receiver.url]));
    call(dir, &server.address, "POST", "/users", r#"[{"username":"o","password":"p"}]"#);
    call(dir, &server.address, "POST", "/chatrooms", r#"{"name":"n","description":"d","owner":"o"}"#);
    let status = status_when(dir, |status| field(status, "dead letters") == "1");
    assert!(field(&status, "last failure").contains("answered 500 Internal Server Error"), "{status}");
    let dead = run(dir, &callback(&["dead-letters"]));
    assert!(dead.lines().nth(1).unwrap().ends_with("answered 500 Internal Server Error"), "{dead}");

    let failed = ids(&mut receiver, 1).await;
    while receiver.seen_already() {}
    receiver.answers(200);
    assert_eq!(run(dir, &callback(&["replay", "room_events", "--dead-letters"])), "1 event is told again\n");
    assert_eq!(ids(&mut receiver, 1).await, failed);
    let status = status_when(dir, |status| field(status, "behind") == "nothing waits");
    assert_eq!(field(&status, "dead letters"), "0");
    assert!(field(&status, "last success").ends_with(" ago"), "{status}");
    server.stop();
}

#[test]
fn a_rule_that_the_configuration_declares_is_shown_and_not_changed() {
    let dir = tempdir().unwrap();
    let dir = dir.path();
    let declared = "[[apps]]\norg = \"acme\"\napp = \"support\"\nclient_id = \"i\"\nclient_secret = \"s\"\n\
                    [[apps.callbacks]]\nname = \"room_events\"\nurl = \"http://127.0.0.1:9/\"\nsecret = \"mine\"\n";
    std::fs::write(dir.join("c.toml"), format!("{CONFIG}{declared}")).unwrap();
    let commands = |running: &str| {
        for verb in ["disable", "enable", "remove", "rotate-secret"] {
            let refusal = refused(dir, &[verb, "room_events"]);
            let words = "the rule `room_events` is declared in the configuration; change it there";
            assert!(refusal.contains(words), "{running} {verb} {refusal}");
        }
        let shown = run(dir, &callback(&["show", "room_events"]));
        assert_eq!(field(&shown, "state"), "enabled, declared in the configuration");
    };
    let server = Binary::start(dir, &["--config", "c.toml"]);
    commands("running");
    server.stop();
    commands("not running");
}
