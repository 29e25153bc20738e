//! Removals lock nothing while they look: what they looked at is changed by others before they write.

use chatroom_core::{
    CallbackOutbox as _, ChatroomId, Error, MembersRemoved, Rejection, Seq, StorageErrorKind,
};

use crate::commits::{PATIENT, cut_off};
use crate::database::Database;
use crate::proxy::{Proxy, Way};
use crate::world::{Node, key, run};

/// Removes `a` through the node behind the proxy, and does something else between its look and its write.
async fn between(
    proxy: &Proxy,
    node: &Node,
    room: ChatroomId,
    meanwhile: impl Future<Output = ()>,
) -> Result<MembersRemoved, Error> {
    proxy.set(Way::Hold);
    let removing = node.remove(room, "a");
    let others = async {
        proxy.caught().await;
        meanwhile.await;
        proxy.pass_on();
    };
    tokio::join!(removing, others).0
}

async fn seqs(node: &Node, room: ChatroomId) -> Vec<u64> {
    let log = node.store.events(&key(room), Seq(0), 100).await.expect("a log");
    log.iter().map(|event| event.seq.0).collect()
}

async fn other(database: &Database) -> Node {
    Node::of(database, "other").await
}

#[test]
fn whom_another_node_removed_since_the_look_is_not_removed_twice() {
    run(async {
        let (database, proxy, node) = cut_off(PATIENT).await;
        let room = node.room("owner", &["a", "b"]).await;
        let other = other(&database).await;
        let before = seqs(&node, room).await.len();
        let removed =
            between(&proxy, &node, room, async { drop(other.remove(room, "a").await.expect("a removal")) })
                .await;
        assert!(matches!(removed, Err(Error::Rejected(Rejection::NotMembers(_)))), "{removed:?}");
        assert_eq!(node.members(room).await, ["b"]);
        assert_eq!(seqs(&node, room).await.len(), before + 1, "one event");
    });
}

#[test]
fn what_another_node_appended_since_the_look_stands_before_the_removal() {
    run(async {
        let (database, proxy, node) = cut_off(PATIENT).await;
        let room = node.room("owner", &["a", "b"]).await;
        let other = other(&database).await;
        let before = seqs(&node, room).await.len() as u64;
        let removed =
            between(&proxy, &node, room, async { drop(other.remove(room, "b").await.expect("a removal")) })
                .await;
        removed.expect("it is decided again");
        assert_eq!(node.members(room).await, [""; 0]);
        assert_eq!(seqs(&node, room).await, (1..=before + 2).collect::<Vec<_>>(), "without a gap");
    });
}

#[test]
fn a_removal_that_arrives_when_it_was_given_up_is_not_made() {
    run(async {
        let (_database, proxy, node) = cut_off(PATIENT).await;
        let room = node.room("owner", &["a", "b"]).await;
        proxy.set(Way::HoldAndCut);
        let error = node.remove(room, "a").await.expect_err("it did not arrive");
        let Error::Storage(error) = error else { panic!("{error}") };
        assert_eq!(error.kind(), StorageErrorKind::Unavailable, "{error}");
        proxy.pass_on();
        proxy.answered().await;
        assert_eq!(node.members(room).await, ["a", "b"], "nothing was done, as was said");
        node.remove(room, "a").await.expect("a removal");
    });
}
