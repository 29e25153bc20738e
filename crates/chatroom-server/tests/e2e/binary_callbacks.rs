//! The `callback` commands in both states: a server runs on the data directory, and none does.

use std::path::Path;

use tempfile::tempdir;

use crate::support::{Binary, Receiver, field, run, try_to};

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
    run(dir, &["app", "create", "acme/support"]);
    let added = run(dir, &callback(&["add", "room_events", &receiver.url, "--events", "LEAVE/KICK,DELETE"]));
    let secret = field(&added, "secret");
    assert!(secret.starts_with("whsec_"), "{added}");
    assert_eq!(field(&added, "events"), "LEAVE/KICK, DELETE");
    assert!(refused(dir, &["add", "room_events", &receiver.url]).contains("already"));
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
