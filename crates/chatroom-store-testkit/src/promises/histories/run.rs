//! Runs a history on a store and on plain maps beside it.

use chatroom_core::test_util::name as username;
use chatroom_core::{
    Action, AddMembers, AppChange, AppId, AppRegistry, CallbackOutbox, ChatroomRepository, CreateRoom,
    DeleteUser, DissolveRoom, Event, EventId, Facts, Ids, NewUser, Operation, Outcome, RegisterUsers,
    RemoveMembers, RoomInfo, RoomKey, SecretDigest, Seq, Sweep, Ticker, TransactError, UserBatch,
};

use super::step::{FIRST, Step, UNKNOWN, name};
use crate::broken::{Broken, Promise, ensure_eq};
use crate::harness::{app_key, new_app};
use crate::model::Model;
use crate::visible::Visible;
use crate::world::{World, unknown_room};

/// The key of the app that a history happens in.
const APP: &str = "history";

pub(super) struct Run<'t, R> {
    /// `None` only while the store is restarted.
    world: Option<World<R>>,
    model: Model,
    ticker: &'t Ticker,
    /// The apps of the history; the last is the one that is not deleted.
    apps: Vec<AppId>,
    /// The rooms that were made, in any of them.
    rooms: Vec<RoomKey>,
}

impl<'t, R: ChatroomRepository + CallbackOutbox + AppRegistry> Run<'t, R> {
    pub(super) fn new(world: World<R>, ticker: &'t Ticker) -> Self {
        Self { world: Some(world), model: Model::default(), ticker, apps: Vec::new(), rooms: Vec::new() }
    }

    pub(super) fn into_world(self) -> Option<World<R>> {
        self.world
    }

    fn world(&self) -> Result<&World<R>, Broken> {
        self.world.as_ref().ok_or_else(|| Broken::new("the store was lost"))
    }

    /// Does all steps in a new app, and deletes it.
    pub(super) async fn all(
        &mut self,
        steps: &[Step],
        restart: &impl AsyncFn(World<R>) -> World<R>,
    ) -> Promise {
        self.make_app().await?;
        let mut kept = Ok(());
        for step in steps {
            if matches!(step, Step::Restart)
                && let Some(world) = self.world.take()
            {
                self.world = Some(restart(world).await);
            }
            kept = self.step(step).await.and(self.compare().await);
            if kept.is_err() {
                break;
            }
        }
        // Also after a failure: the next history wants the key.
        self.change(AppChange::Delete(app_key(APP))).await?;
        kept?;
        while let Some(sweep) = self.model.facts.sweeps().first().copied() {
            self.transact(sweep.app(), Action::Sweep(sweep)).await?;
        }
        self.compare().await
    }

    /// Makes the app, with a few users and a room: what a history is about.
    async fn make_app(&mut self) -> Promise {
        self.change(AppChange::Create(new_app(APP))).await?;
        Box::pin(self.step(&Step::Register(vec![3, 1, 2, 0]))).await?;
        Box::pin(self.step(&Step::Create { owner: 0, members: vec![1, 2], max_users: 5 })).await
    }

    fn app(&self) -> AppId {
        self.apps.last().copied().unwrap_or(AppId(0))
    }

    fn room(&self, index: u8) -> RoomKey {
        let app = self.app();
        let here: Vec<_> = self.rooms.iter().filter(|room| room.app == app).collect();
        let room = match index {
            UNKNOWN => None,
            FIRST => self.rooms.first(),
            _ => here.get(usize::from(index) % here.len().max(1)).copied(),
        };
        RoomKey { app, id: room.map_or_else(unknown_room, |room| room.id) }
    }

    async fn step(&mut self, step: &Step) -> Promise {
        let batch = |users: &[u8]| {
            let names: Vec<String> = users.iter().map(|user| name(*user)).collect();
            UserBatch::parse_any(names.iter().map(String::as_str))
        };
        let action = match step {
            Step::Register(users) => {
                let users = batch(users).names().to_vec().into_iter();
                Action::RegisterUsers(RegisterUsers {
                    users: users.map(|name| NewUser { name, nickname: Some("nick".into()) }).collect(),
                })
            }
            Step::DeleteUser(user) => Action::DeleteUser(DeleteUser { name: username(&name(*user)) }),
            Step::Create { owner, members, max_users } => {
                let info = RoomInfo { max_users: *max_users, ..RoomInfo::default() };
                Action::CreateRoom(CreateRoom { owner: batch(&[*owner]), members: batch(members), info })
            }
            Step::Dissolve(room) => Action::DissolveRoom(DissolveRoom { room: self.room(*room).id }),
            Step::Add(room, users) => {
                Action::AddMembers(AddMembers { room: self.room(*room).id, members: batch(users) })
            }
            Step::Remove(room, users) => {
                Action::RemoveMembers(RemoveMembers { room: self.room(*room).id, members: batch(users) })
            }
            Step::Sweep(index) => {
                let sweeps = self.model.facts.sweeps();
                let Some(sweep) = sweeps.get(usize::from(*index) % sweeps.len().max(1)).copied() else {
                    return Ok(());
                };
                return self.transact(sweep.app(), Action::Sweep(sweep)).await;
            }
            Step::Page(room, request) => {
                let room = self.room(*room);
                let page = self.world()?.store.members(&room, *request).await?;
                ensure_eq!(page, self.model.members(&room, *request), "the page {request:?} of {room:?}");
                return Ok(());
            }
            Step::Rooms { after, skip, limit } => return self.compare_rooms(*after, *skip, *limit).await,
            Step::RotateSecret => {
                return self.change(AppChange::RotateSecret(app_key(APP), SecretDigest([5; 32]))).await;
            }
            Step::RemakeApp => {
                self.change(AppChange::Delete(app_key(APP))).await?;
                return self.make_app().await;
            }
            Step::Restart => return Ok(()),
        };
        self.transact(self.app(), action).await
    }

    /// Asks both, and compares what they say.
    async fn transact(&mut self, app: AppId, action: Action) -> Promise {
        let world = self.world()?;
        world.clock.advance(1);
        let operation = Operation { id: world.ids.operation(), app, action };
        let answer = world.store.transact(operation.clone()).await;
        let moment = self.ticker.tick(&*world.clock);
        let expected = self.model.transact(&operation, moment);
        self.agree(&operation, answer, expected)
    }

    /// The same for a change of the history's app.
    async fn change(&mut self, change: AppChange) -> Promise {
        let world = self.world()?;
        world.clock.advance(1);
        let (id, app) = (world.ids.operation(), world.ids.app());
        let answer = world.store.change(id, app, change.clone()).await;
        let operation = Operation { id, app, action: Action::ChangeApp(change) };
        let moment = self.ticker.tick(&*world.clock);
        let expected = self.model.transact(&operation, moment);
        if matches!(operation.action, Action::ChangeApp(AppChange::Create(_))) {
            self.apps.push(app);
        }
        self.agree(&operation, answer.map(|app| Outcome::AppChanged(Box::new(app))), expected)
    }

    fn agree(
        &mut self,
        operation: &Operation,
        answer: Result<Outcome, TransactError>,
        expected: Result<Outcome, chatroom_core::Undecided>,
    ) -> Promise {
        if let Ok(Outcome::RoomCreated(room)) = &expected {
            self.rooms.push(room.key);
        }
        let (answer, expected) = (answer.map_err(plain), expected.map_err(|e| plain(e.into())));
        ensure_eq!(answer, expected, "the answer to {operation:?}");
        Ok(())
    }

    async fn compare_rooms(&self, after: u8, skip: usize, limit: usize) -> Promise {
        let (app, after) = (self.app(), self.rooms.get(usize::from(after)).map(|room| room.id));
        let listed = self.world()?.store.rooms(app, after, skip, limit).await?;
        let all = self.model.rooms(app).into_iter();
        let behind = all.filter(|view| after.is_none_or(|after| view.room.key.id > after));
        let expected: Vec<_> = behind.skip(skip).take(limit).collect();
        ensure_eq!(listed, expected, "rooms behind {after:?}, {limit} from {skip} on");
        Ok(())
    }

    /// Compares all that both show.
    async fn compare(&self) -> Promise {
        let store = &self.world()?.store;
        for app in &self.apps {
            ensure_eq!(Visible::of(&**store, *app).await?, self.model.visible(*app), "what {app:?} shows");
        }
        for room in &self.rooms {
            let log = store.events(room, Seq(0), usize::MAX).await?;
            let expected = self.model.logs.get(room).cloned().unwrap_or_default();
            ensure_eq!(without_index(log), without_index(expected), "the log of {room:?}");
            let counters = self.model.facts.room(room).map(|fact| fact.counters);
            ensure_eq!(store.counters(room).await?, counters, "the counters of {room:?}");
        }
        let mut sweeps = store.sweeps(usize::MAX).await?;
        sweeps.retain(|sweep| self.apps.contains(&sweep.app()));
        let mut expected: Vec<Sweep> = self.model.facts.sweeps().to_vec();
        sweeps.sort_unstable();
        expected.sort_unstable();
        ensure_eq!(sweeps, expected, "what is left to sweep");
        let listed = store.apps().await?.into_iter().find(|app| app.key == app_key(APP));
        ensure_eq!(listed.as_ref(), self.model.facts.app(&app_key(APP)), "the app");
        Ok(())
    }
}

/// An error to compare.
fn plain(error: TransactError) -> Result<chatroom_core::Rejection, chatroom_core::StorageErrorKind> {
    match error {
        TransactError::Rejected(rejection) => Ok(rejection),
        TransactError::Storage(error) => Err(error.kind()),
    }
}

/// Events with the operation's part of their ids: in which order a sweep goes through rooms is a store's own
/// matter.
fn without_index(events: Vec<Event>) -> Vec<Event> {
    events.into_iter().map(|event| Event { id: EventId(event.id.0 >> 16), ..event }).collect()
}
