//! Rooms: create, details, list, dissolve.

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::test_util::ManualClock;
use chatroom_server::serve::Stores;

use crate::support::{NOW, TestServer, config};

#[tokio::test]
async fn a_room_is_made_and_described() {
    let server = TestServer::start().await;
    server.register(&["o", "m"]).await;
    let body = r#"{"name":"n","description":"d","owner":"O","maxusers":"200","members":["m","o"],"custom":"c","roomid":null}"#;
    let made = server.call("POST", "/chatrooms", body).await;
    insta::assert_snapshot!(made.shown(), @r#"200 {"action":"post","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms","entities":[],"data":{"id":"151661096834004"},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
    let details = server.call("GET", &format!("/chatrooms/{id}"), "").await;
    insta::assert_snapshot!(details.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004","entities":[],"data":[{"id":"151661096834004","name":"n","description":"d","membersonly":false,"allowinvites":false,"maxusers":200,"owner":"o","created":1729497896834,"custom":"c","affiliations_count":2,"affiliations":[{"member":"m"},{"owner":"o"}],"public":true}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
}

#[tokio::test]
async fn what_a_room_must_have_is_told_in_the_vendors_words() {
    let server = TestServer::start().await;
    server.register(&["o"]).await;
    let rows = [
        (r#"{"description":"d","owner":"o"}"#, 400, "chatroom must contain title/name field!"),
        (r#"{"name":"n","description":"d"}"#, 400, "owner must be provided"),
        (r#"{"name":"n","owner":"o"}"#, 400, "description must be provided"),
        (r#"{"name":"n","description":"d","owner":"nobody"}"#, 404, "username nobody doesn't exist!"),
        (
            r#"{"name":"n","description":"d","owner":"o","maxusers":10001}"#,
            403,
            "maxUsers cannot exceed 10000",
        ),
        (
            r#"{"name":"n","description":"d","owner":"o","maxusers":0}"#,
            400,
            "maxusers must be from 1 to 10000",
        ),
        (r#"{"name":"n","description":"d","owner":"o","members":["x"]}"#, 404, "username x doesn't exist!"),
    ];
    for (body, status, text) in rows {
        let (found, _, description) = server.call("POST", "/chatrooms", body).await.refusal();
        assert_eq!((found, description.as_str()), (status, text), "{body}");
    }
    let long = format!(r#"{{"name":"{}","description":"d","owner":"o"}}"#, "ä".repeat(129));
    let text = "title cannot exceed to 128".to_owned();
    assert_eq!(
        server.call("POST", "/chatrooms", &long).await.refusal(),
        (403, "exceed_limit".to_owned(), text)
    );
}

#[tokio::test]
async fn decision_15_members_at_creation_may_hold_the_owner_and_are_bounded_by_maxusers_only() {
    let server = TestServer::start().await;
    server.register(&["o", "a", "b"]).await;
    let create = |members: &str, max: u32| {
        format!(r#"{{"name":"n","description":"d","owner":"o","maxusers":{max},"members":{members}}}"#)
    };
    for (members, max, status) in [
        ("null", 1, 200),
        ("[]", 1, 200),
        (r#"["o"]"#, 1, 200),
        (r#"["a","o","a"]"#, 2, 200),
        (r#"["a","b"]"#, 2, 403),
    ] {
        let answer = server.call("POST", "/chatrooms", &create(members, max)).await;
        assert_eq!(answer.status, status, "{members} {max} {answer:?}");
        if status == 403 {
            let text = "members size is greater than max user size !".to_owned();
            assert_eq!(answer.refusal(), (403, "exceed_limit".to_owned(), text));
        }
    }
    let mut config = config();
    config.limits.calls.batch = 1;
    let server = TestServer::with(config).await;
    for name in ["o", "a", "b"] {
        server.register(&[name]).await;
    }
    assert_eq!(server.call("POST", "/chatrooms", &create(r#"["a","b"]"#, 3)).await.status, 200);
}

#[tokio::test]
async fn up_to_100_rooms_are_described_at_once() {
    let server = TestServer::start().await;
    let first = server.room("o", &[]).await;
    let second = server.room_of("o", &[]).await;
    let both = server.call("GET", &format!("/chatrooms/{second}%2C{first},{first}"), "").await.json();
    let ids: Vec<_> = both["data"].as_array().unwrap().iter().map(|room| room["id"].clone()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()]);
    let unknown = server.call("GET", &format!("/chatrooms/{first}%2C77"), "").await;
    let text = "do not find this group:77".to_owned();
    assert_eq!(unknown.refusal(), (404, "service_resource_not_found".to_owned(), text));
    let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
    let too_many = server.call("GET", &format!("/chatrooms/{}", many.join("%2C")), "").await;
    assert_eq!((too_many.status, too_many.json()["error"].as_str()), (400, Some("invalid_parameter")));
}

#[tokio::test]
async fn rooms_are_listed_by_cursor_and_by_page() {
    let server = TestServer::start().await;
    let mut made = vec![server.room("o", &[]).await];
    for _ in 0..2 {
        server.clock.advance(1);
        made.push(server.room_of("o", &[]).await);
    }
    let first = server.call("GET", "/chatrooms?limit=2", "").await;
    insta::assert_snapshot!(first.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"limit":["2"]},"uri":"http://im.test/demo/chat/chatrooms","entities":[],"data":[{"id":"151661096834004","name":"n","owner":"o","affiliations_count":1},{"id":"151661096835005","name":"n","owner":"o","affiliations_count":1}],"timestamp":1729497896836,"duration":0,"organization":"demo","applicationName":"chat","count":2,"cursor":"1hrc59a5kt"}"#);
    let cursor = first.json()["cursor"].as_str().unwrap().to_owned();
    let last = server.call("GET", &format!("/chatrooms?limit=2&cursor={cursor}"), "").await.json();
    assert_eq!((last["count"].as_u64(), last.get("cursor")), (Some(1), None));
    assert_eq!(last["data"][0]["id"], made[2].as_str());
    let page = server.call("GET", "/chatrooms?pagenum=2&pagesize=2", "").await.json();
    assert_eq!((page["count"].as_u64(), &page["data"][0]["id"]), (Some(1), &made[2].as_str().into()));
    for bad in ["cursor=..", "cursor=1", "limit=x"] {
        assert_eq!(server.call("GET", &format!("/chatrooms?{bad}"), "").await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_dissolved_room_is_gone_for_every_call() {
    let server = TestServer::start().await;
    let room = server.room("o", &["u"]).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"delete","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004","entities":[],"data":{"success":true,"id":"151661096834004"},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    assert_eq!(server.call("DELETE", &format!("/chatrooms/{room}"), "").await.status, 404);
    assert_eq!(server.call("DELETE", &format!("/chatrooms/{room}/users/u"), "").await.status, 404);
    assert_eq!(server.call("GET", &format!("/chatrooms/{room}"), "").await.status, 404);
    assert_eq!(server.call("GET", "/chatrooms", "").await.json()["count"], 0);
}

#[tokio::test]
async fn what_a_dissolution_or_a_deletion_leaves_behind_is_swept() {
    let clock = Arc::new(ManualClock::at(NOW));
    let stores = Stores::memory(&config(), clock.clone());
    let server = TestServer::on(config(), stores.clone(), clock).await;
    let room = server.room("o", &["u"]).await;
    server.room_of("o", &["u"]).await;
    assert_eq!(server.call("DELETE", &format!("/chatrooms/{room}"), "").await.status, 200);
    assert_eq!(server.call("DELETE", "/users/u", "").await.status, 200);
    let swept = async {
        while !stores.repository.sweeps(1).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), swept).await.expect("nobody sweeps");
}
