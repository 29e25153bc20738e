//! What a stop leaves undelivered.

use std::sync::Arc;

use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_server::serve::{Environment, Server};

use crate::support::{ManualStopwatch, NOW, Receiver, TestServer, config, embedded};

#[tokio::test]
async fn what_was_not_taken_before_a_stop_arrives_after_the_next_start_in_its_order() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::at(NOW)));
    let mut receiver = Receiver::start().await;
    let mut config = config();
    receiver.declare(&mut config);
    let (watch, ids) = (Arc::new(ManualStopwatch::default()), Arc::new(CountingIds::default()));
    let start = || async {
        let environment = Environment { clock: clock.clone(), watch: watch.clone(), ids: ids.clone() };
        let stores = embedded(dir.path(), &config, clock.clone());
        Server::start(&config, false, stores, environment).await.unwrap()
    };
    receiver.answers(500);
    let first = start().await;
    let calls = TestServer::speaking_to(&first, clock.clone(), watch.clone()).await;
    let room = calls.room("o", &["u1"]).await;
    calls.call("DELETE", &format!("/chatrooms/{room}/users/u1"), "").await;
    let refused = receiver.next().await;
    first.stop().await;
    while receiver.seen_already() {}

    receiver.answers(200);
    // Whatever wait the failures left is over.
    clock.advance(60_000);
    let second = start().await;
    let again = receiver.next().await;
    assert_eq!(again.header("webhook-id"), refused.header("webhook-id"));
    assert_eq!(receiver.next_line().await, "JOIN/DIRECT u1 (2)");
    assert_eq!(receiver.next_line().await, "LEAVE/KICK u1 (1)");
    second.stop().await;
}
