//! The page this project exists for: its example and every row of its errors, byte for byte.

use crate::support::{TestServer, config};
use chatroom_server::config::NotMemberStatus;

#[tokio::test]
async fn decision_22_the_pages_example_is_answered_byte_for_byte() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["user1", "user2"]).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/user1"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"delete","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004/users/user1","entities":[],"data":{"result":true,"action":"remove_member","user":"user1","id":"151661096834004"},"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(server.members(&room).await, ["member:user2", "owner:owner"]);
}

#[tokio::test]
async fn decision_6_an_invalid_token_gets_the_pages_401() {
    let server = TestServer::start().await;
    let headers = [("Authorization", "Bearer YWMtbogus"), ("Accept", "application/json")];
    let answer = server.plain("DELETE", "/chatrooms/1/users/user1", &headers, "").await;
    insta::assert_snapshot!(answer.shown(), @r#"401 {"error":"unauthorized","exception":"EasemobSecurityException","timestamp":1729497896834,"duration":0,"error_description":"Unable to authenticate (OAuth)"}"#);
}

#[tokio::test]
async fn decision_1_a_user_who_is_not_a_member_gets_the_pages_400() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    server.register(&["user1"]).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/user1"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"400 {"error":"forbidden_op","exception":"com.easemob.group.exception.ForbiddenOpException","timestamp":1729497896834,"duration":0,"error_description":"users [user1] are not members of this group!"}"#);
}

#[tokio::test]
async fn decision_1_the_status_for_a_user_who_is_not_a_member_is_a_setting() {
    let mut config = config();
    config.compat.not_member_status = NotMemberStatus::Forbidden;
    let server = TestServer::with(config).await;
    let room = server.room("owner", &["user1"]).await;
    let path = format!("/chatrooms/{room}/users/user1");
    assert_eq!(server.call("DELETE", &path, "").await.status, 200);
    let answer = server.call("DELETE", &path, "").await;
    insta::assert_snapshot!(answer.shown(), @r#"403 {"error":"forbidden_op","exception":"com.easemob.group.exception.ForbiddenOpException","timestamp":1729497896834,"duration":0,"error_description":"users [user1] are not members of this group!"}"#);
}

#[tokio::test]
async fn decision_2_an_unknown_room_gets_the_pages_404_also_if_its_id_is_no_number() {
    let server = TestServer::start().await;
    server.register(&["user1"]).await;
    for id in ["123456789012345", "1", "no-number"] {
        let answer = server.call("DELETE", &format!("/chatrooms/{id}/users/user1"), "").await;
        let text = format!("grpID {id} does not exist!");
        assert_eq!(answer.refusal(), (404, "resource_not_found".to_owned(), text));
    }
    let answer = server.call("DELETE", "/chatrooms/123456789012345/users/user1", "").await;
    insta::assert_snapshot!(answer.shown(), @r#"404 {"error":"resource_not_found","exception":"com.easemob.group.exception.ResourceNotFoundException","timestamp":1729497896834,"duration":0,"error_description":"grpID 123456789012345 does not exist!"}"#);
}

#[tokio::test]
async fn decision_3_an_unknown_user_gets_the_pages_404_also_if_the_name_cannot_exist() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    let long = "a".repeat(65);
    for name in ["nobody", "bad!name", &long] {
        let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/{name}"), "").await;
        let text = format!("username {name} doesn't exist!");
        assert_eq!(answer.refusal(), (404, "resource_not_found".to_owned(), text));
    }
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/nobody"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"404 {"error":"resource_not_found","exception":"com.easemob.group.exception.ResourceNotFoundException","timestamp":1729497896834,"duration":0,"error_description":"username nobody doesn't exist!"}"#);
}

#[tokio::test]
async fn decision_8_the_owner_is_removed_stays_the_owner_and_gets_the_role_back() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["user1"]).await;
    let path = format!("/chatrooms/{room}/users/owner");
    assert_eq!(server.call("DELETE", &path, "").await.status, 200);
    assert_eq!(server.members(&room).await, ["member:user1"]);
    let details = server.call("GET", &format!("/chatrooms/{room}"), "").await.json();
    assert_eq!(details["data"][0]["owner"], "owner");
    assert_eq!(details["data"][0]["affiliations_count"], 1);
    assert_eq!(server.call("POST", &path, "").await.status, 200);
    assert_eq!(server.members(&room).await, ["member:user1", "owner:owner"]);
}

#[tokio::test]
async fn decision_11_a_comma_makes_a_batch_raw_or_encoded() {
    let server = TestServer::start().await;
    let users = ["u1", "u2", "u3", "u4", "u5", "u6"];
    let room = server.room("owner", &users).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/u1%2Cu2"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"delete","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004/users/u1%2Cu2","entities":[],"data":[{"result":true,"action":"remove_member","user":"u1","id":"151661096834004"},{"result":true,"action":"remove_member","user":"u2","id":"151661096834004"}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);

    let pieces = server.call("DELETE", &format!("/chatrooms/{room}/users/u4,,u3,U4,"), "").await.json();
    assert_eq!(pieces["data"].as_array().unwrap().len(), 2);
    assert_eq!((&pieces["data"][0]["user"], &pieces["data"][1]["user"]), (&"u4".into(), &"u3".into()));
    assert!(pieces["uri"].as_str().unwrap().ends_with("/users/u4,,u3,U4,"), "{pieces}");

    let one = server.call("DELETE", &format!("/chatrooms/{room}/users/u5,"), "").await.json();
    assert_eq!(one["data"][0]["user"], "u5");
    let one = server.call("DELETE", &format!("/chatrooms/{room}/users/u6"), "").await.json();
    assert_eq!(one["data"]["user"], "u6");

    let none = server.call("DELETE", &format!("/chatrooms/{room}/users/%2C,"), "").await;
    assert_eq!((none.status, none.json()["error"].as_str()), (400, Some("invalid_parameter")));
}

#[tokio::test]
async fn decision_12_a_batch_with_members_removes_them_and_reports_the_others() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["u1", "u2"]).await;
    server.register(&["stranger"]).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/u2%2Cstranger%2Cu1"), "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"delete","application":"00000000-0000-0000-0000-000000000002","uri":"http://im.test/demo/chat/chatrooms/151661096834004/users/u2%2Cstranger%2Cu1","entities":[],"data":[{"result":true,"action":"remove_member","user":"u2","id":"151661096834004"},{"result":false,"action":"remove_member","reason":"user: stranger doesn't exist in group: 151661096834004","user":"stranger","id":"151661096834004"},{"result":true,"action":"remove_member","user":"u1","id":"151661096834004"}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    assert_eq!(server.members(&room).await, ["owner:owner"]);
}

#[tokio::test]
async fn decision_13_a_batch_without_a_member_is_refused() {
    let server = TestServer::start().await;
    let room = server.room("owner", &[]).await;
    server.register(&["u1", "u2"]).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/u2,u1"), "").await;
    let text = "users [u2, u1] are not members of this group!".to_owned();
    assert_eq!(answer.refusal(), (400, "forbidden_op".to_owned(), text));
}

#[tokio::test]
async fn decision_14_one_unknown_user_refuses_the_whole_batch() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["u1"]).await;
    for (names, unknown) in [("u1,nobody", "nobody"), ("u1,bad!name", "bad!name")] {
        let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/{names}"), "").await;
        let text = format!("username {unknown} doesn't exist!");
        assert_eq!(answer.refusal(), (404, "resource_not_found".to_owned(), text));
    }
    assert_eq!(server.members(&room).await, ["member:u1", "owner:owner"]);
}

#[tokio::test]
async fn decision_15_a_removal_of_too_many_is_refused_before_the_room_is_looked_for() {
    let mut config = config();
    config.limits.calls.remove_batch = 2;
    let server = TestServer::with(config).await;
    for room in ["123456789012345", "no-number"] {
        let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/a,b,c"), "").await;
        let text = "kickMember: kickMembers number more than maxSize : 2".to_owned();
        assert_eq!(answer.refusal(), (400, "invalid_parameter".to_owned(), text));
        let repeated = server.call("DELETE", &format!("/chatrooms/{room}/users/a,b,A"), "").await;
        assert_eq!(repeated.status, 404);
    }
}

#[tokio::test]
async fn decision_19_names_are_folded_in_paths_and_the_folded_form_is_echoed() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["user1"]).await;
    let answer = server.call("DELETE", &format!("/chatrooms/{room}/users/USER1"), "").await;
    assert_eq!(answer.json()["data"]["user"], "user1");
    assert!(answer.json()["uri"].as_str().unwrap().ends_with("/users/USER1"));
}

#[tokio::test]
async fn decision_20_a_room_id_is_a_string_of_15_digits() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["u1"]).await;
    assert!(room.len() == 15 && room.bytes().all(|b| b.is_ascii_digit()), "{room}");
}
