//! A data directory with something of every kind, larger than one part of an export, and what an export tells of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chatroom_core::{
    AppId, AppRegistry, CallbackLeases, ChangeRule, Chatrooms, DeliveryFailure, Ids, LeaseRequest, Limits,
    NewRoom, NewRule, NewUser, Origin, Progress, RuleChange, RuleRegistry, RuleSecret, Settlement,
};
use chatroom_server::serve::{SystemClock, SystemIds};
use chatroom_store_embedded::{EmbeddedStore, Options, Sync};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::run;

pub(super) const ROOMS: usize = 40;
/// Of each room, its owner among them.
pub(super) const MEMBERS: usize = 40;

pub(super) struct World {
    pub(super) dir: TempDir,
    pub(super) rooms: Vec<String>,
}

/// A member of the room; the owner is 0.
pub(super) fn member_of(room: &str, member: usize) -> String {
    format!("u{member}.{room}")
}

impl World {
    /// In `data` of a new directory, with the app `acme/support`.
    pub(super) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), &["app", "create", "acme/support"]);
        let options = Options { sync: Sync::None, ..Options::new(dir.path().join("data")) };
        let store = Arc::new(EmbeddedStore::open(&options, Arc::new(SystemClock)).unwrap());
        let app = store.apps().await.unwrap()[0].id;
        let rooms = fill(&store, app).await;
        store.close().await;
        Self { dir, rooms }
    }
}

async fn fill(store: &Arc<EmbeddedStore>, app: AppId) -> Vec<String> {
    let rooms = Chatrooms::new(store.clone(), Arc::new(SystemIds), Limits::default());
    let mut made = Vec::new();
    for n in 0..ROOMS {
        if n == ROOMS / 2 {
            change(store, app, RuleChange::Add(rule())).await;
        }
        let owner = format!("o{n}");
        register(&rooms, app, vec![owner.clone()]).await;
        let new = NewRoom { owner: &owner, name: "n", description: "d", ..NewRoom::default() };
        let room = rooms.create_room(app, new).await.unwrap().key.id;
        let members: Vec<_> = (1..MEMBERS).map(|member| member_of(&room.to_string(), member)).collect();
        register(&rooms, app, members.clone()).await;
        rooms.add_members(app, room, members.iter().map(String::as_str)).await.unwrap();
        // More than one part of events in all.
        for member in &members[..30] {
            rooms.remove_members(app, room, [member.as_str()]).await.unwrap();
            rooms.add_members(app, room, [member.as_str()]).await.unwrap();
        }
        made.push(room.to_string());
    }
    settle(store).await;
    change(store, app, RuleChange::Disable("all".parse().unwrap())).await;
    made
}

async fn register(rooms: &Chatrooms, app: AppId, names: Vec<String>) {
    let user = |name: String| NewUser { name: name.parse().unwrap(), nickname: Some(name.into()) };
    rooms.register_users(app, names.into_iter().map(user).collect()).await.unwrap();
}

fn rule() -> NewRule {
    NewRule {
        name: "all".parse().unwrap(),
        url: "https://example.com/".into(),
        secret: RuleSecret::new("hunter2"),
        enabled: true,
        events: None,
        rooms: None,
        origin: Origin::Command,
    }
}

async fn change(store: &Arc<EmbeddedStore>, app: AppId, change: RuleChange) {
    store.change_rule(SystemIds.operation(), app, ChangeRule { change, max_rules: 1 }).await.unwrap();
}

/// Some rooms are told half of their logs, and one event of some is given up.
async fn settle(store: &Arc<EmbeddedStore>) {
    let leased = store.lease(LeaseRequest { leases: 8, events: 10 }).await.unwrap();
    let done = leased.leases.iter().enumerate().map(|(n, lease)| {
        let last = lease.events.last().unwrap().seq;
        let bury = || Progress::Bury { seq: last.next(), why: DeliveryFailure::new("it said no") };
        let then = if n % 2 == 0 { Progress::Go } else { bury() };
        Settlement { lease: lease.id, through: Some(last), taken: 1, then }
    });
    store.settle(done.collect()).await.unwrap();
}

/// The hashes that the last line holds.
pub(super) fn sums(export: &str) -> Value {
    let last: Value = serde_json::from_str(export.lines().last().unwrap()).unwrap();
    assert_eq!(last["kind"], "end");
    last["sums"].clone()
}

/// Of each room, who is a member by the records, and by the log.
pub(super) fn membership(export: &str) -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let mut names = BTreeMap::new();
    let mut rooms: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for line in export.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        match line["kind"].as_str().unwrap() {
            "user" => drop(names.insert(text("id"), text("name"))),
            "membership" => {
                let records = &mut rooms.entry(text("room")).or_default().0;
                records.insert(names[&text("user")].clone());
            }
            "event" => {
                let log = &mut rooms.entry(text("room")).or_default().1;
                let (what, who) = line["what"].as_object().unwrap().iter().next().unwrap();
                let members =
                    who.as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned());
                match what.as_str() {
                    "created" => log.extend([who["owner"].as_str().unwrap().to_owned()]),
                    "joined" => log.extend(members),
                    _ => members.for_each(|name| drop(log.take(&name))),
                }
            }
            _ => {}
        }
    }
    rooms
}
