//! What one request or connection may cost.

use std::time::Duration;

use crate::support::{TestServer, config, open, request};

#[tokio::test]
async fn decision_23_an_oversized_or_malformed_head_gets_its_bare_status_and_the_connection_ends() {
    let server = TestServer::start().await;
    for (head, status) in [
        (format!("GET /livez HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "x".repeat(17 << 10)), 431),
        ("GET /livez\r\nno http\r\n\r\n".to_owned(), 400),
    ] {
        let mut connection = open(&server.address).await;
        connection.send(head.as_bytes()).await;
        let answer = connection.answer(false).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (status, ""));
        assert!(connection.is_closed().await);
    }
    let fits = format!("GET /livez HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "x".repeat(15 << 10));
    let mut connection = open(&server.address).await;
    connection.send(fits.as_bytes()).await;
    assert_eq!(connection.answer(false).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_may_be_as_large_as_the_configuration_can_say() {
    let mut config = config();
    config.limits.head = 1 << 20;
    let server = TestServer::with(config).await;
    let fits = format!("GET /livez HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "x".repeat(1_000 << 10));
    let mut connection = open(&server.address).await;
    connection.send(fits.as_bytes()).await;
    assert_eq!(connection.answer(false).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_head_that_does_not_arrive_in_time_ends_the_connection() {
    let mut config = config();
    config.limits.head_timeout = Duration::from_millis(500);
    let server = TestServer::with(config).await;
    let mut connection = open(&server.address).await;
    connection.send(b"GET /livez HTTP/1.1\r\nHost:").await;
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn decision_35_a_body_over_the_limit_gets_413_whether_its_length_is_told_or_not() {
    let mut config = config();
    config.limits.body = 10_000;
    let server = TestServer::with(config).await;
    let authorization = format!("Bearer {}", server.token);
    let headers = [("Authorization", authorization.as_str())];
    let told = server.plain("POST", "/users", &headers, &"x".repeat(10_001)).await;
    insta::assert_snapshot!(told.shown(), @r#"413 {"error":"request_too_large","exception":"RequestTooLargeException","timestamp":1729497896834,"duration":0,"error_description":"The body is larger than 10000 bytes: send less at a time"}"#);

    let mut connection = open(&server.address).await;
    let chunked = [headers[0], ("Transfer-Encoding", "chunked")];
    connection.send(request("POST", "/demo/chat/users", &chunked, "").as_bytes()).await;
    let chunk = format!("{:x}\r\n{}\r\n", 6_000, "x".repeat(6_000));
    for _ in 0..2 {
        connection.send(chunk.as_bytes()).await;
    }
    connection.try_send(b"0\r\n\r\n").await;
    assert_eq!(connection.answer(false).await.unwrap().json()["error"], "request_too_large");

    let fits = server.plain("POST", "/users", &headers, &"x".repeat(10_000)).await;
    assert_eq!(fits.json()["error"], "json_parse");
}

#[tokio::test]
async fn a_call_that_has_shown_nothing_yet_may_send_less() {
    let server = TestServer::start().await;
    let longer = server.plain("POST", "/token", &[], &"x".repeat((16 << 10) + 1)).await;
    assert_eq!((longer.status, longer.json()["error"].as_str()), (413, Some("request_too_large")));
    let fits = server.plain("POST", "/token", &[], &"x".repeat(16 << 10)).await;
    assert_eq!(fits.json()["error"], "json_parse");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_gets_408_and_nothing_is_done() {
    let mut config = config();
    config.limits.request_timeout = Duration::from_millis(500);
    let server = TestServer::with(config).await;
    let authorization = format!("Bearer {}", server.token);
    let headers = [("Authorization", authorization.as_str()), ("Content-Length", "100")];
    let mut connection = open(&server.address).await;
    connection.send(request("POST", "/demo/chat/users", &headers, "").as_bytes()).await;
    connection.send(b"{").await;
    let answer = connection.answer(false).await.unwrap();
    insta::assert_snapshot!(answer.shown(), @r#"408 {"error":"request_timeout","exception":"RequestTimeoutException","timestamp":1729497896834,"duration":0,"error_description":"The request did not arrive in time, and nothing was done: send it again"}"#);
    assert_eq!(answer.header("retry-after"), None);
    assert!(connection.is_closed().await);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_others_end() {
    let mut config = config();
    config.limits.connections = 2;
    let server = TestServer::with(config).await;
    let mut first = open(&server.address).await;
    let mut second = open(&server.address).await;
    assert_eq!(first.ask("GET", "/livez", &[], "").await.status, 200);
    assert_eq!(second.ask("GET", "/livez", &[], "").await.status, 200);
    let mut third = open(&server.address).await;
    third.send(request("GET", "/livez", &[], "").as_bytes()).await;
    let waits = tokio::time::timeout(Duration::from_millis(100), third.answer(false)).await;
    assert!(waits.is_err(), "{waits:?}");
    drop(first);
    assert_eq!(third.answer(false).await.unwrap().status, 200);
}

#[tokio::test]
async fn who_asks_before_sending_a_body_that_is_too_large_is_told_not_to() {
    let server = TestServer::start().await;
    let authorization = format!("Bearer {}", server.token);
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Length", "2000000"),
        ("Expect", "100-continue"),
    ];
    let mut connection = open(&server.address).await;
    connection.send(request("POST", "/demo/chat/users", &headers, "").as_bytes()).await;
    assert_eq!(connection.answer(false).await.unwrap().status, 413);
    assert!(connection.is_closed().await);
}
