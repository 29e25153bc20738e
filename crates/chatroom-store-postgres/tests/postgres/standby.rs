//! What a commit is worth that stops waiting for its standby.

use std::time::{Duration, Instant};

use chatroom_core::{ChatroomId, Error, StorageErrorKind};
use chatroom_store_postgres::Options;
use xtask_postgres::{Cluster, Replication, Standby};

use crate::proxy::{Proxy, Way};
use crate::world::{Node, run};

/// A primary whose commits wait for a standby.
fn pair() -> (Cluster, Standby) {
    let mut cluster = Cluster::start().expect("a cluster");
    let standby = cluster.standby(Replication::Synchronous).expect("a standby");
    (cluster, standby)
}

async fn node(url: &str, patience: Duration) -> (Node, ChatroomId) {
    let mut options = Options::new(url);
    options.patience = patience;
    options.writers = 1;
    let node = Node::open(options).await;
    node.make_app().await;
    let room = node.room("owner", &["a", "b", "c"]).await;
    (node, room)
}

/// Waits until a session waits for this.
async fn wait_for(cluster: &Cluster, condition: &str) {
    let sql = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE {condition}");
    let began = Instant::now();
    while cluster.query("postgres", &sql).expect("an answer") != "t" {
        assert!(began.elapsed() < Duration::from_secs(20), "nobody waits: {condition}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const FOR_STANDBY: &str = "wait_event = 'SyncRep'";

/// Lets the commit that waits for the standby stop waiting, as an administrator does.
async fn cancel(cluster: &Cluster) {
    wait_for(cluster, FOR_STANDBY).await;
    let sql = format!("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {FOR_STANDBY}");
    cluster.query("postgres", &sql).expect("an answer");
}

#[test]
fn a_commit_that_is_cancelled_while_it_waits_for_its_standby_is_not_answered_as_safe() {
    let (cluster, standby) = pair();
    run(async {
        let (node, room) = node(&cluster.url("postgres"), Duration::from_secs(3)).await;
        standby.pause().expect("a standby that is cut off");
        let (removed, ()) = tokio::join!(node.remove(room, "a"), cancel(&cluster));
        let error = removed.expect_err("the standby does not have it");
        assert!(
            matches!(&error, Error::Storage(error) if error.kind() == StorageErrorKind::OutcomeUnknown),
            "{error}"
        );
        standby.resume().expect("a standby that follows");
        cluster.wait_until_in_sync(&standby).expect("a standby in step");
        assert_eq!(node.members(room).await, ["b", "c"], "it had been made");
    });
}

#[test]
fn a_cancelled_commit_is_answered_when_the_standby_has_it_after_all() {
    let (cluster, standby) = pair();
    run(async {
        let (node, room) = node(&cluster.url("postgres"), Duration::from_secs(20)).await;
        standby.pause().expect("a standby that is cut off");
        let back = async {
            cancel(&cluster).await;
            standby.resume().expect("a standby that follows");
        };
        let (removed, ()) = tokio::join!(node.remove(room, "a"), back);
        removed.expect("the truth: it was removed");
    });
}

#[test]
fn the_fate_of_a_commit_that_still_waits_is_not_guessed() {
    let (cluster, standby) = pair();
    run(async {
        let proxy = Proxy::to(&cluster.url("postgres")).await;
        let (node, room) = node(proxy.url(), Duration::from_secs(20)).await;
        standby.pause().expect("a standby that is cut off");
        proxy.set(Way::CutBehindCommit);
        let back = async {
            // The old transaction holds its locks, and who looks for its event waits for them.
            wait_for(&cluster, FOR_STANDBY).await;
            wait_for(&cluster, "wait_event_type = 'Lock'").await;
            standby.resume().expect("a standby that follows");
        };
        let (removed, ()) = tokio::join!(node.remove(room, "a"), back);
        removed.expect("the truth: it was removed");
        assert_eq!(node.members(room).await, ["b", "c"]);
    });
}
