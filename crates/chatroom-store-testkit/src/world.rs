//! A store under test with everything around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatroom_core::test_util::{ManualClock, name};
use chatroom_core::{
    AppId, CallbackOutbox, ChatroomId, ChatroomRepository, Chatrooms, Error, Event, From, Ids, Limits,
    Member, MembersAdded, MembersRemoved, MembersRequest, NewRoom, NewUser, OperationId, Order, RoomKey, Seq,
};

use crate::broken::{Broken, ensure};
use crate::{DurableHarness, Promise, RepositoryHarness, Setup};

/// A store, an app in it, and the clock that it goes by.
pub(crate) struct World<R> {
    pub(crate) store: Arc<R>,
    pub(crate) chatrooms: Chatrooms,
    pub(crate) app: AppId,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: Arc<SpreadIds>,
    setup: Setup,
}

impl<R> Clone for World<R> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            chatrooms: self.chatrooms.clone(),
            app: self.app,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            setup: self.setup.clone(),
        }
    }
}

/// Bounds that are out of the way: core's own tests show that they hold.
const LIMITS: Limits = Limits { remove_batch: 1_000, batch: 1_000, max_users: 100_000 };
/// When a world begins: 2023-11-14.
pub(crate) const BEGIN_MS: i64 = 1_700_000_000_000;
/// How long events are kept.
pub(crate) const KEEP: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl<R: ChatroomRepository> World<R> {
    /// An empty store with an app.
    pub(crate) async fn new(harness: &impl RepositoryHarness<Repository = R>) -> Self {
        Self::bounded(harness, None).await
    }

    /// The same, with a bound on memberships.
    pub(crate) async fn bounded(
        harness: &impl RepositoryHarness<Repository = R>,
        max_memberships: Option<u64>,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(BEGIN_MS));
        let setup = Setup { clock: clock.clone(), max_memberships, keep: KEEP };
        let (store, app) = harness.open(setup.clone()).await;
        let ids = Arc::new(SpreadIds::default());
        let chatrooms = Chatrooms::new(store.clone(), ids.clone(), LIMITS);
        Self { store, chatrooms, app, clock, ids, setup }
    }

    /// The same store as seen by another app.
    pub(crate) fn of_app(&self, app: AppId) -> Self {
        Self { app, ..self.clone() }
    }

    pub(crate) fn key(&self, id: ChatroomId) -> RoomKey {
        RoomKey { app: self.app, id }
    }

    /// Registers these users.
    pub(crate) async fn users(&self, names: &[impl AsRef<str>]) -> Promise {
        for part in names.chunks(LIMITS.batch) {
            let users = part.iter().map(|n| NewUser { name: name(n.as_ref()), nickname: None }).collect();
            self.clock.advance(1);
            let registered = self.chatrooms.register_users(self.app, users).await?;
            ensure!(
                registered.len() == part.len(),
                "a registration must answer for each user: {registered:?}"
            );
        }
        Ok(())
    }

    /// Makes a room.
    pub(crate) async fn room(&self, owner: &str, members: &[&str]) -> Result<ChatroomId, Broken> {
        self.clock.advance(1);
        let new = NewRoom { owner, members: members.to_vec(), max_users: Some(20_000), ..NewRoom::default() };
        Ok(self.chatrooms.create_room(self.app, new).await?.key.id)
    }

    /// Registers the owner and the members of a room, and makes it.
    pub(crate) async fn populated(&self, owner: &str, members: &[&str]) -> Result<ChatroomId, Broken> {
        self.users(&[owner]).await?;
        self.users(members).await?;
        self.room(owner, members).await
    }

    pub(crate) async fn remove(&self, room: ChatroomId, names: &[&str]) -> Result<MembersRemoved, Error> {
        self.chatrooms.remove_members(self.app, room, names.iter().copied()).await
    }

    pub(crate) async fn add(&self, room: ChatroomId, names: &[&str]) -> Result<MembersAdded, Error> {
        self.chatrooms.add_members(self.app, room, names.iter().copied()).await
    }

    /// The members without the owner, read by cursor.
    pub(crate) async fn listed(&self, room: ChatroomId) -> Result<Vec<String>, Broken> {
        let members = self.members(room, Order::Ascending, 1_000).await?;
        Ok(members.iter().map(|member| member.name.to_string()).collect())
    }

    /// The members without the owner, read by cursor, so many a page.
    pub(crate) async fn members(
        &self,
        room: ChatroomId,
        order: Order,
        limit: usize,
    ) -> Result<Vec<Member>, Broken> {
        let (mut all, mut from) = (Vec::new(), From::Start);
        loop {
            let slice = self.chatrooms.members(self.app, room, MembersRequest { from, limit, order }).await?;
            let slice =
                slice.ok_or_else(|| Broken::new(format!("room {room} must be there for its list")))?;
            ensure!(slice.members.len() <= limit, "a page must not be longer than asked for: {slice:?}");
            let Some(last) = slice.members.last() else {
                ensure!(!slice.more, "an empty page must be the last: {slice:?}");
                return Ok(all);
            };
            from = From::After(last.joined);
            all.extend_from_slice(&slice.members);
            in_order(&all, order)?;
            if !slice.more {
                return Ok(all);
            }
        }
    }

    /// Sweeps until nothing is left to sweep.
    pub(crate) async fn sweep(&self) -> Promise {
        for _ in 0..1_000 {
            self.clock.advance(1);
            if !self.chatrooms.sweep(16).await? {
                return Ok(());
            }
        }
        Err(Broken::new("sweeping must come to an end"))
    }
}

impl<R: ChatroomRepository + CallbackOutbox> World<R> {
    /// The whole log of a room.
    pub(crate) async fn log(&self, room: ChatroomId) -> Result<Vec<Event>, Broken> {
        let mut log: Vec<Event> = Vec::new();
        loop {
            let after = log.last().map_or(Seq(0), |event| event.seq);
            let part = self.store.events(&self.key(room), after, 100).await?;
            if part.is_empty() {
                return Ok(log);
            }
            ensure!(part.iter().all(|e| e.seq > after), "events must be from behind {after:?}: {part:?}");
            log.extend(part);
        }
    }
}

impl<R: ChatroomRepository> World<R> {
    /// Ends the store and opens its data again. No clone of this world may be left.
    pub(crate) async fn restart(self, harness: &impl DurableHarness<Store = R>) -> Self {
        let Self { store, chatrooms, app, clock, ids, setup } = self;
        drop(chatrooms);
        let store = harness.restart(store, setup.clone()).await;
        let chatrooms = Chatrooms::new(store.clone(), ids.clone(), LIMITS);
        Self { store, chatrooms, app, clock, ids, setup }
    }
}

/// Members strictly in order, so nobody is listed twice, and reading on comes to an end.
pub(crate) fn in_order(members: &[Member], order: Order) -> Promise {
    for pair in members.windows(2) {
        let [one, two] = pair else { continue };
        let right = match order {
            Order::Ascending => one.joined < two.joined,
            Order::Descending => one.joined > two.joined,
        };
        ensure!(right, "{one:?} stands before {two:?}, {order:?}");
    }
    Ok(())
}

/// Ids that count in steps, so that the ids derived from them do not meet within a millisecond.
#[derive(Debug, Default)]
pub(crate) struct SpreadIds(AtomicU64);

impl SpreadIds {
    /// Prime, and larger than any batch.
    const STEP: u64 = 4_099;

    fn next(&self) -> u64 {
        // 1 belongs to the harness.
        self.0.fetch_add(1, Ordering::SeqCst) + 2
    }
}

impl Ids for SpreadIds {
    fn operation(&self) -> OperationId {
        OperationId::new(u128::from(self.next() * Self::STEP) << 16)
    }

    fn app(&self) -> AppId {
        AppId(u128::from(self.next()))
    }
}

/// Breaks the promise unless the call was rejected with this.
pub(crate) fn rejected<T: std::fmt::Debug>(
    result: Result<T, impl Into<Error>>,
    with: &chatroom_core::Rejection,
) -> Promise {
    match result.map_err(Into::into) {
        Err(Error::Rejected(rejection)) if rejection == *with => Ok(()),
        other => Err(Broken::new(format!("must be rejected with {with:?}, but the answer is {other:?}"))),
    }
}

/// So many names.
pub(crate) fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{prefix}{index:05}")).collect()
}

/// The same as slices.
pub(crate) fn strs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The room id that no room of a test has.
pub(crate) fn unknown_room() -> ChatroomId {
    ChatroomId::TEST
}
