//! Additions and lists of members.

use crate::support::{TestServer, config};

#[tokio::test]
async fn one_user_is_added_without_a_body() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    server.register(&["user1"]).await;
    let answer = server.call("POST", &format!("/chatrooms/{room}/users/user1"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"post","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004/users/user1","entities":[],"data":{"result":true,"action":"add_member","id":"151661096834004","user":"user1"},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
}

#[tokio::test]
async fn decision_25_bodies_of_single_additions_and_of_removals_are_ignored() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    server.register(&["u1"]).await;
    let path = format!("/chatrooms/{room}/users/u1");
    for body in ["", "{}", r#"{"x":1}"#, "no json"] {
        assert_eq!(server.call("POST", &path, body).await.status, 200, "{body}");
        assert_eq!(server.call("DELETE", &path, body).await.status, 200, "{body}");
    }
}

#[tokio::test]
async fn decision_16_adding_a_member_again_succeeds_and_changes_nothing() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["u1"]).await;
    server.register(&["u2"]).await;
    let again = server.call("POST", &format!("/chatrooms/{room}/users/u1"), "").await;
    assert_eq!(again.json()["data"]["result"], true);
    let body = r#"{"usernames":["u2","U1"]}"#;
    let answer = server.call("POST", &format!("/chatrooms/{room}/users"), body).await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"post","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004/users","entities":[],"data":{"newmembers":["u2","u1"],"action":"add_member","id":"151661096834004"},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    assert_eq!(server.members(&room).await, ["member:u1", "member:u2", "owner:owner"]);
}

#[tokio::test]
async fn decision_14_one_unknown_user_refuses_the_whole_addition() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    server.register(&["u1"]).await;
    let path = format!("/chatrooms/{room}/users");
    let answer = server.call("POST", &path, r#"{"usernames":["u1","nobody"]}"#).await;
    let text = "username nobody doesn't exist!".to_owned();
    assert_eq!(answer.refusal(), (404, "resource_not_found".to_owned(), text));
    assert_eq!(server.members(&room).await, ["owner:owner"]);
}

#[tokio::test]
async fn decision_15_an_addition_of_too_many_is_refused_before_the_room_is_looked_for() {
    let mut config = config();
    config.limits.calls.batch = 2;
    let server = TestServer::with(config).await;
    for room in ["123456789012345", "no-number"] {
        let path = format!("/chatrooms/{room}/users");
        let answer = server.call("POST", &path, r#"{"usernames":["a","b","c"]}"#).await;
        let text = "addMembers: addMembers number more than maxSize : 2".to_owned();
        assert_eq!(answer.refusal(), (400, "invalid_parameter".to_owned(), text));
        assert_eq!(server.call("POST", &path, r#"{"usernames":["a","b","A"]}"#).await.status, 404);
    }
}

#[tokio::test]
async fn decision_17_a_batch_that_does_not_fit_is_refused_as_a_whole() {
    let server = TestServer::start().await;
    server.register(&["owner", "u1", "u2"]).await;
    let body = r#"{"name":"n","description":"d","owner":"owner","maxusers":2}"#;
    let room =
        server.call("POST", "/chatrooms", body).await.json()["data"]["id"].as_str().unwrap().to_owned();
    let path = format!("/chatrooms/{room}/users");
    let answer = server.call("POST", &path, r#"{"usernames":["u1","u2"]}"#).await;
    insta::assert_snapshot!(answer.shown(), @r#"403 {"error":"exceed_limit","exception":"com.easemob.group.exception.ExceedLimitException","timestamp":1729497896834,"duration":0,"error_description":"group member list is full!"}"#);
    assert_eq!(server.members(&room).await, ["owner:owner"]);
    assert_eq!(server.call("POST", &format!("{path}/u1"), "").await.status, 200);
    assert_eq!(server.call("POST", &format!("{path}/u2"), "").await.status, 403);
}

#[tokio::test]
async fn decision_27_a_page_lists_members_in_join_order_and_the_owner_last() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["c", "a", "b"]).await;
    let path = format!("/chatrooms/{room}/users");
    let answer = server.call("GET", &format!("{path}?pagenum=2&pagesize=2"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"pagenum":["2"],"pagesize":["2"]},"uri":"http://im.test/demo/chat/chatrooms/151661096834004/users","entities":[],"data":[{"member":"b"},{"owner":"owner"}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat","count":2}"#);
    assert_eq!(server.members(&room).await, ["member:c", "member:a", "member:b", "owner:owner"]);
    let v3 = server.call("GET", &format!("{path}?version=v3&pagenum=1&pagesize=1"), "").await.json();
    assert_eq!(v3["data"], serde_json::json!([{"member":"c"}]));
}

#[tokio::test]
async fn decision_27_a_list_by_cursor_has_plain_names_without_the_owner() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["c", "a", "b"]).await;
    let path = format!("/chatrooms/{room}/users?version=v3&limit=2");
    let answer = server.call("GET", &path, "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"version":["v3"],"limit":["2"]},"uri":"http://im.test/demo/chat/chatrooms/151661096834004/users","entities":[],"data":["c","a"],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat","count":2,"cursor":"1kx"}"#);
    let cursor = answer.json()["cursor"].as_str().unwrap().to_owned();
    // A removal in between moves nothing.
    server.call("DELETE", &format!("/chatrooms/{room}/users/a"), "").await;
    let rest = server.call("GET", &format!("{path}&cursor={cursor}"), "").await.json();
    assert_eq!((&rest["data"], rest.get("cursor")), (&serde_json::json!(["b"]), None));
    let newest = server.call("GET", &format!("{path}&sort=desc"), "").await.json();
    assert_eq!(newest["data"], serde_json::json!(["b", "c"]));
    let bad = server.call("GET", &format!("{path}&cursor=..."), "").await;
    assert_eq!((bad.status, bad.json()["error"].as_str()), (400, Some("invalid_parameter")));
}

#[tokio::test]
async fn decision_2_members_of_an_unknown_room_get_the_404_of_reads() {
    let server = TestServer::start().await;
    for id in ["123456789012345", "nope"] {
        let answer = server.call("GET", &format!("/chatrooms/{id}/users"), "").await;
        let text = format!("do not find this group:{id}");
        assert_eq!(answer.refusal(), (404, "service_resource_not_found".to_owned(), text));
    }
}

#[tokio::test]
async fn decision_26_unknown_query_parameters_are_ignored_and_echoed() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    let answer = server.call("GET", &format!("/chatrooms/{room}/users?_v=177&resource=x"), "").await.json();
    assert_eq!(answer["params"], serde_json::json!({"_v":["177"],"resource":["x"]}));
    assert_eq!(answer["count"], 1);
}
