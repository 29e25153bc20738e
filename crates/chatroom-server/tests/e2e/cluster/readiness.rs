//! What a 200 means, as `/readyz` and the log say it, and what `store.require` makes of it.

use std::time::{Duration, Instant};

use xtask_postgres::{Cluster, Replication};

use super::node::Nodes;
use crate::crash::api::Api;
use crate::support::{Answer, Binary, open};

/// How long replication may take to be seen on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_says_what_a_200_means_and_answers_no_change_with_less_than_it_requires() {
    let mut primary = Cluster::start().unwrap();
    let url = primary.create_database("chat").unwrap();
    let plain = Nodes::on(&url, "").start();
    assert_eq!(readyz(&plain).await.body, r#"{"status":"ready","durability":"local"}"#);
    Api::of(&plain).await.register(&["u1".to_owned()]).await;

    let strict = Nodes::on(&url, "require = \"replicated\"").start();
    let refused = readyz(&strict).await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("store.require is replicated, and a commit is local now"), "{refused:?}");
    let api = Api::of(&strict).await;
    assert_eq!(api.call("GET", "/users/u1", "").await.status, 200, "reads go on");
    let change = api.call("DELETE", "/users/u1", "").await;
    assert_eq!((change.status, change.header("retry-after")), (503, Some("5")), "{change:?}");

    let standby = primary.standby(Replication::Synchronous).unwrap();
    until(&strict, r#"{"status":"ready","durability":"replicated"}"#).await;
    until(&plain, r#"{"status":"ready","durability":"replicated"}"#).await;
    assert_eq!(api.call("DELETE", "/users/u1", "").await.status, 200);

    // A session that does not wait makes nothing of the standby.
    let hasty = Nodes::on(&format!("{url}?options=-csynchronous_commit%3Dlocal"), "").start();
    assert_eq!(readyz(&hasty).await.body, r#"{"status":"ready","durability":"local"}"#);

    let rights = "CREATE ROLE plain LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO plain";
    primary.query("chat", rights).unwrap();
    let blind = Nodes::on(&url.replace("postgres@", "plain@"), "").start();
    assert_eq!(readyz(&blind).await.body, r#"{"status":"ready","durability":"unknown"}"#);
    drop(standby);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_its_database_is_not_ready_and_is_again_when_it_is_back() {
    let mut primary = Cluster::start().unwrap();
    primary.create_database("chat").unwrap();
    let standby = primary.standby(Replication::Asynchronous).unwrap();
    let (one, other) = (primary.port(), standby.port());
    let url = format!("postgresql://postgres@127.0.0.1:{one},127.0.0.1:{other}/chat");
    let node = Nodes::on(&url, "").start();
    let api = Api::of(&node).await;
    primary.wait_until_in_sync(&standby).unwrap();
    primary.kill9().unwrap();
    until_reason(&node, "the database does not answer").await;
    let began = Instant::now();
    let read = api.call("GET", "/users/nobody", "").await;
    assert_eq!((read.status, read.header("retry-after")), (503, Some("5")), "{read:?}");
    assert!(began.elapsed() < PATIENCE);
    let _promoted = standby.promote().unwrap();
    until(&node, r#"{"status":"ready","durability":"local"}"#).await;
    api.register(&["somebody".to_owned()]).await;
}

async fn readyz(node: &Binary) -> Answer {
    open(&node.address).await.ask("GET", "/readyz", &[], "").await
}

async fn until(node: &Binary, body: &str) {
    let began = Instant::now();
    loop {
        let answer = readyz(node).await;
        if answer.body == body {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_reason(node: &Binary, reason: &str) {
    let began = Instant::now();
    loop {
        let answer = readyz(node).await;
        if answer.status == 503 && answer.body.contains(reason) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
