//! How the binary ends.

use tempfile::tempdir;

use crate::support::{Binary, open, request};

/// Stops by this signal while a request is arriving on one connection and another connection waits.
async fn stops_in_order(signal: &str) {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &[]);
    let address = server.address.clone();
    let mut watching = open(&address).await;
    assert_eq!(watching.ask("GET", "/readyz", &[], "").await.status, 200);
    let mut slow = open(&address).await;
    let body = r#"{"grant_type":"password"}"#;
    let length = body.len().to_string();
    slow.send(request("POST", "/demo/chat/token", &[("Content-Length", &length)], "").as_bytes()).await;

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
    let mut tries = 0;
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tries += 1;
        assert!(tries < 1_000, "new connections are still accepted");
        tokio::task::yield_now().await;
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

#[test]
fn what_is_not_finished_within_the_grace_is_left_behind() {
    let dir = tempdir().unwrap();
    std::fs::write(dir.path().join("c.toml"), "shutdown_grace = \"100ms\"\n").unwrap();
    let mut server = Binary::start(dir.path(), &["--config", "c.toml", "--ephemeral"]);
    let mut hanging = std::net::TcpStream::connect(&server.address).unwrap();
    let head = request("POST", "/demo/chat/token", &[("Content-Length", "10")], "");
    std::io::Write::write_all(&mut hanging, head.as_bytes()).unwrap();
    // Answered on another connection, so the first one was accepted.
    let live =
        std::process::Command::new("curl").args(["-s", &format!("http://{}/livez", server.address)]).output();
    assert!(live.unwrap().status.success());
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
