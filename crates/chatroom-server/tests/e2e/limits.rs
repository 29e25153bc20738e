//! The rate limit, and the order of checks that it is part of.

use std::sync::Arc;

use chatroom_core::permits::MockPermitLedger;
use chatroom_core::test_util::ManualClock;
use chatroom_core::{StorageError, StorageErrorKind};
use chatroom_server::serve::Stores;

use crate::support::{NOW, TestServer, config};

#[tokio::test]
async fn decision_18_the_call_beyond_the_limit_gets_429_with_headers_until_the_second_is_over() {
    let server = TestServer::start().await;
    for _ in 0..100 {
        assert_eq!(server.call("DELETE", "/chatrooms/1/users/u", "").await.status, 404);
    }
    let answer = server.call("DELETE", "/chatrooms/1/users/u", "").await;
    insta::assert_snapshot!(answer.shown(), @r#"429 {"error":"reach_limit","exception":"ReachLimitException","timestamp":1729497896834,"duration":0,"error_description":"This request has reached api limit"}"#);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("ratelimit-policy"), Some(r#""remove_members";q=100;w=1"#));
    assert_eq!(answer.header("ratelimit"), Some(r#""remove_members";r=0;t=1"#));
    // Another endpoint of the same app has calls of its own.
    assert_eq!(server.call("GET", "/users", "").await.status, 200);
    server.advance_micros(1_000_000);
    assert_eq!(server.call("DELETE", "/chatrooms/1/users/u", "").await.status, 429);
    server.advance_micros(1);
    assert_eq!(server.call("DELETE", "/chatrooms/1/users/u", "").await.status, 404);
}

#[tokio::test]
async fn decision_18_create_and_list_have_limits_of_their_own_and_zero_turns_all_off() {
    let server = TestServer::start().await;
    for _ in 0..50 {
        assert_eq!(server.call("GET", "/chatrooms", "").await.status, 200);
    }
    assert_eq!(server.call("GET", "/chatrooms", "").await.status, 429);

    let mut config = config();
    config.rate_limit.per_second = 0;
    let server = TestServer::with(config).await;
    for _ in 0..310 {
        assert_eq!(server.call("GET", "/chatrooms", "").await.status, 200);
    }
    for _ in 0..310 {
        assert_eq!(server.plain("POST", "/token", &[], "{").await.status, 400);
    }
}

#[tokio::test]
async fn decision_18_tokens_are_limited_by_client_address() {
    let server = TestServer::start().await;
    // One was asked for at the start.
    for _ in 1..300 {
        assert_eq!(server.plain("POST", "/token", &[], "{").await.status, 400);
    }
    let answer = server.plain("POST", "/token", &[], "{").await;
    assert_eq!(answer.refusal().1, "reach_limit");
    assert_eq!(answer.header("ratelimit-policy"), Some(r#""token";q=300;w=1"#));
}

#[tokio::test]
async fn decision_33_a_call_that_is_refused_after_authentication_spends_the_limit() {
    let mut config = config();
    config.rate_limit.per_second = 3;
    let server = TestServer::with(config).await;
    assert_eq!(server.call("POST", "/chatrooms/1/users", "no json").await.status, 400);
    assert_eq!(server.call("POST", "/chatrooms/1/users/u", "").await.status, 404);
    assert_eq!(server.call("POST", "/chatrooms/1/users", r#"{"usernames":[]}"#).await.status, 400);
    assert_eq!(server.call("POST", "/chatrooms/1/users/u", "").await.status, 429);
}

#[tokio::test]
async fn decision_4_an_unauthenticated_call_never_spends_an_apps_quota() {
    let mut config = config();
    config.rate_limit.per_second = 1;
    let server = TestServer::with(config).await;
    for _ in 0..3 {
        let headers = [("Authorization", "Bearer YWMtbogus")];
        assert_eq!(server.plain("DELETE", "/chatrooms/1/users/u", &headers, "").await.status, 401);
    }
    assert_eq!(server.call("DELETE", "/chatrooms/1/users/u", "").await.status, 404);
    assert_eq!(server.call("DELETE", "/chatrooms/1/users/u", "").await.status, 429);
}

#[tokio::test]
async fn decision_4_checks_come_in_their_order() {
    let mut config = config();
    config.rate_limit.per_second = 1;
    config.limits.body = 1_024;
    let server = TestServer::with(config).await;
    let bad = [("Authorization", "Bearer x")];
    let large = "x".repeat(1_100);
    // Route and method before the path is decoded.
    assert_eq!(server.plain("PUT", "/chatrooms/%2F/users/u", &bad, "").await.status, 405);
    assert_eq!(server.plain("GET", "/nothing/%2F", &bad, "").await.status, 404);
    // The path before the app key, that before the token.
    assert_eq!(server.raw("GET", "/demo/other/users/a%2Fb", &bad, "").await.status, 400);
    assert_eq!(server.raw("GET", "/demo/other/users/a", &bad, "").await.status, 404);
    // The token before the limit, that before the body, that before the room.
    assert_eq!(server.plain("POST", "/chatrooms/1/users", &bad, &large).await.status, 401);
    assert_eq!(server.call("POST", "/chatrooms/1/users", &large).await.status, 413);
    assert_eq!(server.call("POST", "/chatrooms/1/users", &large).await.status, 429);
    server.advance_micros(1_000_001);
    assert_eq!(server.call("POST", "/chatrooms/1/users", "x").await.json()["error"], "json_parse");
    server.advance_micros(1_000_001);
    // The room before the user.
    let answer = server.call("POST", "/chatrooms/1/users", r#"{"usernames":["nobody"]}"#).await;
    assert_eq!(answer.refusal().2, "grpID 1 does not exist!");
}

#[tokio::test]
async fn decision_34_while_nobody_can_say_how_many_calls_are_left_a_call_gets_503() {
    let mut ledger = MockPermitLedger::new();
    let away = || StorageError::new(StorageErrorKind::Unavailable, "staged");
    ledger.expect_join().returning(move |_| Err(away()));
    ledger.expect_remove().returning(|_| Ok(()));
    let (config, clock) = (config(), Arc::new(ManualClock::at(NOW)));
    let stores = Stores { permits: Some(Arc::new(ledger)), ..Stores::memory(&config, clock.clone()) };
    let server = TestServer::on(config, stores, clock).await;
    let answer = server.call("GET", "/users/u", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{answer:?}");
}
