use chatroom_protocol::refusal;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::support::*;
use crate::{NewRoom, NewUser, Registration, RoomId};

#[tokio::test]
async fn a_room_is_created_with_what_was_given_only() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/demo/chat/chatrooms"))
        .and(body_json(json!({"name": "n", "description": "d", "owner": "o", "members": ["u0", "u1"]})))
        .respond_with(ok(json!({"id": "66021836783617"})))
        .mount(&server)
        .await;
    let mut new = NewRoom::new("n", "d", user("o"));
    new.members = users(0..2);
    let id = client(&server.uri()).create_room(&new).await.unwrap();
    assert_eq!(id, "66021836783617".parse::<RoomId>().unwrap());
}

#[tokio::test]
async fn a_creation_is_not_repeated_when_its_outcome_is_unknown() {
    let server = RawServer::start(&[""]).await;
    let error = client(&server.url).create_room(&NewRoom::new("n", "d", user("o"))).await.unwrap_err();
    assert!(error.is_outcome_unknown());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn details_are_read_from_an_array_and_from_an_object() {
    let room_data = json!({"id": "181234567890123", "name": "n", "owner": "o", "maxusers": 200, "created": 7,
        "affiliations_count": 2, "affiliations": [{"member": "u0"}, {"owner": "o"}], "mute": false});
    for data in [json!([room_data]), room_data] {
        let server = MockServer::start().await;
        Mock::given(path(ROOM)).respond_with(ok(data)).mount(&server).await;
        let room = client(&server.uri()).room(room()).await.unwrap();
        assert_eq!((room.max_users, room.created_ms, room.member_count), (200, 7, 2));
        assert_eq!(room.members.iter().filter(|member| member.is_owner).count(), 1);
    }
}

#[tokio::test]
async fn decision_02_a_room_that_is_missing_is_known_on_reads_too() {
    let server = MockServer::start().await;
    let answer = refuse(&refusal::no_such_room_to_read("9"));
    Mock::given(method("GET")).respond_with(answer).mount(&server).await;
    let client = client(&server.uri());
    assert!(client.room(room()).await.unwrap_err().is_room_not_found());
    assert!(client.members(room()).try_next().await.unwrap_err().is_room_not_found());
}

#[tokio::test]
async fn rooms_and_users_are_streamed() {
    let server = MockServer::start().await;
    let summary = |id: &str| json!({"id": id, "name": "n", "owner": "o", "affiliations_count": 1});
    let mut first = envelope(json!([summary("1")]));
    first.cursor = Some("next".into());
    let rooms = || Mock::given(path("/demo/chat/chatrooms"));
    let first = ResponseTemplate::new(200).set_body_json(first);
    rooms().and(query_param_is_missing("cursor")).respond_with(first).mount(&server).await;
    rooms().and(query_param("cursor", "next")).respond_with(ok(json!([summary("2")]))).mount(&server).await;
    let entity = json!({"uuid": "x", "type": "user", "created": 1, "modified": 1, "username": "u0"});
    Mock::given(path("/demo/chat/users"))
        .and(query_param("limit", "100"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"entities": [entity], "count": 1})))
        .mount(&server)
        .await;
    let client = client(&server.uri());
    let rooms: Vec<_> = client.rooms().try_collect().await.unwrap();
    assert_eq!(rooms.iter().map(|room| room.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    let users: Vec<_> = client.users().try_collect().await.unwrap();
    assert_eq!(users[0].username, user("u0"));
}

fn entities(names: &[&str], data: Option<Value>) -> ResponseTemplate {
    let entity = |name: &&str| json!({"uuid": "x", "type": "user", "created": 1, "username": name});
    let mut body = json!({"path": "/users", "entities": names.iter().map(entity).collect::<Vec<_>>()});
    if let Some(data) = data {
        body["data"] = data;
    }
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn a_user_is_registered_read_and_deleted() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(body_json(json!({"username": "u0", "password": "p4ss"})))
        .respond_with(entities(&["u0"], None))
        .mount(&server)
        .await;
    for verb in ["GET", "DELETE"] {
        Mock::given(method(verb))
            .and(path("/demo/chat/users/u0"))
            .respond_with(entities(&["u0"], None))
            .mount(&server)
            .await;
    }
    Mock::given(method("DELETE")).respond_with(refuse(&refusal::no_such_user())).mount(&server).await;
    let client = client(&server.uri());
    let new = NewUser::new(user("u0"), "p4ss");
    assert!(!format!("{new:?}").contains("p4ss"));
    assert_eq!(client.register_user(&new).await.unwrap(), client.user(&user("u0")).await.unwrap());
    client.delete_user(&user("u0")).await.unwrap();
    assert!(client.delete_user(&user("u1")).await.unwrap_err().is_user_not_found());
}

#[tokio::test]
async fn a_batch_registration_says_who_was_not_registered_also_in_a_part_of_one() {
    let server = MockServer::start().await;
    Mock::given(body_json(json!([{"username": "u2", "password": "p"}])))
        .respond_with(refuse(&refusal::username_taken("x", "u2")))
        .mount(&server)
        .await;
    let failed = json!([{"username": "u1", "registerUserFailReason": "the u1 already exists"}]);
    Mock::given(method("POST")).respond_with(entities(&["u0"], Some(failed))).mount(&server).await;
    let (builder, _) = builder(&server.uri());
    let client = builder.batch(2).build().unwrap();
    let new: Vec<_> = users(0..3).into_iter().map(|name| NewUser::new(name, "p")).collect();
    let all = tokio::spawn(async move { client.register_users(&new).await }).await.unwrap().unwrap();
    assert!(matches!(&all[0], Registration::Registered(registered) if registered.username == user("u0")));
    for (registration, name) in all[1..].iter().zip(["u1", "u2"]) {
        assert!(
            matches!(registration, Registration::NotRegistered { username, .. } if *username == user(name))
        );
    }
    assert_eq!(all.len(), 3);
}
