//! What an app that missed something asks for.

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::test_util::ManualClock;
use chatroom_core::{ChatroomId, RoomKey, Seq};
use chatroom_server::serve::Stores;

use crate::support::{NOW, TestServer, config};

/// `data` of the answer; `query` stands behind `room=…`.
async fn data(server: &TestServer, room: &str, query: &str) -> serde_json::Value {
    let answer = server.call("GET", &format!("/callbacks/events?room={room}{query}"), "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["data"].clone()
}

fn numbers(data: &serde_json::Value) -> Vec<u64> {
    data["events"].as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn the_events_of_a_room_are_listed_as_callbacks_would_tell_them() {
    let config = config();
    let clock = Arc::new(ManualClock::at(NOW));
    let stores = Stores::memory(&config, clock.clone());
    let (outbox, registry) = (stores.outbox.clone(), stores.registry.clone());
    let server = TestServer::on(config, stores, clock).await;
    let room = server.room("o", &["u1", "u2"]).await;
    server.call("DELETE", &format!("/chatrooms/{room}/users/u1"), "").await;
    let answer = server.call("GET", &format!("/callbacks/events?room={room}&after=1"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"room":["151661096834004"],"after":["1"]},"uri":"http://im.test/demo/chat/callbacks/events","entities":[],"data":{"id":"151661096834004","first":1,"last":3,"events":[{"seq":2,"callId":"demo#chat_00000000-0000-0000-0000-000000040001","security":"","payload":{"member":["u1","u2"],"type":"DIRECT"},"appkey":"demo#chat","id":"151661096834004","type":"CHATROOM","event":"group_op_event","operation":"JOIN","operator":"@ppAdmin","member_count":3,"timestamp":1729497896834},{"seq":3,"callId":"demo#chat_00000000-0000-0000-0000-000000050000","security":"","payload":{"member":["u1"],"type":"KICK"},"appkey":"demo#chat","id":"151661096834004","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","member_count":2,"timestamp":1729497896834}]},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat","count":2}"#);

    let id: ChatroomId = room.parse().unwrap();
    let key = RoomKey { app: registry.apps().await.unwrap()[0].id, id };
    let events = outbox.events(&key, Seq(2), 1).await.unwrap();
    let call_id = &answer.json()["data"]["events"][1]["callId"];
    assert_eq!(*call_id, format!("demo#chat_{}", events[0].id));
}

#[tokio::test]
async fn a_list_of_events_goes_on_behind_the_last_one_seen_and_shows_where_the_log_begins() {
    let mut config = config();
    config.callback.keep = Duration::from_secs(60);
    let server = TestServer::with(config).await;
    let room = server.room("o", &["u1", "u2"]).await;
    assert_eq!(numbers(&data(&server, &room, "").await), [1, 2]);
    assert_eq!(numbers(&data(&server, &room, "&limit=1").await), [1]);
    assert_eq!(numbers(&data(&server, &room, "&after=1&limit=1000000").await), [2]);
    let behind = data(&server, &room, "&after=2").await;
    assert_eq!((numbers(&behind), &behind["first"], &behind["last"]), (vec![], &1.into(), &2.into()));

    server.clock.advance(61_000);
    server.call("DELETE", &format!("/chatrooms/{room}/users/u1"), "").await;
    let trimmed = data(&server, &room, "").await;
    assert_eq!((numbers(&trimmed), &trimmed["first"], &trimmed["last"]), (vec![3], &3.into(), &3.into()));
    // What is written elsewhere takes the rest, and the room's number stays known.
    server.clock.advance(61_000);
    server.room("p", &[]).await;
    let nothing = data(&server, &room, "").await;
    assert_eq!((numbers(&nothing), &nothing["first"], &nothing["last"]), (vec![], &4.into(), &3.into()));
}

#[tokio::test]
async fn a_room_without_events_has_an_empty_list() {
    let server = TestServer::start().await;
    let answer = server.call("GET", "/callbacks/events?room=123456789012345", "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"room":["123456789012345"]},"uri":"http://im.test/demo/chat/callbacks/events","entities":[],"data":{"id":"123456789012345","first":1,"last":0,"events":[]},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat","count":0}"#);
}

#[tokio::test]
async fn a_list_of_events_says_what_is_wrong_with_the_query() {
    let server = TestServer::start().await;
    let mut refused = Vec::new();
    for query in ["", "?room=", "?room=7", "?room=123456789012345&after=x", "?room=123456789012345&limit=-1"]
    {
        let answer = server.call("GET", &format!("/callbacks/events{query}"), "").await;
        let (status, error, text) = answer.refusal();
        refused.push(format!("{query}: {status} {error} {text}"));
    }
    let (status, error, text) = server.call("GET", "/callbacks/streams?cursor=...", "").await.refusal();
    refused.push(format!("{status} {error} {text}"));
    insta::assert_snapshot!(refused.join("\n"), @"
    : 400 invalid_parameter room must be provided
    ?room=: 400 invalid_parameter room must be provided
    ?room=7: 400 invalid_parameter room must be the id of a room: a chatroom id is a decimal number of 15 digits
    ?room=123456789012345&after=x: 400 invalid_parameter after must be a whole number
    ?room=123456789012345&limit=-1: 400 invalid_parameter limit must be a whole number
    400 invalid_parameter cursor must be the one of the answer before: leave it out to begin at the first page
    ");
}

#[tokio::test]
async fn the_rooms_that_have_events_are_listed_by_cursor_with_their_last() {
    let server = TestServer::start().await;
    server.register(&["o", "u"]).await;
    let mut rooms = Vec::new();
    for members in [&["u"][..], &[], &[]] {
        server.clock.advance(1);
        rooms.push(server.room_of("o", members).await);
    }
    let first = server.call("GET", "/callbacks/streams?limit=2", "").await;
    let cursor = first.json()["cursor"].as_str().unwrap().to_owned();
    let shown = first.shown().replace(&rooms[0], "ROOM1").replace(&rooms[1], "ROOM2");
    insta::assert_snapshot!(shown.replace(&cursor, "CURSOR"), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"limit":["2"]},"uri":"http://im.test/demo/chat/callbacks/streams","entities":[],"data":[{"id":"ROOM1","last":2},{"id":"ROOM2","last":1}],"timestamp":1729497896837,"duration":0,"organization":"demo","applicationName":"chat","count":2,"cursor":"CURSOR"}"#);
    let second = server.call("GET", &format!("/callbacks/streams?limit=2&cursor={cursor}"), "").await.json();
    assert_eq!(second["data"], serde_json::json!([{"id": rooms[2], "last": 1}]));
    assert!(second.get("cursor").is_none());

    // A room that is dissolved keeps its events, and so its place.
    server.call("DELETE", &format!("/chatrooms/{}", rooms[1]), "").await;
    let all = server.call("GET", "/callbacks/streams", "").await.json();
    let ids: Vec<_> = all["data"].as_array().unwrap().iter().map(|stream| stream["id"].clone()).collect();
    assert_eq!(ids, rooms);
}

#[tokio::test]
async fn decision_4_events_are_read_with_the_token_of_the_app_and_within_its_limit() {
    let server = TestServer::start().await;
    for path in ["/callbacks/events?room=nothing", "/callbacks/streams"] {
        assert_eq!(server.plain("GET", path, &[], "").await.status, 401);
        assert_eq!(server.raw("GET", &format!("/no/app{path}"), &[], "").await.status, 404);
        assert_eq!(server.call("POST", path, "").await.status, 405);
        for _ in 0..100 {
            assert_ne!(server.call("GET", path, "").await.status, 429);
        }
        let answer = server.call("GET", path, "").await;
        assert_eq!(answer.status, 429);
        assert!(answer.header("ratelimit-policy").unwrap().starts_with("\"list_"), "{answer:?}");
    }
}
