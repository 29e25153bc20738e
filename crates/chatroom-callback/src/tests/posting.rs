//! The sink through sockets.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use chatroom_core::test_util::{HandFacts, ManualClock};
use chatroom_core::{
    CallbackSink, DeliveryFailure, EventId, Outgoing, ROOMS_AT_ONCE, Rule, RuleSecret, Timestamp,
};
use chatroom_protocol::callbacks::{Event, Left};

use tokio::io::AsyncWriteExt;

use super::receiver::{Manner, Receiver, ok, says};
use super::{SECRET, kicked, rule};
use crate::{Guard, Resolver, SystemResolver, WebhookSink, sample_event};

const NOW: Timestamp = HandFacts::NOW;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.as_millis().unsigned_abs())
}

fn loopback() -> Guard {
    Guard::allowing(["127.0.0.0/8".parse().unwrap()])
}

fn sink_with(guard: Guard, resolver: impl Resolver, timeout: Duration) -> WebhookSink {
    let clock = Arc::new(ManualClock::at(NOW.as_millis()));
    WebhookSink::new(guard, Arc::new(resolver), clock, timeout).unwrap()
}

fn sink() -> WebhookSink {
    sink_with(loopback(), SystemResolver, Duration::from_secs(10))
}

async fn failure(sink: &WebhookSink, url: &str) -> DeliveryFailure {
    let failure = sink.deliver(&rule(1, url), &kicked(1, 1, NOW), 1).await.unwrap_err();
    assert!(!failure.words.contains("hunter2") && !failure.words.contains(SECRET), "{failure}");
    failure
}

#[tokio::test]
async fn a_delivery_is_signed_twice_and_says_what_happened() {
    let receiver = Receiver::new(|_| ok()).await;
    let delivered = sink().deliver(&rule(1, &receiver.url()), &kicked(7, 3, NOW), 1).await.unwrap();
    assert_eq!(delivered.status, 200);
    let arrived = receiver.arrived().remove(0);
    assert!(arrived.head.starts_with("POST /hook?token=hunter2 HTTP/1.1\r\n"), "{}", arrived.head);
    assert_eq!(arrived.header("content-type"), "application/json");
    let callback = arrived.verified(SECRET, now());
    assert_eq!(callback.event, Event::Left { members: vec!["u1".into()], why: Left::Kicked });
    assert_eq!(callback.call_id, "demo#chat_00000000-0000-0007-0000-000000000003");
    assert_eq!((callback.operator.as_str(), callback.member_count), ("@ppAdmin", Some(1)));
    assert_eq!(callback.timestamp, NOW.as_millis());
}

#[tokio::test]
async fn while_a_secret_rotates_receivers_with_either_one_accept_the_header() {
    let receiver = Receiver::new(|_| ok()).await;
    let mut rule = rule(1, &receiver.url());
    rule.secrets.outgoing = Some(Outgoing { secret: RuleSecret::new("older"), until: NOW.plus_millis(1) });
    sink().deliver(&rule, &kicked(1, 1, NOW), 1).await.unwrap();
    let arrived = receiver.arrived().remove(0);
    arrived.verified("older", now());
    assert_eq!(arrived.header("webhook-signature").matches("v1,").count(), 2);
    let newest = chatroom_protocol::callbacks::Receiver::new(SECRET).unwrap();
    assert!(newest.accept_security(&arrived.body, now()).is_err(), "security bears the older one");
}

#[tokio::test]
async fn any_2xx_is_a_success_and_connections_are_used_again() {
    let statuses = ["200 OK", "201 Created", "202 Accepted", "299 Fine"];
    let mut next = statuses.into_iter();
    let receiver = Receiver::new(move |_| says(next.next().unwrap(), "")).await;
    let sink = sink();
    for _ in statuses {
        sink.deliver(&rule(1, &receiver.url()), &kicked(1, 1, NOW), 1).await.unwrap();
    }
    assert_eq!(receiver.connections().0, 1);
}

#[tokio::test]
async fn another_status_is_a_failure_and_a_redirect_is_not_followed() {
    let inner = Receiver::new(|_| ok()).await;
    let location = format!("location: {}\r\n", inner.url());
    for (status, headers, words) in [
        ("500 Oops", "", "answered 500 Internal Server Error"),
        ("404 Not Found", "", "answered 404 Not Found"),
        ("301 Moved", location.as_str(), "answered 301 Moved Permanently (redirects are not followed)"),
        ("307 Moved", location.as_str(), "answered 307 Temporary Redirect (redirects are not followed)"),
    ] {
        let manner = says(status, headers);
        let receiver = Receiver::new(move |_| manner.clone()).await;
        assert_eq!(&*failure(&sink(), &receiver.url()).await.words, words);
    }
    assert_eq!(inner.connections().0, 0);
}

#[tokio::test]
async fn both_forms_of_retry_after_are_heard() {
    let date = httpdate::fmt_http_date(now() + Duration::from_secs(60));
    for text in ["60", &date] {
        let manner = says("429 Too Many Requests", &format!("retry-after: {text}\r\n"));
        let receiver = Receiver::new(move |_| manner.clone()).await;
        let failure = failure(&sink(), &receiver.url()).await;
        assert_eq!(failure.retry_after, Some(Duration::from_secs(60)), "{text}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off_and_the_event_is_delivered() {
    let receiver = Receiver::new(|_| Manner::Endless).await;
    let reply = sink().exchange(&rule(1, &receiver.url()), &kicked(1, 1, NOW)).await.unwrap();
    assert_eq!((reply.status, reply.beginning.len()), (200, 4_096));
}

#[tokio::test]
async fn a_body_that_stalls_is_not_waited_for_beyond_a_second() {
    let stalls = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok".to_owned();
    let receiver = Receiver::new(move |_| Manner::Says(stalls.clone())).await;
    let reply = sink().exchange(&rule(1, &receiver.url()), &kicked(1, 1, NOW)).await.unwrap();
    assert_eq!((reply.status, &reply.beginning[..]), (200, &b"ok"[..]));
}

#[tokio::test]
async fn what_breaks_is_told_in_words() {
    for (manner, begins) in [
        (Manner::Hangs, "the connection broke: "),
        (Manner::Resets, "the connection broke: "),
        (Manner::Babbles, "the connection broke: "),
    ] {
        let receiver = Receiver::new(move |_| manner.clone()).await;
        let words = failure(&sink(), &receiver.url()).await.words;
        assert!(words.starts_with(begins), "{words}");
    }
    let receiver = Receiver::new(|_| ok()).await;
    receiver.end();
    while tokio::net::TcpStream::connect(receiver.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let words = failure(&sink(), &receiver.url()).await.words;
    assert!(words.starts_with("cannot connect: "), "{words}");
}

#[tokio::test]
async fn a_receiver_without_tls_is_not_spoken_to_over_https() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/?token=hunter2", listener.local_addr().unwrap());
    let babbling = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        std::future::pending::<()>().await;
    });
    let words = failure(&sink(), &url).await.words;
    babbling.abort();
    assert!(words.starts_with("cannot connect: ") || words.starts_with("https cannot be spoken"), "{words}");
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up_after_the_timeout() {
    let receiver = Receiver::new(|_| Manner::Silent).await;
    let impatient = sink_with(loopback(), SystemResolver, Duration::from_millis(20));
    assert_eq!(&*failure(&impatient, &receiver.url()).await.words, "no answer within 20ms");
}

#[tokio::test]
async fn a_receiver_that_never_answers_sees_eight_connections_also_when_attempts_end_and_others_begin() {
    let receiver = Receiver::new(|_| Manner::Silent).await;
    let impatient = Arc::new(sink_with(loopback(), SystemResolver, Duration::from_millis(20)));
    let rule = rule(1, &receiver.url());
    let mut deliveries = tokio::task::JoinSet::new();
    for number in 1..=24 {
        let (sink, rule) = (Arc::clone(&impatient), rule.clone());
        deliveries.spawn(async move { sink.deliver(&rule, &kicked(number, 1, NOW), 1).await });
    }
    deliveries.join_all().await;
    assert_eq!(receiver.connections(), (24, ROOMS_AT_ONCE));
}

#[tokio::test]
async fn a_receiver_that_never_answers_sees_eight_connections_however_much_is_posted() {
    let receiver = Receiver::new(|_| Manner::Silent).await;
    let sink = Arc::new(sink());
    let rule = rule(1, &receiver.url());
    let mut deliveries = tokio::task::JoinSet::new();
    for number in 1..=20 {
        let (sink, rule) = (Arc::clone(&sink), rule.clone());
        deliveries.spawn(async move { sink.deliver(&rule, &kicked(number, 1, NOW), 1).await });
    }
    while receiver.arrived().len() < ROOMS_AT_ONCE {
        tokio::task::yield_now().await;
    }
    // Connections are accepted in the order in which they are made: when this one is, all before it were.
    let own = tokio::net::TcpStream::connect(receiver.address).await.unwrap();
    while receiver.connections().0 <= ROOMS_AT_ONCE {
        tokio::task::yield_now().await;
    }
    assert_eq!(receiver.connections(), (ROOMS_AT_ONCE + 1, ROOMS_AT_ONCE + 1));
    drop(own);

    let elsewhere = Receiver::new(|_| ok()).await;
    sink.deliver(&super::rule(2, &elsewhere.url()), &kicked(1, 1, NOW), 1).await.unwrap();
}

/// A name with one address when it is checked and another one when it is dialled.
#[derive(Default)]
struct Turncoat(AtomicUsize);

#[async_trait]
impl Resolver for Turncoat {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        let first = self.0.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first { "8.8.8.8" } else { "127.0.0.1" };
        Ok(vec![address.parse().unwrap()])
    }
}

#[tokio::test]
async fn the_address_that_is_dialled_is_checked_whatever_the_name_had_when_the_rule_was_made() {
    let receiver = Receiver::new(|_| ok()).await;
    let url = format!("http://turncoat.example:{}/hook?token=hunter2", receiver.address.port());
    let turncoat = Turncoat::default();
    Guard::default().check_rule(&url, &turncoat).await.unwrap();
    let strict = sink_with(Guard::default(), turncoat, Duration::from_secs(10));
    let words = failure(&strict, &url).await.words;
    assert_eq!(
        &*words,
        "127.0.0.1 (turncoat.example) is a loopback address, which `callback.allow_networks` does not allow"
    );
    assert_eq!(receiver.connections().0, 0);

    let turned = Turncoat(AtomicUsize::new(1));
    let allowing = sink_with(loopback(), turned, Duration::from_secs(10));
    allowing.deliver(&rule(1, &url), &kicked(1, 1, NOW), 1).await.unwrap();
}

#[tokio::test]
async fn a_host_that_is_an_address_is_checked_before_every_request() {
    let receiver = Receiver::new(|_| ok()).await;
    let strict = sink_with(Guard::default(), SystemResolver, Duration::from_secs(10));
    let port = receiver.address.port();
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "localhost"] {
        let words = failure(&strict, &format!("http://{host}:{port}/?token=hunter2")).await.words;
        assert!(words.contains("`callback.allow_networks` does not allow"), "{host}: {words}");
    }
    assert_eq!(receiver.connections().0, 0);
}

/// A name with an address that may not be asked and one that may.
struct Mixed;

#[async_trait]
impl Resolver for Mixed {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(["127.0.0.2", "127.0.0.1"].iter().map(|address| address.parse().unwrap()).collect())
    }
}

#[tokio::test]
async fn of_several_addresses_only_those_that_may_be_asked_are_dialled() {
    let receiver = Receiver::new(|_| ok()).await;
    let guard = Guard::allowing(["127.0.0.1/32".parse().unwrap()]);
    let sink = sink_with(guard, Mixed, Duration::from_secs(10));
    let url = format!("http://mixed.example:{}/", receiver.address.port());
    sink.deliver(&rule(1, &url), &kicked(1, 1, NOW), 1).await.unwrap();
    assert_eq!(receiver.arrived()[0].header("host"), format!("mixed.example:{}", receiver.address.port()));
}

#[tokio::test]
async fn a_secret_that_stands_for_no_key_is_told() {
    let secrets = chatroom_core::RuleSecrets::one(RuleSecret::new("whsec_hunter2!"));
    let rule = Rule { secrets, ..rule(1, "http://127.0.0.1:9/") };
    let failure = sink().deliver(&rule, &kicked(1, 1, NOW), 1).await.unwrap_err();
    assert_eq!(&*failure.words, "a secret that begins with `whsec_` must go on with base64");
}

#[tokio::test]
async fn a_sample_is_a_removal_that_nobody_can_take_for_a_real_one() {
    let receiver = Receiver::new(|_| says("418 Teapot", "")).await;
    let rule = rule(1, &receiver.url());
    let sample = sample_event(&rule, EventId(7), NOW).unwrap();
    let reply = sink().exchange(&rule, &sample).await.unwrap();
    assert_eq!((reply.status, &reply.beginning[..]), (418, &b"ok"[..]));
    let callback = receiver.arrived().remove(0).verified(SECRET, now());
    assert_eq!(callback.room, "100000000000000");
    assert_eq!(callback.event, Event::Left { members: vec!["callback_test".into()], why: Left::Kicked });
}
