use std::time::Duration;

use chatroom_protocol::refusal;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;
use crate::{BuildError, Client, Error, RetryPolicy};

/// What the removal of `u1` fails with, and how often it was sent.
async fn removal(answers: &[&str]) -> (Error, usize) {
    let server = RawServer::start(answers).await;
    let error = client(&server.url).remove_member(room(), &user("u1")).await.unwrap_err();
    (error, server.requests())
}

#[tokio::test]
async fn decision_34_a_removal_whose_connection_broke_after_it_was_sent_is_not_repeated() {
    let (error, requests) = removal(&[""]).await;
    assert_eq!(requests, 1);
    assert!(error.is_outcome_unknown());
    assert_eq!((error.status(), error.code()), (None, None));
    assert!(error.request_id().is_some_and(|id| id.len() == 32));
    assert!(error.to_string().contains("it may or may not have been done"), "{error}");
}

#[tokio::test]
async fn decision_34_a_removal_on_a_connection_that_was_used_before_is_not_repeated_either() {
    let body = r#"{"data":{"result":true,"action":"remove_member","user":"u1","id":"1"}}"#;
    let first = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let server = RawServer::start(&[&first, ""]).await;
    let client = client(&server.url);
    client.remove_member(room(), &user("u1")).await.unwrap();
    let error = client.remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!(server.requests(), 2);
}

#[tokio::test]
async fn a_success_whose_body_is_cut_off_leaves_the_outcome_unknown() {
    let cut =
        "HTTP/1.1 200 OK\r\ncontent-length: 500\r\nconnection: close\r\nx-request-id: r-7\r\n\r\n{\"data\":";
    let (error, requests) = removal(&[cut]).await;
    assert_eq!(requests, 1);
    assert!(error.is_outcome_unknown());
    assert_eq!((error.status(), error.request_id()), (Some(200), Some("r-7")));
}

#[tokio::test]
async fn a_refusal_whose_body_is_cut_off_is_a_refusal_all_the_same() {
    let cut = "HTTP/1.1 400 Bad Request\r\ncontent-length: 500\r\nconnection: close\r\n\r\n{\"error\":";
    let (error, requests) = removal(&[cut]).await;
    assert_eq!((requests, error.status(), error.is_outcome_unknown()), (1, Some(400), false));
}

#[tokio::test]
async fn a_removal_that_is_not_answered_in_time_is_not_repeated() {
    let server = MockServer::start().await;
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(method("DELETE")).respond_with(late).expect(1).mount(&server).await;
    let (builder, _) = builder(&server.uri());
    let client = builder.timeout(Duration::from_millis(300)).build().unwrap();
    let error = client.remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert!(error.to_string().contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn a_gateways_html_is_an_error_with_its_status_and_its_beginning() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(502).set_body_string("<html>\n<h1>502 Bad Gateway</h1>");
    let page = page.insert_header("retry-after", "1").insert_header("x-request-id", "gw-1");
    Mock::given(method("DELETE")).respond_with(page).expect(1).mount(&server).await;
    let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
    assert_eq!((error.status(), error.code(), error.request_id()), (Some(502), None, Some("gw-1")));
    assert!(error.is_outcome_unknown());
    assert_eq!(
        error.to_string(),
        "cannot remove a member: 502, and the body is not the JSON of an error; it begins: \
         \"<html>\\n<h1>502 Bad Gateway</h1>\"; it may or may not have been done (request gw-1)"
    );
}

#[tokio::test]
async fn a_success_with_html_leaves_the_outcome_unknown() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_string("<html>sign in to the wifi");
    Mock::given(method("DELETE")).respond_with(page).expect(1).mount(&server).await;
    let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert!(error.to_string().contains("<html>sign in"), "{error}");
}

#[tokio::test]
async fn decision_34_what_the_server_itself_does_not_know_is_not_repeated() {
    for row in [refusal::outcome_unknown(), refusal::internal()] {
        let server = MockServer::start().await;
        Mock::given(method("DELETE")).respond_with(refuse(&row)).expect(1).mount(&server).await;
        let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
        assert!(error.is_outcome_unknown());
        assert_eq!(error.code(), Some(row.error));
    }
}

#[tokio::test]
async fn decision_01_not_a_member_is_known_with_either_status_and_either_word() {
    let mut by_word = refusal::not_members(400, &["u1"]);
    by_word.error = "invalid_parameter";
    for row in [refusal::not_members(400, &["u1"]), refusal::not_members(403, &["u1"]), by_word] {
        let server = MockServer::start().await;
        Mock::given(method("DELETE")).respond_with(refuse(&row)).mount(&server).await;
        let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
        assert!(error.is_not_a_member() && !error.is_outcome_unknown());
        assert!(!error.is_room_not_found() && !error.is_user_not_found() && !error.is_unauthorized());
    }
}

#[tokio::test]
async fn what_does_not_exist_is_known_by_its_text() {
    for (row, room_is_missing) in
        [(refusal::no_such_room("9"), true), (refusal::no_such_username("u1"), false)]
    {
        let server = MockServer::start().await;
        Mock::given(method("DELETE")).respond_with(refuse(&row)).mount(&server).await;
        let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
        assert_eq!(
            (error.is_room_not_found(), error.is_user_not_found()),
            (room_is_missing, !room_is_missing)
        );
        assert_eq!((error.status(), error.code()), (Some(404), Some("resource_not_found")));
    }
}

#[tokio::test]
async fn a_removal_that_the_server_says_it_did_not_do_is_an_error() {
    let server = MockServer::start().await;
    let refused = ok(serde_json::json!({"result": false, "user": "u1", "reason": "no"}));
    Mock::given(method("DELETE")).respond_with(refused).mount(&server).await;
    let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.to_string().contains("200, but not done: no"), "{error}");
    assert!(!error.is_outcome_unknown());
}

#[test]
fn a_client_that_cannot_work_is_not_built() {
    let build = |url: &str| Client::builder(url, app()).credentials("i", "s").build();
    for bad in ["ftp://h", "http://u:p@h", "http://h?q", "http://h#f"] {
        assert!(matches!(build(bad), Err(BuildError::UnusableBaseUrl)), "{bad}");
    }
    assert!(matches!(
        build("h:8080/x y"),
        Err(BuildError::UnusableBaseUrl | BuildError::UnreadableBaseUrl(_))
    ));
    assert!(matches!(build("nowhere"), Err(BuildError::UnreadableBaseUrl(_))));
    assert!(matches!(Client::builder("http://h", app()).build(), Err(BuildError::NoTokenSource)));
    let dots = crate::AppKey::from_parts("..", "chat").unwrap();
    let unusable = Client::builder("http://h", dots).credentials("i", "s").build();
    assert!(matches!(unusable, Err(BuildError::UnusableAppKey(_))));
    assert!(build("http://h/im/").is_ok());
}

#[test]
fn a_client_installs_no_tls_provider_for_the_whole_process() {
    // Without certificates on the machine, `https` is an error, but neither a panic.
    for url in ["http://h", "https://h"] {
        let built = Client::builder(url, app()).credentials("i", "s").build();
        assert!(matches!(built, Ok(_) | Err(BuildError::Tls(_))), "{built:?}");
    }
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}

#[tokio::test]
async fn a_base_url_may_have_a_path() {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::path(format!("/im{ROOM}")))
        .respond_with(ok(serde_json::json!({"success": true})))
        .expect(1)
        .mount(&server)
        .await;
    let (builder, _) = builder(&format!("{}/im/", server.uri()));
    builder.retry(RetryPolicy::never()).build().unwrap().dissolve_room(room()).await.unwrap();
}
