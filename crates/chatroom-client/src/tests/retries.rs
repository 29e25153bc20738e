use std::time::Duration;

use chatroom_protocol::refusal;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;
use crate::{NewRoom, RetryPolicy};

const SECOND: Duration = Duration::from_secs(1);

/// Answers `first` once, and then that the member is removed.
async fn once(first: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("DELETE")).respond_with(first).up_to_n_times(1).mount(&server).await;
    Mock::given(method("DELETE"))
        .and(path(format!("{ROOM}/users/u1")))
        .respond_with(ok(
            serde_json::json!({"result": true, "action": "remove_member", "user": "u1", "id": "1"}),
        ))
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn decision_18_a_call_that_came_too_fast_waits_as_long_as_the_server_says() {
    let limited = refuse(&refusal::reach_limit());
    let as_date =
        [("date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("retry-after", "Mon, 23 Nov 2026 12:00:02 GMT")];
    let cases = [
        (limited.clone().insert_header("retry-after", "1"), SECOND),
        (limited.clone().append_headers(as_date), 2 * SECOND),
        (limited, SECOND / 20),
        (ResponseTemplate::new(429).set_body_string("slow down"), SECOND / 20),
    ];
    for (first, wait) in cases {
        let server = once(first).await;
        let (builder, clock) = builder(&server.uri());
        builder.build().unwrap().remove_member(room(), &user("u1")).await.unwrap();
        assert_eq!(clock.slept(), [wait]);
    }
}

#[tokio::test]
async fn decision_34_a_removal_is_repeated_after_a_503_that_says_when() {
    let server = once(refuse(&refusal::service_unavailable()).insert_header("retry-after", "3")).await;
    let (builder, clock) = builder(&server.uri());
    builder.build().unwrap().remove_member(room(), &user("u1")).await.unwrap();
    assert_eq!(clock.slept(), [3 * SECOND]);
}

#[tokio::test]
async fn decision_34_a_removal_is_not_repeated_after_a_503_that_does_not_say_when() {
    let server = once(ResponseTemplate::new(503)).await;
    let (builder, clock) = builder(&server.uri());
    let error = builder.build().unwrap().remove_member(room(), &user("u1")).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert!(error.is_outcome_unknown());
    assert_eq!(clock.slept(), [Duration::ZERO; 0]);
}

#[tokio::test]
async fn reading_is_repeated_after_any_503() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(503)).expect(4).mount(&server).await;
    let (builder, clock) = builder(&server.uri());
    let error = builder.build().unwrap().room(room()).await.unwrap_err();
    assert!(error.status() == Some(503) && !error.is_outcome_unknown());
    assert_eq!(clock.slept(), [SECOND / 20, SECOND / 10, SECOND / 5]);
}

#[tokio::test]
async fn decision_34_a_bare_503_makes_no_second_room() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(503)).expect(1).mount(&server).await;
    let (builder, clock) = builder(&server.uri());
    let new = NewRoom::new("name", "description", user("owner"));
    let error = builder.build().unwrap().create_room(&new).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!(clock.slept(), [Duration::ZERO; 0]);
}

#[tokio::test]
async fn repetitions_are_bounded_in_number_and_in_time() {
    let server = MockServer::start().await;
    let limited = refuse(&refusal::reach_limit());
    Mock::given(method("DELETE")).respond_with(limited.clone()).expect(4).mount(&server).await;
    let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.is_rate_limited() && !error.is_outcome_unknown());
    drop(server);

    let server = once(limited.insert_header("retry-after", "31")).await;
    let (builder, clock) = builder(&server.uri());
    let error = builder.build().unwrap().remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.is_rate_limited());
    assert_eq!(clock.slept(), [Duration::ZERO; 0]);
}

#[tokio::test]
async fn a_connection_that_cannot_be_made_is_tried_again_and_leaves_no_doubt() {
    // Bound and not listening to: the port is ours, and connections to it are refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let (builder, clock) = builder(&url);
    let client = builder.retry(RetryPolicy::default().attempts(3)).build().unwrap();
    let error = client.remove_member(room(), &user("u1")).await.unwrap_err();
    assert_eq!(clock.slept(), [SECOND / 20, SECOND / 10]);
    assert!(!error.is_outcome_unknown());
    assert_eq!(error.status(), None);
    assert!(error.to_string().starts_with("cannot remove a member: no connection (request "), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere = ResponseTemplate::new(307).insert_header("location", "/elsewhere");
    Mock::given(method("DELETE")).respond_with(elsewhere).expect(1).mount(&server).await;
    let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
    assert_eq!(error.status(), Some(307));
}
