//! Many callers, one member.

use chatroom_core::test_util::ManualClock;
use chatroom_server::config::{Config, StoreKind};
use chatroom_server::serve::Stores;

use std::sync::Arc;

use crate::support::{NOW, TestServer, config, open};

async fn one_of_a_hundred_wins(config: Config) {
    let clock = Arc::new(ManualClock::at(NOW));
    let stores = Stores::open(&config).await.unwrap();
    let server = TestServer::on(config, stores, clock).await;
    let room = server.room("owner", &["user1"]).await;
    let path = format!("/demo/chat/chatrooms/{room}/users/user1");
    let (address, bearer) = (server.address.clone(), format!("Bearer {}", server.token));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (address, path, bearer) = (address.clone(), path.clone(), bearer.clone());
        calls.spawn(async move {
            open(&address).await.ask("DELETE", &path, &[("Authorization", &bearer)], "").await
        });
    }
    let mut counted = std::collections::BTreeMap::new();
    for answer in calls.join_all().await {
        *counted.entry((answer.status, answer.json()["error"].to_string())).or_insert(0) += 1;
    }
    let expected = [((200, "null".to_owned()), 1), ((400, "\"forbidden_op\"".to_owned()), 99)];
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(server.members(&room).await, ["owner:owner"]);
}

#[tokio::test]
async fn of_100_removals_of_one_member_one_succeeds_on_the_memory_store() {
    let mut config = config();
    config.rate_limit.per_second = 0;
    one_of_a_hundred_wins(config).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_100_removals_of_one_member_one_succeeds_on_the_embedded_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config();
    config.rate_limit.per_second = 0;
    config.store.kind = StoreKind::Embedded;
    config.store.path = dir.path().join("data");
    one_of_a_hundred_wins(config).await;
}
