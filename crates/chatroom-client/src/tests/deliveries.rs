//! Deliveries over a real socket, to a server that has the extractor.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use chatroom_protocol::callbacks::webhook::{Key, sign};
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::callbacks::{Delivery, DeliveryRejection, Event, MAX_BODY, Notice, Receiver, Verifier, What};

const NOW: u64 = 1_729_497_897;
const NOTICE: Notice<'static> = Notice {
    id: "3667067f-ac06-4c11-96aa-a9a708c3b361",
    app_key: "org#app",
    room: "254636824002561",
    timestamp: 1_729_497_896_834,
    what: What::Kicked { members: &["user1"], count: 4 },
};
const UNSIGNED: (u16, &str) = (401, "the delivery is not signed as it should be");

/// Says what it got, and why not.
async fn hook(delivery: Result<Delivery, DeliveryRejection>) -> Result<String, DeliveryRejection> {
    let Delivery(callback) = delivery?;
    Ok(format!("{} {:?}", callback.event_id(), callback.event))
}

/// A server that knows these secrets.
struct Hook(std::net::SocketAddr);

impl Hook {
    async fn knowing(secrets: &[&str]) -> Self {
        let mut receiver = Receiver::new(secrets[0]).unwrap();
        for secret in &secrets[1..] {
            receiver = receiver.or(secret).unwrap();
        }
        let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        let app = Router::new()
            .route("/hook", post(hook))
            .layer(DefaultBodyLimit::disable())
            .with_state(Verifier::with_clock(receiver, now));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self(address)
    }

    /// Posts a body under these headers, and answers status and body.
    async fn post(&self, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let length = body.len();
        self.send(headers, &format!("content-length: {length}"), body).await
    }

    async fn send(&self, headers: &[(&str, &str)], framing: &str, body: &[u8]) -> (u16, String) {
        let mut request = format!("POST /hook HTTP/1.1\r\nhost: hook\r\nconnection: close\r\n{framing}\r\n");
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.push_str("\r\n");
        let mut stream = TcpStream::connect(self.0).await.unwrap();
        stream.write_all(&[request.as_bytes(), body].concat()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    /// Posts what was signed with these, `security` with the last of them.
    async fn signed(&self, secrets: &[&str], time: u64, body: &[u8]) -> (u16, String) {
        let keys: Vec<_> = secrets.iter().map(|secret| Key::parse(secret).unwrap()).collect();
        let signature = sign(&keys, NOTICE.id, time.try_into().unwrap(), body);
        self.post(&headers(&time.to_string(), &signature), body).await
    }
}

fn headers<'a>(time: &'a str, signature: &'a str) -> [(&'a str, &'a str); 3] {
    [("webhook-id", NOTICE.id), ("webhook-timestamp", time), ("Webhook-Signature", signature)]
}

fn taken() -> (u16, String) {
    let left = r#"Left { members: ["user1"], why: Kicked }"#;
    (200, format!("{} {left}", NOTICE.id))
}

fn refused() -> (u16, String) {
    (UNSIGNED.0, UNSIGNED.1.to_owned())
}

#[tokio::test]
async fn a_delivery_is_accepted_from_either_secret_while_one_replaces_the_other() {
    let both = Hook::knowing(&["new", "old"]).await;
    let body = |secret| NOTICE.to_json(secret).unwrap();
    assert_eq!(both.signed(&["old"], NOW, &body("old")).await, taken());
    assert_eq!(both.signed(&["new", "old"], NOW, &body("old")).await, taken());
    assert_eq!(both.signed(&["new"], NOW, &body("new")).await, taken());
    assert_eq!(both.signed(&["other"], NOW, &body("new")).await, refused());
    let not_told_yet = Hook::knowing(&["old"]).await;
    assert_eq!(not_told_yet.signed(&["new", "old"], NOW, &body("old")).await, taken());
    assert_eq!(not_told_yet.signed(&["new"], NOW, &body("new")).await, refused());
}

/// Both signatures by others' code: the published crate, and an MD5 that is not that of the code under test.
#[tokio::test]
async fn a_delivery_that_others_signed_is_accepted() {
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let call_id = format!("org#app_{}", NOTICE.id);
    let security = md5_independent::compute(format!("{call_id}{SECRET}1729497896834"));
    let body = format!(
        r#"{{"callId":"{call_id}","security":"{security:x}","payload":{{"member":["user1"],"type":"KICK"}},
            "appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event",
            "operation":"LEAVE","operator":"@ppAdmin","member_count":4,"timestamp":1729497896834}}"#
    );
    let time = i64::try_from(NOW).unwrap();
    let signature = Webhook::new(SECRET).unwrap().sign(NOTICE.id, time, body.as_bytes()).unwrap();
    let hook = Hook::knowing(&[SECRET]).await;
    assert_eq!(hook.post(&headers(&NOW.to_string(), &signature), body.as_bytes()).await, taken());
    let other = format!("{:x}", md5_independent::compute(format!("{call_id}other1729497896834")));
    let body = body.replace(&format!("{security:x}"), &other);
    let signature = Webhook::new(SECRET).unwrap().sign(NOTICE.id, time, body.as_bytes()).unwrap();
    assert_eq!(hook.post(&headers(&NOW.to_string(), &signature), body.as_bytes()).await, refused());
}

#[tokio::test]
async fn whatever_is_wrong_with_a_signature_the_answer_is_the_same() {
    let hook = Hook::knowing(&["secret"]).await;
    let body = NOTICE.to_json("secret").unwrap();
    let key = Key::parse("secret").unwrap();
    let now = NOW.to_string();
    let good = sign([&key], NOTICE.id, NOW.try_into().unwrap(), &body);
    assert_eq!(hook.post(&headers(&now, &good), &body).await, taken());
    for index in 0..3 {
        let mut some = headers(&now, &good).to_vec();
        let (name, value) = some.remove(index);
        assert_eq!(hook.post(&some, &body).await, refused(), "without {name}");
        some.push((name, &value[..value.len() - 3]));
        assert_eq!(hook.post(&some, &body).await, refused(), "{name} cut short");
        some.pop();
        some.push((name, "\u{e4}"));
        assert_eq!(hook.post(&some, &body).await, refused(), "{name} of other letters");
    }
    let mut changed = body.clone();
    changed.push(b' ');
    assert_eq!(hook.post(&headers(&now, &good), &changed).await, refused());
    assert_eq!(hook.post(&[], b"no JSON").await, refused(), "nothing is parsed before it is checked");
    let forged = NOTICE.to_json("forged").unwrap();
    assert_eq!(hook.signed(&["secret"], NOW, &forged).await, refused(), "`security` of another secret");
    let future = Notice { timestamp: i64::try_from(NOW * 1_000 + 301_000).unwrap(), ..NOTICE };
    let future = future.to_json("secret").unwrap();
    assert_eq!(hook.signed(&["secret"], NOW, &future).await, refused(), "an event that has not happened");
}

#[tokio::test]
async fn clocks_may_differ_by_five_minutes() {
    let hook = Hook::knowing(&["secret"]).await;
    let body = NOTICE.to_json("secret").unwrap();
    for (time, answer) in
        [(NOW - 301, refused()), (NOW - 300, taken()), (NOW + 300, taken()), (NOW + 301, refused())]
    {
        assert_eq!(hook.signed(&["secret"], time, &body).await, answer, "{time}");
    }
}

#[tokio::test]
async fn what_is_signed_and_no_callback_is_told_so_and_what_is_new_is_passed_on() {
    let hook = Hook::knowing(&["secret"]).await;
    for bad in ["", "no JSON", "{}", r#"{"callId":"a","security":"b"}"#] {
        let (status, words) = hook.signed(&["secret"], NOW, bad.as_bytes()).await;
        assert_eq!(status, 400, "{bad}");
        assert_eq!(words, "the body is no callback: it needs `callId`, `security` and `timestamp`");
    }
    let body = String::from_utf8(NOTICE.to_json("secret").unwrap()).unwrap().replace("LEAVE", "VANISH");
    let new = hook.signed(&["secret"], NOW, body.as_bytes()).await;
    assert_eq!(new, (200, format!("{} {:?}", NOTICE.id, Event::Other)));
}

#[tokio::test]
async fn a_body_is_read_up_to_a_bound_however_its_length_is_told() {
    let hook = Hook::knowing(&["secret"]).await;
    let too_large = (413, format!("the body has more than {MAX_BODY} bytes"));
    let mut body = NOTICE.to_json("secret").unwrap();
    body.resize(MAX_BODY, b' ');
    assert_eq!(hook.signed(&["secret"], NOW, &body).await, taken());
    body.push(b' ');
    let length = format!("content-length: {}", body.len());
    assert_eq!(hook.send(&[], &length, b"").await, too_large, "it is told before it is sent");
    // The end is not sent: it would not be read.
    let chunk = [format!("{:x}\r\n", body.len()).as_bytes(), &body].concat();
    assert_eq!(hook.send(&[], "transfer-encoding: chunked", &chunk).await, too_large);
}

#[tokio::test]
async fn the_reason_is_for_the_log_and_holds_no_secret() {
    let verifier = Verifier::new(Receiver::new("hunter2").unwrap());
    assert!(!format!("{verifier:?}").contains("hunter2"));
    let refused = crate::callbacks::Refused::Security;
    let reason = DeliveryRejection::Unsigned(refused).to_string();
    assert_eq!(reason, "the delivery is not signed as it should be: `security` does not fit");
}
