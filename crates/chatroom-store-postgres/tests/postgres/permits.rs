//! One limit over several nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chatroom_core::permits::{Admission, LimitKey, Look, NodeId, PermitLedger, REFRESH, SharedLimit};
use chatroom_core::{AppId, Permit};

use crate::database::Database;
use crate::world::{Node, run};

const KEY: LimitKey = LimitKey { app: AppId(1), name: "remove_members" };
const SLOTS: u32 = 50;

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).expect("a test that ends")
}

/// Calls as often as it can until `over`, and answers when it was admitted.
async fn press(node: Node, id: u128, began: Instant, over: Arc<AtomicBool>) -> Vec<u64> {
    let (limit, mut admitted, mut looked) = (SharedLimit::new(NodeId::new(id << 16)), Vec::new(), None);
    while !over.load(Ordering::SeqCst) {
        if looked.is_none_or(|looked: Instant| looked.elapsed() >= REFRESH) {
            looked = Some(Instant::now());
            // On a busy machine an answer may come too late to count; calls are refused then.
            let _ = limit.refresh(&*node.store, &|| micros(began)).await;
        }
        let now = micros(began);
        match limit.admit(KEY, SLOTS, now) {
            Admission::Known(Permit::Admitted { .. }) => admitted.push(now),
            Admission::Look(_) => {
                let _ = limit.refill(&*node.store, &|| micros(began)).await;
            }
            Admission::Known(Permit::Exhausted { .. }) | Admission::Unknown => {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    }
    admitted
}

#[test]
fn decision_18_three_nodes_on_one_database_never_admit_more_than_the_limit_in_a_rolling_second() {
    run(async {
        let (database, began, over) = (Database::new(), Instant::now(), Arc::new(AtomicBool::new(false)));
        let mut nodes = Vec::new();
        for id in 1..=3_u8 {
            let node = Node::of(&database, &format!("node{id}")).await;
            nodes.push(tokio::spawn(press(node, id.into(), began, over.clone())));
        }
        tokio::time::sleep(Duration::from_millis(3_500)).await;
        over.store(true, Ordering::SeqCst);
        let mut admitted = Vec::new();
        for node in nodes {
            admitted.extend(node.await.expect("a node that runs to its end"));
        }
        admitted.sort_unstable();
        let within =
            |from: &u64| admitted.iter().filter(|at| (*from..=from + 1_000_000).contains(*at)).count();
        let most = admitted.iter().map(within).max().expect("calls");
        assert!(most <= SLOTS as usize, "{most} of {SLOTS}");
    });
}

#[test]
fn a_connection_that_was_lost_between_two_looks_is_told() {
    run(async {
        let database = Database::new();
        let node = Node::of(&database, "node").await;
        let look = Look { beat: None, keys: vec![KEY] };
        node.store.look(&look).await.expect("a database that answers");
        database.end_sessions("node").await;
        node.store.look(&look).await.expect_err("behind it may be another database");
        node.store.look(&look).await.expect("a database that answers");
    });
}
