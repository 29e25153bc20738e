//! What concurrent calls were told, held against a member that joins and is removed one call at a time: for every
//! (room, user) there must be an order of the calls, each between its request and its answer, that tells the same.

mod check;
mod planted;
mod record;

use xtask_postgres::shared;

use crate::crash::api::{Api, start};
use check::explains;
use planted::hasty;
use record::{Caller, record};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_three_nodes_on_postgres_is_linearizable() {
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = crate::cluster::node::Nodes::on(database.url(), "").start_together(3);
    let first = Api::of(&nodes[0]).await;
    let callers: Vec<_> = nodes.iter().map(|node| Caller::of(&first.at(node))).collect();
    for (user, history) in record(&first, &callers).await {
        assert!(explains(&history), "no order explains what was told of {user}: {history:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_the_embedded_store_is_linearizable() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[], "");
    let api = Api::of(&server).await;
    let callers = [Caller::of(&api), Caller::of(&api), Caller::of(&api)];
    for (user, history) in record(&api, &callers).await {
        assert!(explains(&history), "no order explains what was told of {user}: {history:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_outside_the_transaction_is_found() {
    let api = hasty().await;
    let callers = [Caller::of(&api), Caller::of(&api), Caller::of(&api)];
    let histories = record(&api, &callers).await;
    assert!(histories.iter().any(|(_, history)| !explains(history)), "the planted bug was not found");
}
