//! A dissolution too large for one commit, killed in the middle: the restarted server finishes it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use chatroom_core::{AppRegistry, ChatroomRepository, EventKind, Leaving, RoomKey, Seq};
use chatroom_store_embedded::{EmbeddedStore, Options};

use super::api::{Api, names, start};
use super::log::{SystemClock, all_events};

const MEMBERS: usize = 9_999;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_a_large_dissolution_that_is_killed_is_finished_after_the_restart() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path(), &[], "");
    let api = Api::of(&server).await;
    let members = names(MEMBERS);
    api.register(&members).await;
    let neighbour = api.room_with(&["v0".to_owned()]).await;
    let body = serde_json::json!({"name": "n", "description": "d", "owner": "owner", "maxusers": 10_000,
        "members": members});
    let room = api.call("POST", "/chatrooms", &body.to_string()).await.json()["data"]["id"].clone();
    let room = room.as_str().unwrap();

    assert_eq!(api.call("DELETE", &format!("/chatrooms/{room}"), "").await.status, 200);
    assert_eq!(api.remove(&neighbour, "v0").await.status, 200);
    server.kill();
    // It may have been finished already: then this run shows less.
    look(dir.path(), room).await;

    // Whatever is left is swept by servers that are started and stopped.
    let mut starts = 0;
    let gone = loop {
        let server = start(dir.path(), &[], "");
        let api = Api::of(&server).await;
        assert_eq!(api.call("GET", &format!("/chatrooms/{room}"), "").await.status, 404);
        assert_eq!(api.remove(&neighbour, "v0").await.status, 400);
        server.stop();
        starts += 1;
        match look(dir.path(), room).await {
            (true, gone) => break gone,
            (false, _) => assert!(starts < 50, "the sweep does not end"),
        }
    };
    let everybody: BTreeSet<String> = members.into_iter().chain(["owner".to_owned()]).collect();
    assert_eq!(gone, everybody);
}

/// Whether nothing is left to sweep, and who has left the room with its dissolution: each once, in events of at most
/// 1,000 behind the one that says so.
async fn look(dir: &Path, room: &str) -> (bool, BTreeSet<String>) {
    let store = EmbeddedStore::open(&Options::new(dir.join("data")), Arc::new(SystemClock)).unwrap();
    let app = store.apps().await.unwrap()[0].id;
    let events = all_events(&store, &RoomKey { app, id: room.parse().unwrap() }).await;
    let (mut dissolved, mut gone, mut last) = (false, BTreeSet::new(), Seq(0));
    for event in events {
        assert_eq!(event.seq, last.next());
        last = event.seq;
        match event.kind {
            EventKind::Dissolved => dissolved = true,
            EventKind::Left { members, why: Leaving::RoomDissolved } => {
                assert!(dissolved && members.len() <= 1_000);
                for name in members {
                    assert!(gone.insert(name.to_string()), "{name} left twice");
                }
            }
            _ => {}
        }
    }
    let finished = store.sweeps(1).await.unwrap().is_empty();
    store.close().await;
    (finished, gone)
}
