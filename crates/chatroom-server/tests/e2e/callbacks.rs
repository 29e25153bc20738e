//! What happens is told: on real sockets, to a receiver that checks both signatures.

mod declared;
mod demo;
mod lists;
mod restart;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_server::serve::{Environment, Health, Life, Server, Stores};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::{
    CALLBACK_SECRET, ManualStopwatch, NOW, Receiver, TestServer, config, declared as rule, embedded,
};

/// A server that tells this receiver of everything.
async fn telling(receiver: &Receiver) -> TestServer {
    let mut config = config();
    receiver.declare(&mut config);
    TestServer::with(config).await
}

#[tokio::test]
async fn a_removal_arrives_with_the_vendors_body_and_both_signatures() {
    let mut receiver = Receiver::start().await;
    let server = telling(&receiver).await;
    let room = server.room("o", &["u1", "u2"]).await;
    server.call("DELETE", &format!("/chatrooms/{room}/users/u1"), "").await;
    for _created in 0..2 {
        receiver.next().await;
    }
    let removed = receiver.next().await;
    removed.verified(CALLBACK_SECRET);
    assert_eq!(removed.header("content-type"), "application/json");
    assert_eq!(removed.header("webhook-timestamp"), (NOW / 1_000).to_string());
    insta::assert_snapshot!(removed.text(), @r#"{"callId":"demo#chat_00000000-0000-0000-0000-000000060000","security":"14d3831a07d676df044bf4ea2d44105f","payload":{"member":["u1"],"type":"KICK"},"appkey":"demo#chat","id":"151661096834005","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","member_count":2,"timestamp":1729497896834}"#);
}

#[tokio::test]
async fn what_happens_to_a_room_arrives_in_its_order_from_every_store() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOW)));
    let memory = Stores::memory(&config(), clock.clone());
    for stores in [memory, embedded(dir.path(), &config(), clock.clone())] {
        let mut receiver = Receiver::start().await;
        let mut config = config();
        receiver.declare(&mut config);
        let server = TestServer::on(config, stores, clock.clone()).await;
        let lines = all_that_happens(&server, &mut receiver).await;
        insta::allow_duplicates! {
            insta::assert_snapshot!(lines.join("\n"), @"
            CREATE
            JOIN/DIRECT u1,u2,u3 (4)
            LEAVE/KICK u1 (3)
            JOIN/DIRECT u1,u4 (5)
            JOIN/DIRECT u5 (6)
            LEAVE/KICK u1,u2,o (3)
            LEAVE/QUIT u3 (2)
            DELETE
            LEAVE/DELETE u4,u5
            ");
        }
    }
}

/// Does everything that makes an event, and answers what arrived.
async fn all_that_happens(server: &TestServer, receiver: &mut Receiver) -> Vec<String> {
    let room = server.room("o", &["u1", "u2", "u3"]).await;
    server.register(&["u4", "u5"]).await;
    let members = format!("/chatrooms/{room}/users");
    for (method, path, body) in [
        ("DELETE", format!("{members}/u1"), ""),
        ("POST", members.clone(), r#"{"usernames":["u1","u4"]}"#),
        ("POST", format!("{members}/u5"), ""),
        ("DELETE", format!("{members}/u1,nobody"), ""),
        ("DELETE", format!("{members}/u1,u2,o"), ""),
        ("DELETE", "/users/u3".to_owned(), ""),
    ] {
        server.call(method, &path, body).await;
    }
    let mut lines = Vec::new();
    for _ in 0..7 {
        lines.push(receiver.next_line().await);
    }
    // The sweep of a deleted user is an event of its own, so it is waited for before the room goes.
    server.call("DELETE", &format!("/chatrooms/{room}"), "").await;
    for _ in 0..2 {
        lines.push(receiver.next_line().await);
    }
    lines
}

#[tokio::test]
async fn what_is_not_taken_comes_again_as_it_was_and_the_room_waits_for_it() {
    let mut receiver = Receiver::start().await;
    receiver.answers_once(500);
    receiver.answers(204);
    let server = telling(&receiver).await;
    let room = server.room("o", &["u1"]).await;
    let first = receiver.next().await;
    let again = receiver.next().await;
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    assert_eq!(again.text(), first.text());
    assert_eq!(receiver.next_line().await, "JOIN/DIRECT u1 (2)");
    assert_eq!(server.members(&room).await, ["member:u1", "owner:o"]);
}

/// Tells when the store is closed.
#[derive(Default)]
struct Closing(Notify);

#[async_trait]
impl Life for Closing {
    fn health(&self) -> Health {
        Health::Ready
    }

    async fn failed(&self) -> Arc<str> {
        std::future::pending().await
    }

    async fn close(&self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_neither_calls_nor_the_end_of_the_server() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config();
    config.shutdown_grace = Duration::from_secs(2);
    config.callback.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.apps[0].callbacks.push(rule(&format!("http://{}/", silent.local_addr().unwrap())));
    let (clock, life) = (Arc::new(ManualClock::at(NOW)), Arc::new(Closing::default()));
    let stores = Stores { life: life.clone(), ..Stores::memory(&config, clock.clone()) };
    let (watch, ids) = (Arc::new(ManualStopwatch::default()), Arc::new(CountingIds::default()));
    let environment = Environment { clock: clock.clone(), watch: watch.clone(), ids };
    let server = Server::start(&config, false, stores, environment).await.unwrap();
    let calls = TestServer::speaking_to(&server, clock, watch).await;
    let room = calls.room("o", &["u1"]).await;
    let (_held, _) = silent.accept().await.unwrap();
    let removed = calls.call("DELETE", &format!("/chatrooms/{room}/users/u1"), "").await;
    assert_eq!(removed.status, 200);
    server.stop().await;
    tokio::time::timeout(Duration::ZERO, life.0.notified()).await.expect("the store was closed in order");
}

#[tokio::test]
async fn what_retention_took_before_it_was_delivered_is_noted_where_readiness_is_told() {
    let receiver = Receiver::start().await;
    receiver.answers(503);
    let mut config = config();
    config.callback.keep = Duration::from_secs(60);
    receiver.declare(&mut config);
    let server = TestServer::with(config).await;
    let room = server.room("o", &["u1"]).await;
    server.clock.advance(61_000);
    // Old events go when something is written.
    server.call("DELETE", &format!("/chatrooms/{room}/users/u1"), "").await;
    let ready = server.raw("GET", "/readyz", &[], "").await;
    insta::assert_snapshot!(ready.shown().replace(&room, "ROOM"), @r#"200 {"status":"ready","notes":["retention took events 1 to 2 of room ROOM before the callback hook of demo#chat was told"]}"#);
}
