//! What holds for every endpoint: URLs, bodies, methods, headers.

use chatroom_server::config::Origins;

use crate::support::{APP, ORG, TestServer, config, open, request};

#[tokio::test]
async fn decision_21_uri_is_the_host_header_and_the_raw_path_without_the_query() {
    let server = TestServer::start().await;
    let room = server.room("o", &["a", "b"]).await;
    let path = format!("/{ORG}/{APP}/chatrooms/{room}/users/a%2Cb");
    let bearer = format!("Bearer {}", server.token);
    let answer = server.raw("DELETE", &format!("{path}?x=1"), &[("Authorization", &bearer)], "").await;
    assert_eq!(answer.json()["uri"], format!("http://im.test{path}"));
}

#[tokio::test]
async fn decision_21_uri_begins_with_the_public_url_if_there_is_one() {
    let mut config = config();
    config.public_url = Some("https://im.example.com/api".parse().unwrap());
    let server = TestServer::with(config).await;
    let answer = server.call("GET", "/users?limit=1", "").await;
    assert_eq!(answer.json()["uri"], "https://im.example.com/api/demo/chat/users");
}

#[tokio::test]
async fn decision_23_every_error_is_json_with_five_keys_in_order() {
    let server = TestServer::start().await;
    let keys = ["error", "exception", "timestamp", "duration", "error_description"];
    for (method, path, body) in [
        ("GET", "/nothing", ""),
        ("PUT", "/users", ""),
        ("GET", "/users/nobody", ""),
        ("POST", "/users", "{"),
        ("DELETE", "/chatrooms/%00/users/u", ""),
        ("DELETE", "/chatrooms/1/users/u", ""),
    ] {
        let answer = server.call(method, path, body).await;
        assert!(answer.status >= 400, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
        let mut rest = answer.body.as_str();
        for key in keys {
            let at =
                rest.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in order in {answer:?}"));
            rest = &rest[at..];
        }
        assert_eq!(answer.json().as_object().unwrap().len(), keys.len());
    }
}

#[tokio::test]
async fn decision_24_content_type_and_accept_are_never_refused() {
    let server = TestServer::start().await;
    let bearer = format!("Bearer {}", server.token);
    for (n, (kind, accept)) in
        [("text/plain", "text/html"), ("application/x-www-form-urlencoded", "*/*"), ("", "")]
            .iter()
            .enumerate()
    {
        let body = format!(r#"{{"username":"u{n}","password":"p"}}"#);
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind), ("Accept", accept)];
        assert_eq!(server.plain("POST", "/users", &headers, &body).await.status, 200, "{kind} {accept}");
    }
}

#[tokio::test]
async fn decision_26_unknown_fields_are_ignored() {
    let server = TestServer::start().await;
    let body = r#"{"username":"u","password":"p","resource":"r","roomid":null,"more":{"x":[1]}}"#;
    assert_eq!(server.call("POST", "/users", body).await.status, 200);
}

#[tokio::test]
async fn decision_32_application_is_one_uuid_on_every_answer() {
    let server = TestServer::start().await;
    let room = server.room("o", &["u"]).await;
    let users = server.call("GET", "/users", "").await.json()["application"].clone();
    let details = server.call("GET", &format!("/chatrooms/{room}"), "").await.json()["application"].clone();
    assert_eq!(users, details);
    assert_eq!(users.as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn decision_35_our_own_errors_say_what_to_do() {
    let server = TestServer::start().await;
    let mut shown = Vec::new();
    for (method, path, body) in [
        ("GET", "/nothing", ""),
        ("PATCH", "/users", ""),
        ("DELETE", "/chatrooms/1/users/a%2Fb", ""),
        ("POST", "/users", "{\"username\":"),
    ] {
        let answer = server.call(method, path, body).await;
        shown.push(answer.shown());
        if answer.status == 405 {
            assert_eq!(answer.header("allow"), Some("GET, HEAD, POST, OPTIONS"));
        }
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    404 {"error":"resource_not_found","exception":"ResourceNotFoundException","timestamp":1729497896834,"duration":0,"error_description":"There is no such endpoint: compare the path with the documentation, it begins with /{org}/{app}/"}
    405 {"error":"method_not_allowed","exception":"NotAllowedException","timestamp":1729497896834,"duration":0,"error_description":"This path does not know this method: use one of GET, HEAD, POST, OPTIONS"}
    400 {"error":"illegal_argument","exception":"java.lang.IllegalArgumentException","timestamp":1729497896834,"duration":0,"error_description":"A path segment holds an encoded slash (%2F): names and ids have no slash."}
    400 {"error":"json_parse","exception":"JsonParseException","timestamp":1729497896834,"duration":0,"error_description":"The body cannot be read as JSON for this endpoint, correct it: EOF while parsing a value at line 1 column 12"}
    "#);
    let root = server.raw("GET", "/", &[], "").await;
    assert_eq!((root.status, root.json()["error"].as_str()), (404, Some("resource_not_found")));
}

#[tokio::test]
async fn a_path_segment_is_decoded_once_and_what_it_must_not_hold_is_refused() {
    let server = TestServer::start().await;
    let room = server.room("o", &["u"]).await;
    for path in [
        "/chatrooms/a%2Fb/users/u",
        "/chatrooms/1/users/u%00",
        "/chatrooms/1/users/..",
        "/chatrooms/1/users/%2e%2E",
        "/chatrooms/../users/u",
        "/chatrooms/1/../2/users/u",
        "/chatrooms/1/users/%ff",
    ] {
        let answer = server.call("DELETE", path, "").await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (400, Some("illegal_argument")),
            "{path}"
        );
    }
    // `%2575` is `%75` after one decoding and would be `u` after two.
    let twice = server.call("DELETE", &format!("/chatrooms/{room}/users/%2575"), "").await;
    assert_eq!(twice.refusal().2, "username %75 doesn't exist!");
    assert_eq!(server.call("DELETE", &format!("/chatrooms/{room}/users/%75"), "").await.status, 200);
}

#[tokio::test]
async fn decision_38_head_is_get_without_a_body() {
    let server = TestServer::start().await;
    let get = server.call("GET", "/users", "").await;
    let head = server.call("HEAD", "/users", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.header("content-length").is_some());
    assert_eq!(get.header("content-type"), head.header("content-type"));
    assert_eq!(server.plain("HEAD", "/users", &[], "").await.status, 401);
}

#[tokio::test]
async fn decision_38_options_is_answered_before_authentication() {
    let server = TestServer::start().await;
    let answer = server.plain("OPTIONS", "/chatrooms/1/users/u", &[], "").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("POST, DELETE, OPTIONS")));
    assert_eq!(server.plain("OPTIONS", "/nothing", &[], "").await.status, 404);
}

#[tokio::test]
async fn decision_38_only_listed_origins_may_call_from_a_browser() {
    let mut config = config();
    config.cors.origins = Origins::Listed(vec!["https://a.test".parse().unwrap()]);
    let server = TestServer::with(config).await;
    let listed = [("Origin", "https://a.test")];
    let preflight = server.plain("OPTIONS", "/users", &listed, "").await;
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://a.test"));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, HEAD, POST, OPTIONS"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    let refused = server.plain("GET", "/users", &listed, "").await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin")),
        (401, Some("https://a.test"))
    );
    let other = server.plain("GET", "/users", &[("Origin", "https://b.test")], "").await;
    assert_eq!(other.header("access-control-allow-origin"), None);

    let server = TestServer::start().await;
    assert_eq!(
        server.plain("OPTIONS", "/users", &listed, "").await.header("access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn a_request_id_is_taken_over_or_made() {
    let server = TestServer::start().await;
    let taken = server.plain("GET", "/users", &[("X-Request-Id", "abc-1")], "").await;
    assert_eq!(taken.header("x-request-id"), Some("abc-1"));
    let long = "x".repeat(129);
    for headers in [&[][..], &[("X-Request-Id", "a b")], &[("X-Request-Id", long.as_str())]] {
        let made = server.plain("GET", "/users", headers, "").await;
        assert_eq!(made.header("x-request-id").map(str::len), Some(32), "{headers:?}");
    }
}

#[tokio::test]
async fn a_connection_serves_one_call_after_the_other_also_after_errors_with_bodies() {
    let server = TestServer::start().await;
    let mut connection = open(&server.address).await;
    for _ in 0..3 {
        let refused = connection.ask("POST", "/demo/chat/users", &[], r#"{"username":"u"}"#).await;
        assert_eq!(refused.status, 401);
    }
    connection.send(request("GET", "/livez", &[], "").repeat(2).as_bytes()).await;
    for _ in 0..2 {
        assert_eq!(connection.answer(false).await.unwrap().body, r#"{"status":"alive"}"#);
    }
}

#[tokio::test]
async fn the_server_says_that_it_lives_and_that_it_is_ready() {
    let server = TestServer::start().await;
    assert_eq!(server.raw("GET", "/livez", &[], "").await.shown(), r#"200 {"status":"alive"}"#);
    assert_eq!(server.raw("GET", "/readyz", &[], "").await.shown(), r#"200 {"status":"ready"}"#);
}
