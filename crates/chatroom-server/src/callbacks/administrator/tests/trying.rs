use chatroom_core::Deliveries;
use chatroom_protocol::callbacks::webhook::{ID, SIGNATURE, TIMESTAMP};
use chatroom_protocol::callbacks::{self, Event, Left, webhook};
use std::time::SystemTime;

use super::receiver::Receiver;
use super::*;
use crate::admin::Attempt;

async fn try_out(world: &World) -> (String, Attempt) {
    match world.ask(CallbackRequest::Test { name: "hook".parse().unwrap() }).await.unwrap() {
        CallbackReply::Tried { event, attempt } => (event, attempt),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sample_event_arrives_signed_as_all_are_and_what_the_receiver_said_is_told() {
    let world = World::new().await;
    let receiver = Receiver::answering(201, &[], "{\"ok\":true}").await;
    let asked = NewCallback {
        secret: Some(crate::admin::Shown::new("secret".into())),
        // It is tried although it would not want the event, and although it does not deliver yet.
        events: Some([chatroom_core::EventClass::Created].into()),
        enabled: false,
        ..new("hook", &receiver.url)
    };
    world.ask(CallbackRequest::Add(asked)).await.unwrap();
    let (id, attempt) = try_out(&world).await;
    let Attempt::Answered { status: 201, not_taken: None, beginning, more: false, .. } = attempt else {
        panic!("{attempt:?}");
    };
    assert_eq!(beginning, "{\"ok\":true}");

    let arrived = receiver.arrived();
    let [(headers, body)] = arrived.as_slice() else { panic!("{arrived:?}") };
    let header = |name| headers.get(name).unwrap().to_str().unwrap();
    let found =
        webhook::Headers { id: header(ID), timestamp: header(TIMESTAMP), signature: header(SIGNATURE) };
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.unsigned_abs());
    let checking = callbacks::Receiver::new("secret").unwrap();
    let callback = checking.accept(found, body, now).unwrap();
    assert_eq!(checking.accept_security(body, now).unwrap(), callback);
    assert_eq!((callback.event_id(), callback.app_key.as_str()), (id.as_str(), "demo#chat"));
    assert_eq!(callback.event, Event::Left { members: vec!["callback_test".into()], why: Left::Kicked });
}

#[tokio::test]
async fn what_is_not_taken_is_told_with_its_reason() {
    let world = World::new().await;
    let failing = Receiver::answering(500, &[], "out of order").await;
    let moved = Receiver::answering(301, &[("location", "http://127.0.0.1:1/")], "").await;
    world.add_to("hook", &failing.url).await;
    let (_, attempt) = try_out(&world).await;
    let Attempt::Answered { status: 500, not_taken: Some(why), beginning, .. } = attempt else {
        panic!("{attempt:?}");
    };
    assert_eq!((why.as_str(), beginning.as_str()), ("answered 500 Internal Server Error", "out of order"));

    world.ask(CallbackRequest::Remove { name: "hook".parse().unwrap() }).await.unwrap();
    world.add_to("hook", &moved.url).await;
    let (_, attempt) = try_out(&world).await;
    let Attempt::Answered { status: 301, not_taken: Some(why), .. } = attempt else { panic!("{attempt:?}") };
    assert_eq!(why, "answered 301 Moved Permanently (redirects are not followed)");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_or_may_not_be_asked_is_told_in_words() {
    let mut world = World::new().await;
    let gone = Receiver::answering(200, &[], "").await.url.clone();
    // The receiver ended with the statement above.
    tokio::task::yield_now().await;
    world.add_to("hook", &gone).await;
    let (_, attempt) = try_out(&world).await;
    assert_eq!(attempt, Attempt::Failed("cannot connect: Connection refused (os error 111)".to_owned()));

    let sink =
        WebhookSink::new(Guard::default(), Arc::new(Names), world.clock.clone(), Duration::from_secs(5));
    world.callbacks.sink = Arc::new(sink.unwrap());
    let (_, attempt) = try_out(&world).await;
    let why = "127.0.0.1 is a loopback address, which `callback.allow_networks` does not allow";
    assert_eq!(attempt, Attempt::Failed(why.to_owned()));
}

#[tokio::test]
async fn a_long_reply_is_cut() {
    let world = World::new().await;
    let receiver = Receiver::answering(200, &[], concat!("äöü", include_str!("trying.rs"))).await;
    world.add_to("hook", &receiver.url).await;
    let (_, attempt) = try_out(&world).await;
    let Attempt::Answered { beginning, more: true, .. } = attempt else { panic!("{attempt:?}") };
    assert!(beginning.starts_with("äöüuse") && beginning.len() == 512, "{beginning}");
}

#[tokio::test]
async fn a_test_moves_no_sequence_and_no_cursor_and_says_nothing_of_the_rules_health() {
    let world = World::new().await;
    let receiver = Receiver::answering(500, &[], "").await;
    world.add_to("hook", &receiver.url).await;
    let room = world.room(4).await;
    let before = (
        world.store.statuses(world.app.id).await.unwrap(),
        world.callbacks.outbox.counters(&world.key(room)).await.unwrap(),
        world.callbacks.outbox.streams(world.app.id, None, 10).await.unwrap(),
    );
    assert_eq!((before.0[0].events_behind, before.2.len()), (4, 1));
    try_out(&world).await;
    let after = (
        world.store.statuses(world.app.id).await.unwrap(),
        world.callbacks.outbox.counters(&world.key(room)).await.unwrap(),
        world.callbacks.outbox.streams(world.app.id, None, 10).await.unwrap(),
    );
    assert_eq!(before, after);
}
