//! Chatroom membership inside another service, on the memory store.
//!
//! ```sh
//! cargo run -p chatroom-core --example embed_memory
//! ```
//!
//! A service brings three things: a store, a clock and ids. It gets typed calls whose failures are of three kinds.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use chatroom_core::{
    AppChange, AppId, AppKey, AppRegistry, CallbackOutbox, Chatrooms, Clock, Error, Ids, Limits, NewApp,
    NewRoom, NewUser, OperationId, Origin, Rejection, SecretDigest, Seq, SigningKey, Timestamp,
};
use chatroom_store_memory::{MemoryStore, Retention};
use uuid::Uuid;

/// The time of the machine. A test brings one that stands still.
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is where the time is injected")]
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Ids that nobody made before. A test brings some that count.
struct RandomIds;

#[expect(clippy::disallowed_methods, reason = "this is where ids are injected")]
impl Ids for RandomIds {
    fn operation(&self) -> OperationId {
        OperationId::new(Uuid::now_v7().as_u128())
    }

    fn app(&self) -> AppId {
        AppId(Uuid::new_v4().as_u128())
    }
}

/// Makes a room, removes a member, and answers what the room's log tells.
async fn run() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let ids = Arc::new(RandomIds);
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock), None, Retention::default()));

    // An app is a tenant. The credentials are for servers that check tokens; a service that embeds the rules and
    // knows its callers can make up any.
    let app = NewApp {
        key: AppKey::from_parts("demo", "chat")?,
        client_id: "embedded".into(),
        secret: SecretDigest([0; 32]),
        signing_key: SigningKey([0; 32]),
        origin: Origin::Command,
    };
    let app = store.change(ids.operation(), ids.app(), AppChange::Create(app)).await?.id;

    let chatrooms = Chatrooms::new(store.clone(), ids, Limits::default());
    let users = ["alice", "bob"].map(|name| Ok(NewUser { name: name.parse()?, nickname: None }));
    let users = users.into_iter().collect::<Result<_, Box<dyn std::error::Error>>>()?;
    chatrooms.register_users(app, users).await?;
    let new = NewRoom { owner: "alice", name: "lobby", members: vec!["bob"], ..NewRoom::default() };
    let room = chatrooms.create_room(app, new).await?;

    let removed = chatrooms.remove_members(app, room.key.id, ["bob"]).await?;
    assert!(removed.removals.iter().all(|removal| removal.removed));
    // What a rule refuses is no failure of the store, and the types keep them apart.
    match chatrooms.remove_members(app, room.key.id, ["bob"]).await {
        Err(Error::Rejected(Rejection::NotMembers(names))) => assert_eq!(names.len(), 1),
        other => return Err(format!("bob cannot be removed twice, but: {other:?}").into()),
    }

    // Every change is in the room's log, written in the commit of the change.
    let events = store.events(&room.key, Seq(0), 10).await?;
    Ok(events.iter().map(|event| format!("{}. {:?}", event.seq.0, event.kind)).collect())
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    for line in run().await? {
        #[expect(clippy::print_stdout, reason = "this is what the example shows")]
        {
            println!("{line}");
        }
    }
    Ok(())
}
