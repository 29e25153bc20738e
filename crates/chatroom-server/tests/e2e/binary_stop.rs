//! How the binary ends.

use std::time::{Duration, Instant};

use tempfile::tempdir;

use crate::support::{Binary, Connection, open, request};

/// How long something is waited for that happens at once on a machine with nothing else to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// Begins a request whose body of this length is still to come. The server waits for it.
async fn begin_to_ask(address: &str, length: usize) -> Connection {
    let mut slow = open(address).await;
    let length = length.to_string();
    let headers = [("Content-Length", length.as_str()), ("Expect", "100-continue")];
    slow.send(request("POST", "/demo/chat/token", &headers, "").as_bytes()).await;
    assert_eq!(slow.answer(false).await.unwrap().status, 100);
    slow
}

/// Stops by this signal while a request is arriving on one connection and another connection waits.
async fn stops_in_order(signal: &str) {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &[]);
    let address = server.address.clone();
    let mut watching = open(&address).await;
    assert_eq!(watching.ask("GET", "/readyz", &[], "").await.status, 200);
    let body = r#"{"grant_type":"password"}"#;
    let mut slow = begin_to_ask(&address, body.len()).await;

    let server = std::thread::spawn({
        let (mut server, signal) = (server, signal.to_owned());
        move || {
            server.signal(&signal);
            server.wait_for_log("\"stopping\"");
            server
        }
    });
    let server = tokio::task::spawn_blocking(move || server.join().unwrap()).await.unwrap();

    let refused = watching.ask("GET", "/readyz", &[], "").await;
    assert_eq!(refused.refusal().2, "Not ready: the server is stopping");
    assert_eq!((refused.status, refused.header("connection")), (503, Some("close")));
    // The socket is closed a moment after the log says so.
    let stopping = Instant::now();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        assert!(stopping.elapsed() < PATIENCE, "new connections are still accepted");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    slow.send(body.as_bytes()).await;
    let answer = slow.answer(false).await.unwrap();
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("illegal_argument")));

    let ended = tokio::task::spawn_blocking(move || {
        let mut server = server;
        (server.wait(), server.seen.join("\n"))
    });
    let (status, log) = ended.await.unwrap();
    assert!(status.success() && log.contains("\"stopped\""), "{status} {log}");
    assert!(!dir.path().join("data/control.sock").exists());
}

#[tokio::test]
async fn sigterm_refuses_what_is_new_and_answers_what_is_in_flight() {
    stops_in_order("TERM").await;
}

#[tokio::test]
async fn ctrl_c_refuses_what_is_new_and_answers_what_is_in_flight() {
    stops_in_order("INT").await;
}

#[tokio::test]
async fn what_is_not_finished_within_the_grace_is_left_behind() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("c.toml"), "shutdown_grace = \"100ms\"\n").unwrap();
    let mut server = Binary::start(dir.path(), &["--config", "c.toml", "--ephemeral"]);
    let _hanging = begin_to_ask(&server.address, 10).await;
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(server.seen.iter().any(|line| line.contains("not all was finished")), "{:?}", server.seen);
}

#[test]
fn a_killed_server_is_started_again_on_what_it_left() {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &[]);
    assert!(dir.path().join("data/control.sock").exists());
    server.kill();
    let server = Binary::start(dir.path(), &[]);
    assert!(server.stop().contains("app show demo/chat"));
}
