//! The rooms, and the store that removes in groups.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use chatroom_core::{
    AppChange, AppId, AppRegistry as _, ChatroomId, Chatrooms, Clock, Ids, Limits, NewApp, NewRoom, NewUser,
    OperationId, Origin, SecretDigest, SigningKey, Timestamp,
};
use chatroom_store_postgres::{Options, PostgresStore};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

pub(crate) const APP: AppId = AppId(1);
/// Rooms are filled, and emptied ones are filled again, by so many at once.
const PART: usize = 500;

/// A membership.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) room: ChatroomId,
    pub(crate) name: Arc<str>,
}

pub(crate) struct World {
    chatrooms: Chatrooms,
    /// Members of many rooms.
    pub(crate) spread: Vec<Member>,
    /// Members of one room.
    pub(crate) hot: Vec<Member>,
}

struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from that is injected")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Ids that are as good as random ones, and the same in every run.
#[derive(Default)]
struct Counted(AtomicU64);

impl Ids for Counted {
    fn operation(&self) -> OperationId {
        OperationId::new((u128::from(self.0.fetch_add(1, Ordering::Relaxed) + 1) * 4_099) << 16)
    }

    fn app(&self) -> AppId {
        APP
    }
}

impl World {
    pub(crate) async fn load(url: &str, members: usize, rooms: usize) -> Result<Self> {
        let store = Arc::new(PostgresStore::open(Options::new(url), Arc::new(System)).await?);
        let ids = Arc::new(Counted::default());
        let new = NewApp {
            key: "bench#app".parse()?,
            client_id: "client".into(),
            secret: SecretDigest([1; 32]),
            signing_key: SigningKey([2; 32]),
            origin: Origin::Command,
        };
        store.change(ids.operation(), APP, AppChange::Create(new)).await?;
        let max_users = u32::try_from(members)?.saturating_add(1);
        let limits = Limits { remove_batch: PART, batch: PART, max_users };
        let mut world =
            Self { chatrooms: Chatrooms::new(store, ids, limits), spread: Vec::new(), hot: Vec::new() };
        let names: Vec<Arc<str>> = (0..members).map(|index| format!("user{index:07}").into()).collect();
        for part in names.chunks(PART) {
            let parse = |name: &Arc<str>| Ok(NewUser { name: name.parse()?, nickname: None });
            let users = part.iter().map(parse).collect::<Result<_>>()?;
            world.chatrooms.register_users(APP, users).await?;
        }
        let of_each = members * 5 / rooms;
        ensure!(of_each > 0 && of_each < members, "{members} members cannot be in {rooms} rooms");
        for index in 0..rooms {
            let names: Vec<Arc<str>> =
                names.iter().cycle().skip(index * of_each % members).take(of_each).cloned().collect();
            world.spread.extend(world.room(&names, max_users).await?);
        }
        world.hot = world.room(&names, max_users).await?;
        Ok(world)
    }

    /// The members of a new room, without its owner.
    async fn room(&self, names: &[Arc<str>], max_users: u32) -> Result<Vec<Member>> {
        let owner = names.first().context("a room has members")?;
        let new = NewRoom { owner, max_users: Some(max_users), ..NewRoom::default() };
        let room = self.chatrooms.create_room(APP, new).await?.key.id;
        let members: Vec<Member> =
            names.iter().skip(1).map(|name| Member { room, name: name.clone() }).collect();
        self.add(&members).await?;
        Ok(members)
    }

    /// Removes one, in a group with others.
    pub(crate) async fn remove(&self, member: &Member) -> Result<()> {
        self.chatrooms.remove_members(APP, member.room, [&*member.name]).await?;
        Ok(())
    }

    /// Adds all of them.
    pub(crate) async fn add(&self, members: &[Member]) -> Result<()> {
        let mut by_room = BTreeMap::<ChatroomId, Vec<Arc<str>>>::new();
        for member in members {
            by_room.entry(member.room).or_default().push(member.name.clone());
        }
        let mut tasks = Vec::new();
        for (room, names) in by_room {
            let chatrooms = self.chatrooms.clone();
            tasks.push(tokio::spawn(async move {
                for part in names.chunks(PART) {
                    chatrooms.add_members(APP, room, part.iter().map(|name| &**name)).await?;
                }
                anyhow::Ok(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    }
}

/// Some of them, each once, by a seed, in a random order.
pub(crate) fn choose(members: &[Member], count: usize, seed: u64) -> Vec<Member> {
    members.sample(&mut SmallRng::seed_from_u64(seed), count).cloned().collect()
}
