//! SIGKILL under load, while removals go on and callbacks are delivered: every acknowledged removal is there after the
//! restart, with its event, and none happened twice; in the end every event has arrived, in the order of its room.
//!
//! `CHATROOM_TORTURE_ROUNDS` (20) says how often, `CHATROOM_TORTURE_SEED` which run to repeat.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatroom_core::{AppRegistry, EventId, RoomKey, Seq};
use chatroom_store_embedded::{EmbeddedStore, Options};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use super::api::{Api, names, start_telling};
use super::log::{SystemClock, log_of};
use super::told::Told;
use crate::support::Binary;

const ROOMS: usize = 4;
const USERS: usize = 600;
const CLIENTS: usize = 32;
/// Acknowledged removals before the process may be killed.
const ACKNOWLEDGED: usize = 500;

/// A membership as the test sees it: which room, which user.
type Place = (String, String);

#[expect(clippy::print_stdout, reason = "whoever repeats a run needs its seed")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torture_an_acknowledged_removal_survives_sigkill_none_happens_twice_and_every_event_arrives() {
    let rounds = number("CHATROOM_TORTURE_ROUNDS").unwrap_or(20);
    let seed = number("CHATROOM_TORTURE_SEED").unwrap_or_else(rand::random);
    println!("CHATROOM_TORTURE_SEED={seed} CHATROOM_TORTURE_ROUNDS={rounds}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut rooms = Vec::new();
    let (mut checked, mut logs) = (BTreeMap::new(), Vec::new());
    let mut told = Told::start().await;
    for round in 0..rounds {
        let server = start_telling(dir.path(), told.url());
        let api = Api::of(&server).await;
        if rooms.is_empty() {
            rooms = populate(&api).await;
        }
        fill(&api, &rooms).await;
        let acknowledged = remove_until_killed(server, &api, &rooms, &mut rng).await;
        assert!(acknowledged.len() >= ACKNOWLEDGED, "round {round}: {} acknowledged", acknowledged.len());
        logs = check(&dir.path().join("data"), &rooms, &acknowledged, &mut checked).await;
        println!("round {round}: {} acknowledged removals are there", acknowledged.len());
    }
    let server = start_telling(dir.path(), told.url());
    let (events, repeated) = told.check(&logs).await;
    println!("all {events} events have arrived in order, {repeated} of them more than once");
    server.stop();
}

pub(crate) fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

async fn populate(api: &Api) -> Vec<String> {
    api.register(&names(USERS)).await;
    api.register(&["owner".to_owned()]).await;
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        rooms.push(api.create_room("owner").await);
    }
    rooms
}

/// Everybody is a member of every room again.
async fn fill(api: &Api, rooms: &[String]) {
    for room in rooms {
        api.add(room, &names(USERS)).await;
    }
}

/// Removes in random order from many clients, some asking for the same member, and kills the process at a random
/// moment after enough were acknowledged. Answers what was acknowledged.
async fn remove_until_killed(
    server: Binary,
    api: &Api,
    rooms: &[String],
    rng: &mut SmallRng,
) -> BTreeSet<Place> {
    let everybody = rooms.iter().flat_map(|room| (0..USERS).map(move |n| (room.clone(), format!("u{n}"))));
    let mut work: Vec<Place> = everybody.collect();
    work.shuffle(rng);
    // Every tenth is asked for twice, by different clients at about the same time.
    let twice: Vec<Place> = work.iter().step_by(10).cloned().collect();
    for (index, place) in twice.into_iter().enumerate() {
        work.insert(index * 11 + 5, place);
    }
    let kill_at = ACKNOWLEDGED + rng.random_range(0..ACKNOWLEDGED);
    let delay = Duration::from_micros(rng.random_range(0..2_000));

    let next = Arc::new(AtomicUsize::new(0));
    let count = Arc::new(AtomicUsize::new(0));
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    let work = Arc::new(work);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (api, work, next) = (api.clone(), work.clone(), next.clone());
            let (count, acknowledged) = (count.clone(), acknowledged.clone());
            tokio::spawn(async move {
                let mut remover = api.remover().await;
                while let Some((room, user)) = work.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let Some(status) = remover.remove(room, user).await else { return };
                    if status == 200 {
                        let new = acknowledged.lock().unwrap().insert((room.clone(), user.clone()));
                        assert!(new, "{user} was removed from {room} twice");
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    while count.load(Ordering::SeqCst) < kill_at {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(delay).await;
    server.kill();
    for client in clients {
        client.await.unwrap();
    }
    Arc::try_unwrap(acknowledged).unwrap().into_inner().unwrap()
}

/// Opens what the dead process left and holds it against what was acknowledged. `checked` is how far each room's
/// log went before this round. Answers the logs.
async fn check(
    data: &Path,
    rooms: &[String],
    acknowledged: &BTreeSet<Place>,
    checked: &mut BTreeMap<String, Seq>,
) -> Vec<Vec<EventId>> {
    let mut logs = Vec::new();
    let store = EmbeddedStore::open(&Options::new(data), Arc::new(SystemClock)).unwrap();
    let app = store.apps().await.unwrap()[0].id;
    for room in rooms {
        let log = log_of(&store, &RoomKey { app, id: room.parse().unwrap() }).await;
        let before = checked.insert(room.clone(), log.last).unwrap_or_default();
        for (_, user) in acknowledged.iter().filter(|(of, _)| of == room) {
            let found = log.removed.iter().any(|(seq, name)| name == user && *seq > before);
            assert!(found, "the removal of {user} from {room} was acknowledged and is lost");
        }
        logs.push(log.ids);
    }
    store.close().await;
    logs
}
