//! Three nodes, one of which is killed: each member is removed once, and each event is told.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use rand::seq::SliceRandom;
use xtask_postgres::shared;

use super::node::{Nodes, logs};
use crate::crash::api::{Api, names};
use crate::crash::told::Told;

const ROOMS: usize = 12;
const USERS: usize = 700;
const CLIENTS: usize = 8;
/// Removals through each node.
const EACH: usize = 2_000;
/// What the node is given that is killed; the others share the rest.
const DOOMED: usize = 2_400;

/// A membership as the test sees it: which room, which user.
type Place = (String, String);

/// What is asked of one node, and what it answered.
#[derive(Default)]
struct Asked {
    left: Mutex<VecDeque<Place>>,
    acknowledged: Mutex<Vec<Place>>,
    unanswered: Mutex<Vec<Place>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_of_which_one_is_killed_remove_each_member_once_and_tell_of_each() {
    let database = shared().unwrap().fresh_database().unwrap();
    let mut told = Told::start().await;
    let mut nodes = Nodes::telling(database.url(), told.url()).start_together(3);
    let first = Api::of(&nodes[0]).await;
    let apis: Vec<_> = nodes.iter().map(|node| first.at(node)).collect();
    let rooms = populate(&apis).await;

    let everybody = rooms.iter().flat_map(|room| names(USERS).into_iter().map(|user| (room.clone(), user)));
    let mut places: Vec<Place> = everybody.collect();
    places.shuffle(&mut rand::rng());
    let (doomed, others) = places.split_at(DOOMED);
    let (second, third) = others.split_at(others.len() / 2);
    let asked = [doomed, second, third].map(|places| Arc::new(Asked::of(places)));
    // Every tenth is asked for through both of the others, at about the same time.
    for (index, place) in second.iter().enumerate().step_by(10) {
        asked[2].left.lock().unwrap().insert(index, place.clone());
    }

    let clients: Vec<_> = apis.iter().zip(&asked).map(|(api, asked)| asked.clients(api)).collect();
    while asked[0].acknowledged.lock().unwrap().len() < EACH {
        tokio::task::yield_now().await;
    }
    nodes.remove(0).kill();
    for client in clients.into_iter().flatten() {
        client.await.unwrap();
    }
    // What the dead node was not asked for any more, or did not answer: it may have done it.
    let left: Vec<Place> = {
        let (mut left, unanswered) =
            (asked[0].left.lock().unwrap(), asked[0].unanswered.lock().unwrap().clone());
        left.drain(..).chain(unanswered).collect()
    };
    assert!(!left.is_empty(), "it was killed in the middle");
    let rest = Arc::new(Asked::of(&left));
    for client in rest.clients(&apis[1]) {
        client.await.unwrap();
    }

    let mut once = BTreeSet::new();
    for (node, asked) in asked.iter().chain([&rest]).enumerate() {
        let acknowledged = asked.acknowledged.lock().unwrap();
        assert!(node == 3 || acknowledged.len() >= EACH, "node {node}: {}", acknowledged.len());
        for place in acknowledged.iter() {
            assert!(once.insert(place.clone()), "{place:?} was acknowledged twice");
        }
    }
    let logs = logs(database.url(), &rooms).await;
    for (room, log) in rooms.iter().zip(&logs) {
        // That nobody was removed twice is checked where the log is read.
        assert_eq!(log.removed.len(), USERS, "{room}");
    }
    // The node that died delivers no more, once its lease has ended.
    shared().unwrap().query(&name_of(database.url()), "UPDATE couriers SET until = now()").unwrap();
    let ids: Vec<_> = logs.into_iter().map(|log| log.ids).collect();
    told.check(&ids).await;
}

fn name_of(url: &str) -> String {
    url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned()
}

/// Everybody is a member of every room, through all nodes.
async fn populate(apis: &[Api]) -> Vec<String> {
    apis[0].register(&["owner".to_owned()]).await;
    apis[0].register(&names(USERS)).await;
    let room = |index: usize| {
        let api = &apis[index % apis.len()];
        async move {
            let room = api.create_room("owner").await;
            api.add(&room, &names(USERS)).await;
            room
        }
    };
    join_all((0..ROOMS).map(room)).await
}

impl Asked {
    fn of(places: &[Place]) -> Self {
        Self { left: Mutex::new(places.iter().cloned().collect()), ..Self::default() }
    }

    /// Clients that ask a node for all of it, until they are done or it is gone.
    fn clients(self: &Arc<Self>, api: &Api) -> Vec<tokio::task::JoinHandle<()>> {
        (0..CLIENTS).map(|_| tokio::spawn(self.clone().ask(api.clone()))).collect()
    }

    async fn ask(self: Arc<Self>, api: Api) {
        let mut remover = api.remover().await;
        while let Some(place) = self.next() {
            match remover.remove(&place.0, &place.1).await {
                Some(200) => self.acknowledged.lock().unwrap().push(place),
                // Somebody else was first.
                Some(400) => {}
                // Nothing was done.
                Some(503) => self.left.lock().unwrap().push_back(place),
                Some(status) => panic!("{status} for {place:?}"),
                None => {
                    self.unanswered.lock().unwrap().push(place);
                    return;
                }
            }
        }
    }

    fn next(&self) -> Option<Place> {
        self.left.lock().unwrap().pop_front()
    }
}
