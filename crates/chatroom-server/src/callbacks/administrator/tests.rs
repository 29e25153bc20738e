//! What administrators ask, on the memory store and with receivers on loopback.

mod changing;
mod looking;
mod many_rooms;
mod receiver;
mod replaying;
mod trying;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_callback::{Guard, Resolver, WebhookSink};
use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_core::{
    App, AppChange, AppRegistry, CallbackLeases, CallbackOutbox, ChatroomId, Chatrooms, Clock,
    DeliveryFailure, Ids, LeaseRequest, Limits, NewApp, NewRoom, NewUser, Origin, Progress, RoomKey,
    SecretDigest, Settlement, SigningKey,
};
use chatroom_store_memory::{MemoryStore, Retention};

use super::AppCallbacks;
use crate::admin::{AdminError, Again, CallbackReply, CallbackRequest, NewCallback, Replayed, RuleView};
use crate::callbacks::Callbacks;

/// When tests happen.
const NOW: i64 = 1_729_497_896_834;

/// Names of tests, and where they lead.
struct Names;

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match name {
            "public.test" => Ok(vec!["93.184.215.14".parse().unwrap()]),
            "inside.test" => Ok(vec!["93.184.215.14".parse().unwrap(), "169.254.169.254".parse().unwrap()]),
            _ => Err(io::Error::other("no such host")),
        }
    }
}

/// An app with two users, on a store of its own.
struct World {
    store: Arc<MemoryStore>,
    clock: Arc<ManualClock>,
    chatrooms: Chatrooms,
    app: App,
    callbacks: Callbacks,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let ids = Arc::new(CountingIds::default());
        let store = Arc::new(MemoryStore::new(clock.clone(), None, Retention::default()));
        let chatrooms = Chatrooms::new(store.clone(), ids.clone(), Limits::default());
        let new = NewApp {
            key: "demo/chat".parse().unwrap(),
            client_id: "id".into(),
            secret: SecretDigest([1; 32]),
            signing_key: SigningKey([2; 32]),
            origin: Origin::Command,
        };
        let app = store.change(ids.operation(), ids.app(), AppChange::Create(new)).await.unwrap();
        let users = ["o", "u1"].map(|name| NewUser { name: name.parse().unwrap(), nickname: None });
        chatrooms.register_users(app.id, users.to_vec()).await.unwrap();
        let guard = Guard::allowing(["127.0.0.0/8".parse().unwrap()]);
        let timeout = Duration::from_secs(5);
        let sink = WebhookSink::new(guard.clone(), Arc::new(Names), clock.clone(), timeout).unwrap();
        let callbacks = Callbacks {
            rules: store.clone(),
            deliveries: store.clone(),
            outbox: store.clone(),
            guard,
            resolver: Arc::new(Names),
            sink: Arc::new(sink),
            ids,
            clock: clock.clone(),
            max_rules: 3,
            timeout,
        };
        Self { store, clock, chatrooms, app, callbacks }
    }

    async fn ask(&self, request: CallbackRequest) -> Result<CallbackReply, AdminError> {
        AppCallbacks { callbacks: &self.callbacks, app: &self.app }.run(request).await
    }

    async fn refusal(&self, request: CallbackRequest) -> String {
        self.ask(request).await.unwrap_err().to_string()
    }

    async fn add(&self, name: &str) -> RuleView {
        self.add_to(name, "http://127.0.0.1:9/hook").await
    }

    async fn add_to(&self, name: &str, url: &str) -> RuleView {
        match self.ask(CallbackRequest::Add(new(name, url))).await.unwrap() {
            CallbackReply::Added { rule, .. } => rule,
            other => panic!("{other:?}"),
        }
    }

    /// A room whose log has `events` events, one a second. The clock ends a second behind the last.
    async fn room(&self, events: u64) -> ChatroomId {
        let new = NewRoom { owner: "o", name: "n", ..NewRoom::default() };
        let room = self.chatrooms.create_room(self.app.id, new).await.unwrap().key.id;
        self.clock.advance(1_000);
        self.grow(room, events - 1).await;
        room
    }

    /// Adds and removes a member in turn.
    async fn grow(&self, room: ChatroomId, events: u64) {
        let counters = self.store.counters(&self.key(room)).await.unwrap().unwrap();
        for event in 0..events {
            if (counters.seq.0 + event) % 2 == 1 {
                self.chatrooms.add_members(self.app.id, room, ["u1"]).await.unwrap();
            } else {
                self.chatrooms.remove_members(self.app.id, room, ["u1"]).await.unwrap();
            }
            self.clock.advance(1_000);
        }
    }

    /// Settles everything that waits: taken, or given up event by event.
    async fn settle(&self, taken: bool) {
        loop {
            let leased = self.store.lease(LeaseRequest { leases: 64, events: 1_000 }).await.unwrap();
            if leased.leases.is_empty() {
                return;
            }
            let settle = |lease: &chatroom_core::Lease| {
                let (first, last) = (lease.events.first().unwrap().seq, lease.events.last().unwrap().seq);
                let why = DeliveryFailure::new("answered 500 Internal Server Error");
                Settlement {
                    lease: lease.id,
                    through: taken.then_some(last),
                    taken: u32::from(taken),
                    then: if taken { Progress::Go } else { Progress::Bury { seq: first, why } },
                }
            };
            self.store.settle(leased.leases.iter().map(settle).collect()).await.unwrap();
            // A rule that failed too often is probed after a while.
            self.clock.advance(300_000);
        }
    }

    /// What waits for the only rule: rooms, by their number, and places in their logs.
    async fn waiting(&self) -> Vec<(ChatroomId, Vec<u64>)> {
        let leased = self.store.lease(LeaseRequest { leases: 1_000, events: 1_000 }).await.unwrap();
        let seqs = |lease: &chatroom_core::Lease| lease.events.iter().map(|event| event.seq.0).collect();
        leased.leases.iter().map(|lease| (lease.id.room.id, seqs(lease))).collect()
    }

    /// Replays to the end of a walk, and answers all steps together.
    async fn replay(&self, rule: &str, what: Again) -> Result<(Replayed, usize), AdminError> {
        let mut all = Replayed::default();
        let mut next = Some(what);
        let mut steps = 0;
        while let Some(what) = next.take() {
            let request = CallbackRequest::Replay { name: rule.parse().unwrap(), what };
            let CallbackReply::Replayed(step) = self.ask(request).await? else { panic!("another reply") };
            next.clone_from(&step.next);
            all.add(step);
            steps += 1;
        }
        Ok((all, steps))
    }

    fn key(&self, id: ChatroomId) -> RoomKey {
        RoomKey { app: self.app.id, id }
    }
}

fn new(name: &str, url: &str) -> NewCallback {
    NewCallback {
        name: name.parse().unwrap(),
        url: url.to_owned(),
        secret: None,
        enabled: true,
        events: None,
        rooms: None,
    }
}
