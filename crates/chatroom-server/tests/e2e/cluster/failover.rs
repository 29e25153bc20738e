//! The primary is killed while clients remove members through two nodes, and its standby is promoted: with a
//! synchronous standby nothing that was acknowledged is lost, and the nodes follow by themselves. With one that lags
//! behind something is lost, which shows that this test can see it.
//!
//! `CHATROOM_FAILOVER_ROUNDS`, else `CHATROOM_TORTURE_ROUNDS`, else 3 says how often.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chatroom_core::Seq;
use futures_util::future::join_all;
use rand::RngExt as _;
use rand::seq::SliceRandom;
use xtask_postgres::{Cluster, Replication};

use super::node::{Nodes, logs};
use crate::crash::api::{Api, names};
use crate::crash::kill::number;
use crate::support::Binary;

const ROOMS: usize = 4;
const USERS: usize = 300;
const CLIENTS: usize = 8;
/// Acknowledged removals before the primary may be killed.
const ACKNOWLEDGED: usize = 200;
/// Within this a call is answered, whatever becomes of the database.
const LONGEST: Duration = Duration::from_secs(5);
/// Before a 503 is repeated.
const PAUSE: Duration = Duration::from_millis(50);

/// A membership as the test sees it: which room, which user.
type Place = (String, String);

/// What all clients ask for and were answered.
#[derive(Default)]
struct Asked {
    left: Mutex<Vec<Place>>,
    acknowledged: Mutex<BTreeSet<Place>>,
    count: AtomicUsize,
    /// Whether the primary is dead.
    killed: AtomicBool,
    /// Acknowledged after that, by each node.
    after: [AtomicUsize; 2],
}

#[expect(clippy::print_stdout, reason = "whoever runs many rounds wants to see them")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torture_an_acknowledged_removal_survives_the_primary_if_a_standby_is_synchronous() {
    let rounds =
        number("CHATROOM_FAILOVER_ROUNDS").or_else(|| number("CHATROOM_TORTURE_ROUNDS")).unwrap_or(3);
    let mut primary = Cluster::start().unwrap();
    primary.create_database("chat").unwrap();
    let (mut rooms, mut before) = (Vec::new(), vec![Seq(0); ROOMS]);
    for round in 0..rounds {
        let standby = primary.standby(Replication::Synchronous).unwrap();
        let url = both(primary.port(), standby.port());
        let nodes = Nodes::on(&url, "").start_together(2);
        let apis = apis(&nodes).await;
        if rooms.is_empty() {
            rooms = populate(&apis[0]).await;
        }
        fill(&apis[0], &rooms).await;

        let asked = Arc::new(Asked::of(&rooms));
        let clients = asked.clients(&apis);
        let kill_at = ACKNOWLEDGED + rand::rng().random_range(0..ACKNOWLEDGED);
        while asked.count.load(Ordering::SeqCst) < kill_at {
            tokio::task::yield_now().await;
        }
        asked.killed.store(true, Ordering::SeqCst);
        primary.kill9().unwrap();
        primary = standby.promote().unwrap();
        for client in clients {
            client.await.unwrap();
        }
        for (node, after) in asked.after.iter().enumerate() {
            assert!(after.load(Ordering::SeqCst) > 0, "node {node} did not follow the new primary");
        }
        for node in nodes {
            node.stop();
        }
        let lost = lost(&primary, &rooms, &asked, &mut before).await;
        assert_eq!(lost, Vec::new(), "acknowledged and lost in round {round}");
        println!("round {round}: {} acknowledged removals are there", asked.count.load(Ordering::SeqCst));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_behind_the_back_of_a_paused_standby_is_found_lost() {
    let mut primary = Cluster::start().unwrap();
    primary.create_database("chat").unwrap();
    let standby = primary.standby(Replication::Asynchronous).unwrap();
    let nodes = Nodes::on(&both(primary.port(), standby.port()), "").start_together(2);
    let apis = apis(&nodes).await;
    let rooms = populate(&apis[0]).await;
    fill(&apis[0], &rooms).await;
    primary.wait_until_in_sync(&standby).unwrap();
    standby.pause().unwrap();
    let asked = Arc::new(Asked::of(&rooms));
    let clients = asked.clients(&apis);
    while asked.count.load(Ordering::SeqCst) < ACKNOWLEDGED {
        tokio::task::yield_now().await;
    }
    let acknowledged = asked.acknowledged.lock().unwrap().clone();
    primary.kill9().unwrap();
    for client in clients {
        client.abort();
    }
    for node in nodes {
        node.kill();
    }
    let promoted = standby.promote().unwrap();
    let lost = lost(&promoted, &rooms, &asked, &mut [Seq(0); ROOMS]).await;
    assert!(acknowledged.iter().all(|place| lost.contains(place)), "{} lost", lost.len());
}

/// The URL of whichever of the two takes writes.
fn both(one: u16, other: u16) -> String {
    format!("postgresql://postgres@127.0.0.1:{one},127.0.0.1:{other}/chat?sslmode=disable")
}

async fn apis(nodes: &[Binary]) -> Vec<Api> {
    let first = Api::of(&nodes[0]).await;
    nodes.iter().map(|node| first.at(node)).collect()
}

async fn populate(api: &Api) -> Vec<String> {
    api.register(&["owner".to_owned()]).await;
    api.register(&names(USERS)).await;
    join_all((0..ROOMS).map(|_| api.create_room("owner"))).await
}

/// Everybody is a member of every room again.
async fn fill(api: &Api, rooms: &[String]) {
    let everybody = names(USERS);
    join_all(rooms.iter().map(|room| api.add(room, &everybody))).await;
}

/// What was acknowledged and is not in the logs behind `before`, which is moved to their ends.
async fn lost(primary: &Cluster, rooms: &[String], asked: &Asked, before: &mut [Seq]) -> Vec<Place> {
    let logs = logs(&primary.url("chat"), rooms).await;
    let mut removed = BTreeSet::new();
    for ((room, log), before) in rooms.iter().zip(logs).zip(before) {
        let new = log.removed.into_iter().filter(|(seq, _)| *seq > *before);
        removed.extend(new.map(|(_, user)| (room.clone(), user)));
        *before = log.last;
    }
    asked.acknowledged.lock().unwrap().difference(&removed).cloned().collect()
}

impl Asked {
    /// Everybody, in a random order.
    fn of(rooms: &[String]) -> Self {
        let everybody =
            rooms.iter().flat_map(|room| names(USERS).into_iter().map(|user| (room.clone(), user)));
        let mut left: Vec<Place> = everybody.collect();
        left.shuffle(&mut rand::rng());
        Self { left: Mutex::new(left), ..Self::default() }
    }

    fn clients(self: &Arc<Self>, apis: &[Api]) -> Vec<tokio::task::JoinHandle<()>> {
        let client = |(node, api): (usize, &Api)| {
            let (asked, api) = (self.clone(), api.clone());
            (0..CLIENTS).map(move |_| tokio::spawn(asked.clone().ask(node, api.clone()))).collect::<Vec<_>>()
        };
        apis.iter().enumerate().flat_map(client).collect()
    }

    async fn ask(self: Arc<Self>, node: usize, api: Api) {
        let mut remover = api.remover().await;
        while let Some(place) = self.next() {
            loop {
                let began = Instant::now();
                // The node may be ended, where the test ends before its clients.
                let Some(status) = remover.remove(&place.0, &place.1).await else { return };
                assert!(began.elapsed() < LONGEST, "{status} after {:?}", began.elapsed());
                match status {
                    200 => self.acknowledge(node, &place),
                    // Nothing was done.
                    503 => {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    // It may or may not have been done.
                    504 => {}
                    // Nobody else asked for it, and a 503 had said that nothing was done.
                    status => panic!("{status} for {place:?}"),
                }
                break;
            }
        }
    }

    fn next(&self) -> Option<Place> {
        self.left.lock().unwrap().pop()
    }

    fn acknowledge(&self, node: usize, place: &Place) {
        let new = self.acknowledged.lock().unwrap().insert(place.clone());
        assert!(new, "{place:?} was acknowledged twice");
        self.count.fetch_add(1, Ordering::SeqCst);
        if self.killed.load(Ordering::SeqCst) {
            self.after[node].fetch_add(1, Ordering::SeqCst);
        }
    }
}
