//! Users: register, get, list, delete.

use crate::support::{TestServer, config};

#[tokio::test]
async fn a_user_is_registered_and_described() {
    let server = TestServer::start().await;
    let made =
        server.call("POST", "/users", r#"{"username":"User1","password":"p","nickname":"Nick"}"#).await;
    insta::assert_snapshot!(made.shown(), @r#"200 {"action":"post","application":"00000000-0000-0000-0000-000000000002","path":"/users","uri":"http://im.test/demo/chat/users","entities":[{"uuid":"00000000-0000-8000-a4ab-86e5e0800003","type":"user","created":1729497896834,"modified":1729497896834,"username":"user1","activated":true,"nickname":"Nick"}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    let found = server.call("GET", "/users/USER1", "").await;
    insta::assert_snapshot!(found.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","path":"/users","uri":"http://im.test/demo/chat/users/USER1","entities":[{"uuid":"00000000-0000-8000-a4ab-86e5e0800003","type":"user","created":1729497896834,"modified":1729497896834,"username":"user1","activated":true,"nickname":"Nick"}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat","count":1}"#);
}

#[tokio::test]
async fn decision_28_a_nickname_is_never_invented() {
    let server = TestServer::start().await;
    server.register(&["u"]).await;
    let found = server.call("GET", "/users/u", "").await.json();
    assert_eq!(found["entities"][0].get("nickname"), None);
}

#[tokio::test]
async fn an_array_registers_what_is_free_and_reports_the_rest() {
    let server = TestServer::start().await;
    server.register(&["taken"]).await;
    let body = r#"[{"username":"new","password":"p"},{"username":"taken","password":"p"}]"#;
    let answer = server.call("POST", "/users", body).await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"post","application":"00000000-0000-0000-0000-000000000002","path":"/users","uri":"http://im.test/demo/chat/users","entities":[{"uuid":"00000000-0000-8000-a4ab-86e5e0800004","type":"user","created":1729497896834,"modified":1729497896834,"username":"new","activated":true}],"data":[{"username":"taken","registerUserFailReason":"the taken already exists"}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
}

#[tokio::test]
async fn a_single_name_that_is_taken_is_refused_also_in_an_array() {
    let server = TestServer::start().await;
    server.register(&["leoli"]).await;
    let one = r#"{"username":"leoli","password":"p"}"#;
    let answer = server.call("POST", "/users", one).await;
    insta::assert_snapshot!(answer.shown(), @r#"400 {"error":"duplicate_unique_property_exists","exception":"DuplicateUniquePropertyExistsException","timestamp":1729497896834,"duration":0,"error_description":"Application 00000000-0000-0000-0000-000000000002 Entity user requires that property named username be unique, value of leoli exists"}"#);
    let in_an_array = server.call("POST", "/users", &format!("[{one}]")).await;
    assert_eq!(in_an_array.refusal(), answer.refusal());
}

#[tokio::test]
async fn decision_19_what_is_not_a_name_is_refused_at_registration() {
    let server = TestServer::start().await;
    for name in [".", "..", "bad!name", "", &"a".repeat(65)] {
        let body = format!(r#"{{"username":"{name}","password":"p"}}"#);
        let text = format!("username [{name}] is not legal");
        let answer = server.call("POST", "/users", &body).await;
        assert_eq!(answer.refusal(), (400, "illegal_argument".to_owned(), text));
    }
}

#[tokio::test]
async fn decision_31_a_password_is_required_bounded_and_not_kept() {
    let server = TestServer::start().await;
    let long = format!(r#"{{"username":"u","password":"{}"}}"#, "x".repeat(65));
    for (body, text) in [
        (r#"{"username":"u"}"#, "password or pin must provided"),
        (r#"{"username":"u","password":""}"#, "password or pin must provided"),
        (&long, "password is longer than 64 characters"),
        (r#"{"password":"p"}"#, "Entity user requires a property named username"),
        ("[]", "Entity user requires a property named username"),
    ] {
        let answer = server.call("POST", "/users", body).await;
        assert_eq!(answer.refusal(), (400, "illegal_argument".to_owned(), text.to_owned()), "{body}");
    }
    let made = server.call("POST", "/users", r#"{"username":"u","password":"s3cret-word"}"#).await;
    let shown = server.call("GET", "/users/u", "").await;
    assert!(!made.body.contains("s3cret-word") && !shown.body.contains("s3cret-word"));
}

#[tokio::test]
async fn decision_15_a_registration_of_too_many_is_refused_with_both_numbers() {
    let mut config = config();
    config.limits.calls.batch = 2;
    let server = TestServer::with(config).await;
    let users = |names: &[&str]| {
        let all: Vec<_> = names.iter().map(|n| format!(r#"{{"username":"{n}","password":"p"}}"#)).collect();
        format!("[{}]", all.join(","))
    };
    let answer = server.call("POST", "/users", &users(&["a", "b", "A", "c"])).await;
    let text = "Request body array size[3] had almost reached or been greater than the upper range value[2]";
    assert_eq!(answer.refusal(), (400, "illegal_argument".to_owned(), text.to_owned()));
    assert_eq!(server.call("POST", "/users", &users(&["a", "b", "A"])).await.status, 200);
}

#[tokio::test]
async fn users_are_listed_oldest_first_and_by_cursor() {
    let server = TestServer::start().await;
    for name in ["c", "a", "b"] {
        server.register(&[name]).await;
        server.clock.advance(1);
    }
    let first = server.call("GET", "/users?limit=2", "").await;
    insta::assert_snapshot!(first.shown(), @r#"200 {"action":"get","application":"00000000-0000-0000-0000-000000000002","params":{"limit":["2"]},"path":"/users","uri":"http://im.test/demo/chat/users","entities":[{"uuid":"00000000-0000-8000-a4ab-86e5e0800003","type":"user","created":1729497896834,"modified":1729497896834,"username":"c","activated":true},{"uuid":"00000000-0000-8000-a4ab-86e5e0c00004","type":"user","created":1729497896835,"modified":1729497896835,"username":"a","activated":true}],"timestamp":1729497896837,"duration":0,"organization":"demo","applicationName":"chat","count":2,"cursor":"1j426judc23us"}"#);
    let cursor = first.json()["cursor"].as_str().unwrap().to_owned();
    let last = server.call("GET", &format!("/users?limit=2&cursor={cursor}"), "").await.json();
    assert_eq!(last["entities"][0]["username"], "b");
    assert_eq!((last["count"].as_u64(), last.get("cursor")), (Some(1), None));
}

#[tokio::test]
async fn decision_36_a_deleted_user_leaves_its_rooms_and_takes_those_that_it_owns_along() {
    let server = TestServer::start().await;
    let owned = server.room("gone", &["stays"]).await;
    let other = server.room_of("stays", &["gone"]).await;
    let answer = server.call("DELETE", "/users/gone", "").await;
    insta::assert_snapshot!(answer.shown(), @r#"200 {"action":"delete","application":"00000000-0000-0000-0000-000000000002","path":"/users","uri":"http://im.test/demo/chat/users/gone","entities":[{"uuid":"00000000-0000-8000-a4ab-86e5e0800003","type":"user","created":1729497896834,"modified":1729497896834,"username":"gone","activated":true}],"timestamp":1729497896834,"duration":0,"organization":"demo","applicationName":"chat"}"#);
    assert_eq!(server.call("GET", &format!("/chatrooms/{owned}"), "").await.status, 404);
    assert_eq!(server.members(&other).await, ["owner:stays"]);
    let removal = server.call("DELETE", &format!("/chatrooms/{other}/users/gone"), "").await;
    assert_eq!(removal.refusal().2, "username gone doesn't exist!");
}

#[tokio::test]
async fn decision_3_an_unknown_user_under_users_gets_its_own_404() {
    let server = TestServer::start().await;
    for method in ["GET", "DELETE"] {
        for name in ["nobody", "bad!name"] {
            let answer = server.call(method, &format!("/users/{name}"), "").await;
            let text = "Service resource not found".to_owned();
            assert_eq!(answer.refusal(), (404, "service_resource_not_found".to_owned(), text));
        }
    }
}
