//! App tokens.

use chatroom_server::config::BlankToken;

use crate::support::{CLIENT_ID, CLIENT_SECRET, TestServer, config};

fn body(id: &str, secret: &str, more: &str) -> String {
    format!(r#"{{"grant_type":"client_credentials","client_id":"{id}","client_secret":"{secret}"{more}}}"#)
}

#[tokio::test]
async fn decision_22_the_answer_with_a_token_has_no_envelope() {
    let server = TestServer::start().await;
    let answer = server.plain("POST", "/token", &[], &body(CLIENT_ID, CLIENT_SECRET, r#","ttl":60"#)).await;
    let json = answer.json();
    let token = json["access_token"].as_str().unwrap();
    assert!(token.starts_with("YWMt"));
    let application = json["application"].as_str().unwrap();
    let whole = format!(r#"{{"access_token":"{token}","expires_in":60,"application":"{application}"}}"#);
    assert_eq!(answer.body, whole);
}

#[tokio::test]
async fn a_token_lives_as_long_as_was_asked_and_sixty_days_otherwise() {
    let server = TestServer::start().await;
    let ttl = async |more: &str| {
        server.plain("POST", "/token", &[], &body(CLIENT_ID, CLIENT_SECRET, more)).await.json()["expires_in"]
            .as_u64()
    };
    assert_eq!(ttl("").await, Some(5_184_000));
    assert_eq!(ttl(r#","ttl":null"#).await, Some(5_184_000));
    assert_eq!(ttl(r#","ttl":"90""#).await, Some(90));
    assert_eq!(ttl(r#","ttl":0"#).await, Some(0));
}

#[tokio::test]
async fn decision_6_a_token_is_good_until_it_expires() {
    let server = TestServer::start().await;
    let bearer = format!("Bearer {}", server.new_token(60).await);
    let headers = [("Authorization", bearer.as_str())];
    assert_eq!(server.plain("GET", "/users", &headers, "").await.status, 200);
    server.clock.advance(60_000);
    let answer = server.plain("GET", "/users", &headers, "").await;
    let text = "Unable to authenticate (OAuth)".to_owned();
    assert_eq!(answer.refusal(), (401, "unauthorized".to_owned(), text));
}

#[tokio::test]
async fn wrong_credentials_are_told_in_the_vendors_words() {
    let server = TestServer::start().await;
    let rows = [
        (body("x", CLIENT_SECRET, ""), "invalid_grant", "client_id does not match"),
        (body(CLIENT_ID, "x", ""), "invalid_grant", "client_secret does not match"),
        (body("", CLIENT_SECRET, ""), "illegal_argument", "client_id must be provided."),
        (body(CLIENT_ID, "", ""), "illegal_argument", "client_secret must be provided"),
        (
            r#"{"grant_type":"password"}"#.to_owned(),
            "illegal_argument",
            "grant_type must be client_credentials",
        ),
    ];
    for (body, error, text) in rows {
        let answer = server.plain("POST", "/token", &[], &body).await;
        assert_eq!(answer.refusal(), (400, error.to_owned(), text.to_owned()), "{body}");
    }
    assert_eq!(server.plain("POST", "/token", &[], "{").await.json()["error"], "json_parse");
}

#[tokio::test]
async fn decision_5_an_unknown_app_key_gets_the_documented_404_before_the_token_is_looked_at() {
    let server = TestServer::start().await;
    let answer = server.raw("DELETE", "/demo/other/chatrooms/1/users/u%2Cv?x=1", &[], "").await;
    let text =
        "Could not find application for demo/other from URI: demo/other/chatrooms/1/users/u%2Cv".to_owned();
    assert_eq!(answer.refusal(), (404, "organization_application_not_found".to_owned(), text));
    let token = server.raw("POST", "/nobody/chat/token", &[], &body(CLIENT_ID, CLIENT_SECRET, "")).await;
    assert_eq!(token.json()["error"], "organization_application_not_found");
}

#[tokio::test]
async fn decision_7_a_missing_or_blank_token_gets_the_same_401_as_a_wrong_one() {
    let server = TestServer::start().await;
    for headers in
        [&[][..], &[("Authorization", "")], &[("Authorization", "Bearer ")], &[("Authorization", "Basic x")]]
    {
        let answer = server.plain("DELETE", "/chatrooms/1/users/u", headers, "").await;
        let text = "Unable to authenticate (OAuth)".to_owned();
        assert_eq!(answer.refusal(), (401, "unauthorized".to_owned(), text), "{headers:?}");
    }
}

#[tokio::test]
async fn decision_7_the_recorded_body_for_a_blank_token_is_a_setting() {
    let mut config = config();
    config.compat.blank_token = BlankToken::Recorded;
    let server = TestServer::with(config).await;
    for headers in [&[][..], &[("Authorization", "Bearer")]] {
        let answer = server.plain("DELETE", "/chatrooms/1/users/u", headers, "").await;
        insta::allow_duplicates! { insta::assert_snapshot!(answer.shown(), @r#"401 {"error":"group_authorization","exception":"com.easemob.group.exception.GroupAuthorizationException","timestamp":1729497896834,"duration":0,"error_description":"token is blank!"}"#); }
    }
    let wrong = server.plain("DELETE", "/chatrooms/1/users/u", &[("Authorization", "Bearer x")], "").await;
    assert_eq!(wrong.refusal().1, "unauthorized");
}

#[tokio::test]
async fn decision_35_an_array_is_no_request_object() {
    let server = TestServer::start().await;
    let room = server.room("owner", &["u1"]).await;
    let members = format!("/chatrooms/{room}/users");
    let token = format!(r#"["client_credentials","{CLIENT_ID}","{CLIENT_SECRET}",60]"#);
    for (path, body) in [
        ("/token", token.as_str()),
        ("/chatrooms", r#"["n","d","owner"]"#),
        (&members, r#"[["u1"]]"#),
        ("/users", r#"[["u2","p",null]]"#),
    ] {
        let answer = server.call("POST", path, body).await;
        assert_eq!(
            (answer.status, answer.refusal().1.as_str()),
            (400, "json_parse"),
            "{path} {}",
            answer.body
        );
    }
}
