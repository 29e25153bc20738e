use chatroom_protocol::members::remove::Removed;
use chatroom_protocol::{path as segment, refusal};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::support::*;
use crate::{Error, Member};

/// The names in the path of a removal.
fn names(request: &Request) -> Vec<String> {
    let last = request.url.path().rsplit('/').next().unwrap();
    segment::decode(last).unwrap().split(',').map(str::to_owned).collect()
}

/// Removes whomever it is asked to but these.
fn removes_all_but(strangers: &'static [&'static str]) -> impl Fn(&Request) -> ResponseTemplate {
    move |request| {
        let names = names(request);
        if names.iter().all(|name| strangers.contains(&name.as_str())) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            return refuse(&refusal::not_members(400, &names));
        }
        let one = |name: &String| {
            let name = name.as_str();
            json!(if strangers.contains(&name) {
                Removed::not_a_member(name, "1")
            } else {
                Removed::done(name, "1")
            })
        };
        match names.as_slice() {
            [only] => ok(one(only)),
            many => ok(many.iter().map(one).collect::<Vec<_>>()),
        }
    }
}

async fn batch_sizes(server: &MockServer) -> Vec<usize> {
    server.received_requests().await.unwrap().iter().map(|request| names(request).len()).collect()
}

#[tokio::test]
async fn decision_15_a_large_removal_is_split_and_a_name_given_twice_counts_once() {
    let server = MockServer::start().await;
    Mock::given(method("DELETE")).respond_with(removes_all_but(&[])).mount(&server).await;
    let mut all = users(0..201);
    all.push(user("U7"));
    // Spawned, which shows that the future may move between threads.
    let client = client(&server.uri());
    let removals =
        tokio::spawn(async move { client.remove_members(room(), &all).await }).await.unwrap().unwrap();
    assert_eq!(batch_sizes(&server).await, [100, 100, 1]);
    assert!(removals.iter().all(|removal| removal.removed && removal.reason.is_none()));
    assert_eq!(removals.into_iter().map(|removal| removal.user).collect::<Vec<_>>(), users(0..201));
}

#[tokio::test]
async fn decision_13_a_part_without_a_member_is_no_error_if_another_part_has_one() {
    let server = MockServer::start().await;
    Mock::given(method("DELETE")).respond_with(removes_all_but(&["u1", "u2", "u3"])).mount(&server).await;
    let (builder, _) = builder(&server.uri());
    let client = builder.remove_batch(2).build().unwrap();
    let removals = client.remove_members(room(), &users(0..4)).await.unwrap();
    assert_eq!(
        removals.iter().map(|removal| removal.removed).collect::<Vec<_>>(),
        [true, false, false, false]
    );
    assert_eq!(removals[1].reason.as_deref(), Some("user: u1 doesn't exist in group: 1"));
    let error = client.remove_members(room(), &users(1..4)).await.unwrap_err();
    assert!(error.error().is_not_a_member());
    assert_eq!((error.done().len(), error.failed(), error.not_sent().len()), (0, &*users(1..4), 0));
}

#[tokio::test]
async fn a_batch_that_fails_in_the_middle_says_what_was_done() {
    let server = MockServer::start().await;
    Mock::given(path(format!("{ROOM}/users/u2%2Cu3")))
        .respond_with(refuse(&refusal::no_such_username("u3")))
        .mount(&server)
        .await;
    Mock::given(method("DELETE")).respond_with(removes_all_but(&[])).mount(&server).await;
    let (builder, _) = builder(&server.uri());
    let client = builder.remove_batch(2).build().unwrap();
    let error = client.remove_members(room(), &users(0..7)).await.unwrap_err();
    let done: Vec<_> = error.done().iter().map(|removal| removal.user.clone()).collect();
    assert_eq!((done, error.failed(), error.not_sent()), (users(0..2), &*users(2..4), &*users(4..7)));
    assert_eq!(batch_sizes(&server).await, [2, 2]);
    assert!(error.to_string().contains("(of a batch: 2 done before, 2 failed, 3 not sent)"), "{error}");
    assert!(Error::from(error).is_user_not_found());
}

#[tokio::test]
async fn a_batch_of_nobody_sends_nothing() {
    let server = MockServer::start().await;
    let client = client(&server.uri());
    assert_eq!(client.remove_members(room(), &[]).await.unwrap(), []);
    assert_eq!(client.add_members(room(), &[]).await.unwrap(), []);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn decision_15_a_large_addition_is_split() {
    let server = MockServer::start().await;
    for part in [users(0..60), users(60..61)] {
        let names: Vec<&str> = part.iter().map(crate::Username::as_str).collect();
        Mock::given(method("POST"))
            .and(path(format!("{ROOM}/users")))
            .and(body_json(json!({"usernames": names})))
            .respond_with(ok(json!({"newmembers": names, "action": "add_member", "id": "1"})))
            .expect(1)
            .mount(&server)
            .await;
    }
    let client = client(&server.uri());
    let added = tokio::spawn(async move { client.add_members(room(), &users(0..61)).await }).await.unwrap();
    assert_eq!(added.unwrap(), users(0..61));
}

#[tokio::test]
async fn decision_27_members_are_streamed_page_after_page() {
    let server = MockServer::start().await;
    let page = |data: &[&'static str], cursor: Option<&'static str>| {
        let mut page = envelope(data.to_vec());
        page.cursor = cursor.map(Into::into);
        ResponseTemplate::new(200).set_body_json(page)
    };
    let list = || Mock::given(path(format!("{ROOM}/users"))).and(query_param("version", "v3"));
    list()
        .and(query_param("limit", "1000"))
        .and(query_param_is_missing("cursor"))
        .respond_with(page(&["u0", "u1"], Some("c=1&")))
        .expect(2)
        .mount(&server)
        .await;
    list().and(query_param("cursor", "c=1&")).respond_with(page(&[], Some("c2"))).mount(&server).await;
    list().and(query_param("cursor", "c2")).respond_with(page(&["u2"], None)).expect(1).mount(&server).await;
    let client = client(&server.uri());
    assert_eq!(client.members(room()).try_collect::<Vec<_>>().await.unwrap(), users(0..3));
    // A stream that is not polled further asks for no further page.
    assert_eq!(client.members(room()).try_next().await.unwrap(), Some(user("u0")));
}

#[tokio::test]
async fn a_cursor_that_does_not_move_on_ends_the_stream_with_an_error() {
    let server = MockServer::start().await;
    let mut page = envelope(json!([{"member": "u0"}]));
    page.cursor = Some("same".into());
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page))
        .expect(2)
        .mount(&server)
        .await;
    let error = client(&server.uri()).members(room()).take(9).try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.to_string().contains("the cursor does not move on"), "{error}");
    assert!(!error.is_outcome_unknown());
}

#[tokio::test]
async fn decision_27_a_page_of_members_says_who_is_the_owner() {
    let server = MockServer::start().await;
    Mock::given(query_param("pagenum", "2"))
        .and(query_param("pagesize", "50"))
        .respond_with(ok(json!([{"member": "u1"}, {"owner": "u0"}])))
        .mount(&server)
        .await;
    let members = client(&server.uri()).members_page(room(), 2, 50).await.unwrap();
    let expected =
        [(user("u1"), false), (user("u0"), true)].map(|(username, is_owner)| Member { username, is_owner });
    assert_eq!(members, expected);
}
