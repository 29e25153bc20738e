use std::sync::Arc;
use std::time::Duration;

use chatroom_protocol::{refusal, token};
use futures_util::future::join_all;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;
use crate::clock::Clock;
use crate::token::cache::TokenCache;
use crate::{Client, RetryPolicy};

const HOUR: Duration = Duration::from_secs(3_600);

fn cache(tokens: &Tokens) -> (TokenCache, Arc<QuickClock>) {
    let clock = Arc::new(QuickClock::default());
    (TokenCache::new(Arc::new(tokens.clone()), Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

/// A token endpoint that answers `first`, and then for ever `second`.
async fn token_endpoint(server: &MockServer, first: &str, second: &str) {
    for (number, token) in [first, second].into_iter().enumerate() {
        let body = token::Response { access_token: token.into(), expires_in: 3_600, application: None };
        let answer = ResponseTemplate::new(200).set_body_json(&body).set_delay(Duration::from_millis(50));
        let mock = Mock::given(method("POST")).and(path("/demo/chat/token")).respond_with(answer);
        let mock = if number == 0 { mock.up_to_n_times(1) } else { mock };
        mock.mount(server).await;
    }
}

async fn token_calls(server: &MockServer) -> usize {
    let all = server.received_requests().await.unwrap();
    all.iter().filter(|request| request.url.path().ends_with("/token")).count()
}

#[tokio::test]
async fn credentials_are_sent_to_the_token_endpoint_and_the_token_to_all_others() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/demo/chat/token"))
        .and(body_json(serde_json::json!({
            "grant_type": "client_credentials", "client_id": "id", "client_secret": "s3cret", "ttl": 600
        })))
        .respond_with(
            ResponseTemplate::new(200).set_body_string(r#"{"access_token":"t0ken","expires_in":600}"#),
        )
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("DELETE"))
        .and(header("authorization", "Bearer t0ken"))
        .respond_with(ok(serde_json::json!({"success": true, "id": "1"})))
        .expect(2)
        .mount(&server)
        .await;
    let builder = Client::builder(&server.uri(), app());
    let builder = builder.credentials("id", "s3cret").token_ttl(Duration::from_secs(600));
    assert!(!format!("{builder:?}").contains("s3cret"));
    let client = builder.build().unwrap();
    client.dissolve_room(room()).await.unwrap();
    client.dissolve_room(room()).await.unwrap();
    let shown = format!("{client:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("t0ken"), "{shown}");
}

#[tokio::test]
async fn a_thousand_callers_whose_token_expired_make_one_token_call() {
    let tokens = Tokens::valid_for(Some(HOUR)).closed();
    let (cache, clock) = cache(&tokens);
    tokens.gate.add_permits(1);
    cache.get().await.unwrap();
    clock.pass(HOUR);
    let callers = join_all((0..1_000).map(|_| cache.get()));
    // The source answers only after every caller waits.
    let (all, ()) = futures_util::future::join(callers, async { tokens.gate.add_permits(1_000) }).await;
    assert!(all.iter().all(|token| token.as_ref().unwrap().header == "Bearer token-2"));
    assert_eq!(tokens.calls(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_whose_token_is_refused_make_one_token_call() {
    let server = MockServer::start().await;
    token_endpoint(&server, "old", "new").await;
    Mock::given(header("authorization", "Bearer new"))
        .respond_with(ok(serde_json::json!({"success": true})))
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer old"))
        .respond_with(refuse(&refusal::unauthorized()))
        .mount(&server)
        .await;
    let client = Client::builder(&server.uri(), app()).credentials("i", "s").build().unwrap();
    // Bounded, because every call that waits for its answer has a connection, and descriptors are few.
    let places = Arc::new(tokio::sync::Semaphore::new(50));
    let calls = (0..1_000).map(|_| {
        let (client, places) = (client.clone(), Arc::clone(&places));
        tokio::spawn(async move {
            let _place = places.acquire().await.unwrap();
            client.dissolve_room(room()).await
        })
    });
    for call in join_all(calls).await {
        call.unwrap().unwrap();
    }
    assert_eq!(token_calls(&server).await, 2);
}

#[tokio::test]
async fn a_caller_whose_token_was_refused_late_takes_the_one_that_others_fetched_meanwhile() {
    let tokens = Tokens::valid_for(None);
    let (cache, _) = cache(&tokens);
    let refused = cache.get().await.unwrap();
    let early = cache.renew(&refused).await.unwrap();
    let late = cache.renew(&refused).await.unwrap();
    assert_eq!((&early.header, &late.header), (&"Bearer token-2".parse().unwrap(), &early.header));
    assert_eq!(tokens.calls(), 2);
}

#[tokio::test]
async fn a_failed_fetch_fails_all_who_wait_once_and_is_not_kept() {
    let server = MockServer::start().await;
    Mock::given(path("/demo/chat/token"))
        .respond_with(refuse(&refusal::client_secret_does_not_match()).set_delay(Duration::from_millis(100)))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    token_endpoint(&server, "t", "t").await;
    Mock::given(method("DELETE")).respond_with(ok(serde_json::json!({"success": true}))).mount(&server).await;
    let client = Client::builder(&server.uri(), app()).credentials("i", "s").build().unwrap();
    for failed in join_all((0..1_000).map(|_| client.dissolve_room(room()))).await {
        let error = failed.unwrap_err();
        assert_eq!((error.status(), error.code()), (Some(400), Some("invalid_grant")));
        assert!(error.is_unauthorized() && !error.is_outcome_unknown());
        assert!(error.to_string().starts_with("cannot fetch a token: 400 invalid_grant"), "{error}");
    }
    assert_eq!(token_calls(&server).await, 1);
    client.dissolve_room(room()).await.unwrap();
    assert_eq!(token_calls(&server).await, 2);
}

#[tokio::test]
async fn a_fetch_goes_on_for_the_others_when_its_first_caller_is_dropped() {
    let tokens = Tokens::valid_for(None).closed();
    let (cache, _) = cache(&tokens);
    let (first, second) = (cache.clone(), cache.clone());
    let first = tokio::spawn(async move { first.get().await.map(drop) });
    tokio::task::yield_now().await;
    let second = tokio::spawn(async move { second.get().await.map(drop) });
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    tokens.gate.add_permits(1);
    second.await.unwrap().unwrap();
    assert_eq!(tokens.calls(), 1);
}

#[tokio::test]
async fn a_fetch_that_nobody_waits_for_is_given_up_and_the_next_caller_begins_anew() {
    let tokens = Tokens::valid_for(None).closed();
    let (cache, _) = cache(&tokens);
    let only = cache.clone();
    let only = tokio::spawn(async move { only.get().await.map(drop) });
    tokio::task::yield_now().await;
    only.abort();
    assert!(only.await.unwrap_err().is_cancelled());
    tokens.gate.add_permits(1);
    assert_eq!(cache.get().await.unwrap().header, "Bearer token-2");
}

#[tokio::test]
async fn a_token_is_renewed_a_minute_before_it_expires_or_at_half_its_life() {
    for (valid, renewed_after) in [(3_600, 3_540), (60, 30)] {
        let tokens = Tokens::valid_for(Some(Duration::from_secs(valid)));
        let (cache, clock) = cache(&tokens);
        cache.get().await.unwrap();
        clock.pass(Duration::from_secs(renewed_after - 1));
        cache.get().await.unwrap();
        assert_eq!(tokens.calls(), 1);
        clock.pass(Duration::from_secs(1));
        cache.get().await.unwrap();
        assert_eq!(tokens.calls(), 2);
    }
}

#[tokio::test]
async fn a_token_that_never_expires_is_kept() {
    let tokens = Tokens::valid_for(None);
    let (cache, clock) = cache(&tokens);
    cache.get().await.unwrap();
    clock.pass(HOUR * 100_000);
    cache.get().await.unwrap();
    assert_eq!(tokens.calls(), 1);
}

#[tokio::test]
async fn a_renewal_that_fails_does_not_harm_while_the_old_token_is_valid() {
    let tokens = Tokens::valid_for(Some(HOUR));
    let (cache, clock) = cache(&tokens);
    cache.get().await.unwrap();
    tokens.fail.store(true, std::sync::atomic::Ordering::SeqCst);
    clock.pass(HOUR - Duration::from_secs(60));
    assert_eq!(cache.get().await.unwrap().header, "Bearer token-1");
    assert_eq!(cache.get().await.unwrap().header, "Bearer token-1");
    assert_eq!(tokens.calls(), 2, "the next attempt waits a little");
    clock.pass(Duration::from_secs(60));
    let error = cache.get().await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), "cannot fetch a token: the token source failed");
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("the vault is closed"));
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_an_error_and_not_a_loop() {
    let server = MockServer::start().await;
    Mock::given(method("DELETE"))
        .respond_with(refuse(&refusal::token_is_blank()))
        .expect(2)
        .mount(&server)
        .await;
    let (builder, _) = builder(&server.uri());
    let client = builder.retry(RetryPolicy::never()).build().unwrap();
    let error = client.remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(error.is_unauthorized());
    assert!(!error.is_outcome_unknown());
}

#[tokio::test]
async fn a_missing_role_is_not_taken_for_a_bad_token() {
    let server = MockServer::start().await;
    let body = r#"{"error":"group_authorization","error_description":"you have no permission to do this"}"#;
    let answer = ResponseTemplate::new(401).set_body_string(body);
    Mock::given(method("DELETE")).respond_with(answer).expect(1).mount(&server).await;
    let error = client(&server.uri()).remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(!error.is_unauthorized());
}

#[tokio::test]
async fn a_body_that_is_no_token_is_not_shown() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_string(r#"{"access_tokens":"s3cret"}"#);
    Mock::given(path("/demo/chat/token")).respond_with(answer).mount(&server).await;
    let client = Client::builder(&server.uri(), app()).credentials("i", "s").build().unwrap();
    let error = client.remove_member(room(), &user("u1")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert!(!error.is_outcome_unknown());
}
