//! A small store over plain maps, sound or with one fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chatroom_core::test_util::HandFacts;
use chatroom_core::{
    Action, App, AppChange, AppId, AppRegistry, AppState, CallbackOutbox, ChatroomId, ChatroomRepository,
    Clock, Counters, Decision, Event, EventKind, Facts, From, Key, MembersRequest, MembersSlice, Moment,
    Operation, OperationId, Order, Outcome, Record, RoomKey, RoomView, Seq, StorageError, Sweep, Ticker,
    Timestamp, TransactError, User, UserId, Username, Write,
};

use super::meeting::Meeting;
use crate::model::Model;
use crate::{DurableHarness, Harness, Setup};

/// What is wrong with a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Nothing,
    ForgottenEvent,
    LostWrite,
    WrongOrder,
    StaleRead,
    DirtyRead,
    DecidedOutsideTheLock,
    SequenceGap,
    WrongCountInEvent,
    WrongCountOfRoom,
    BatchInPart,
    DeletedUserIsListed,
    DeletedAppIsShown,
    CursorBreaks,
    CursorIsIgnored,
    TimeGoesBack,
    Boundless,
    RestartLosesACommit,
    RestartLosesAnEvent,
    RestartForgetsSweeps,
    RestartForgetsDeletions,
    LostDissolution,
    LostChangeOfApp,
    AppsDecidedUnseen,
    AnyAppAnswers,
    ListsBackwards,
    LogsOfAnyApp,
    LogsOutliveTheirApp,
}

/// Makes stores with this fault.
pub(super) struct Plain(Fault);

impl Plain {
    pub(super) fn sound() -> Self {
        Self(Fault::Nothing)
    }

    pub(super) fn with(fault: Fault) -> Self {
        Self(fault)
    }
}

#[async_trait]
impl Harness for Plain {
    type Store = PlainStore;

    async fn open(&self, setup: Setup) -> Arc<PlainStore> {
        let mut held = Held::default();
        if let (Some(limit), false) = (setup.max_memberships, self.0 == Fault::Boundless) {
            held.now.facts = held.now.facts.with_capacity(limit);
        }
        Arc::new(PlainStore::over(held, self.0, setup.clock))
    }
}

#[async_trait]
impl DurableHarness for Plain {
    async fn restart(&self, store: Arc<PlainStore>, setup: Setup) -> Arc<PlainStore> {
        assert_eq!(Arc::strong_count(&store), 1, "nobody else holds a store that is restarted");
        let mut held = store.held().clone();
        match self.0 {
            Fault::RestartLosesACommit => held.now = held.before.clone(),
            Fault::RestartLosesAnEvent => held.now.logs = held.before.logs.clone(),
            Fault::RestartForgetsDeletions => {
                for user in held.users.clone().into_values() {
                    held.write(Write::Put(Record::User(user)));
                }
            }
            Fault::RestartForgetsSweeps => {
                for sweep in held.now.facts.sweeps().to_vec() {
                    held.write(Write::Delete(Key::Sweep(sweep)));
                }
            }
            _ => {}
        }
        Arc::new(PlainStore::over(held, self.0, setup.clock))
    }
}

#[derive(Default, Clone)]
struct Held {
    now: Model,
    /// The apps and the users that ever were.
    apps: BTreeSet<AppId>,
    users: BTreeMap<UserId, User>,
    /// Before the last commit.
    before: Model,
    /// Of the last commit.
    last: Timestamp,
}

impl Held {
    fn apply(&mut self, decision: Decision) {
        for write in &decision.writes {
            match write {
                Write::Put(Record::App(app)) => drop(self.apps.insert(app.id)),
                Write::Put(Record::User(user)) if !user.deleted => {
                    drop(self.users.insert(user.id, user.clone()));
                }
                _ => {}
            }
        }
        self.now.apply(decision);
    }

    fn write(&mut self, write: Write) {
        let outcome = Outcome::Swept { finished: true };
        self.apply(Decision { writes: vec![write], events: Vec::new(), outcome });
    }

    fn all_apps(&self) -> Vec<App> {
        self.apps.iter().filter_map(|id| self.now.facts.app_by_id(*id).cloned()).collect()
    }

    /// As if no app had been deleted.
    fn with_deleted_apps(mut self) -> Self {
        for app in self.all_apps() {
            self.write(Write::Put(Record::App(Box::new(App { state: AppState::Enabled, ..app }))));
        }
        self
    }

    /// As if no user had been deleted.
    fn with_deleted_users(mut self) -> Self {
        for app in self.apps.clone() {
            for id in self.now.facts.users_in(app, usize::MAX) {
                let user = self.now.facts.user_by_id(app, id).unwrap();
                self.write(Write::Put(Record::User(User { deleted: false, ..user })));
            }
        }
        self
    }
}

pub(super) struct PlainStore {
    held: Mutex<Held>,
    fault: Fault,
    clock: Arc<dyn Clock>,
    ticker: Ticker,
    others: Meeting,
}

impl PlainStore {
    fn over(held: Held, fault: Fault, clock: Arc<dyn Clock>) -> Self {
        let ticker = Ticker::starting_at(held.last);
        Self { held: Mutex::new(held), fault, clock, ticker, others: Meeting::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        match self.fault {
            Fault::TimeGoesBack => Moment(self.clock.now()),
            _ => self.ticker.tick(&*self.clock),
        }
    }

    /// What reads read.
    fn read<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        match self.fault {
            Fault::DeletedAppIsShown => read(&self.held().clone().with_deleted_apps().now),
            _ => read(&self.held().now),
        }
    }

    fn backwards<T>(&self, list: &mut [T]) {
        if self.fault == Fault::ListsBackwards {
            list.reverse();
        }
    }

    /// The fault's part in a commit.
    fn spoil(&self, decision: &mut Decision) {
        let removal = matches!(decision.outcome, Outcome::MembersRemoved(_));
        match self.fault {
            Fault::ForgottenEvent if removal => decision.events.clear(),
            Fault::LostWrite if removal => decision.writes.clear(),
            Fault::BatchInPart if removal && decision.writes.len() > 1 => drop(decision.writes.pop()),
            Fault::LostDissolution if matches!(decision.outcome, Outcome::RoomDissolved(_)) => {
                decision.writes.clear();
            }
            Fault::WrongCountInEvent if removal => {
                decision.events.iter_mut().for_each(|event| event.members += 1);
            }
            Fault::WrongOrder => {
                if let [one, two, ..] = &mut decision.events[..]
                    && one.room == two.room
                {
                    std::mem::swap(&mut one.kind, &mut two.kind);
                }
            }
            _ => {}
        }
    }

    /// Numbers and counts anew what was decided on an older state.
    fn renumber(held: &Held, decision: &mut Decision) {
        for event in &mut decision.events {
            let Some(fact) = held.now.facts.room(&event.room) else { continue };
            event.seq = fact.counters.seq.next();
            event.members = match &event.kind {
                EventKind::Joined { members } => {
                    fact.counters.members + u32::try_from(members.len()).unwrap()
                }
                EventKind::Left { members, .. } => {
                    fact.counters.members.saturating_sub(u32::try_from(members.len()).unwrap())
                }
                _ => event.members,
            };
        }
    }
}

#[async_trait]
impl ChatroomRepository for PlainStore {
    async fn transact(&self, mut operation: Operation) -> Result<Outcome, TransactError> {
        // A store that waits for its disk: a caller may give up here.
        tokio::task::yield_now().await;
        let moment = self.moment();
        if self.fault == Fault::AnyAppAnswers && self.held().now.facts.app_by_id(operation.app).is_none() {
            operation.app = self.held().apps.first().copied().unwrap_or(operation.app);
        }
        let unseen =
            self.fault == Fault::AppsDecidedUnseen && matches!(operation.action, Action::ChangeApp(_));
        let decide = |held: &Held| match unseen {
            true => operation.decide(&HandFacts::default(), moment),
            false => operation.decide(&held.now.facts, moment),
        };
        if self.fault == Fault::DirtyRead {
            let decision = decide(&self.held())?;
            for write in decision.writes {
                self.held().write(write);
                tokio::task::yield_now().await;
            }
            let (writes, events, outcome) = (Vec::new(), decision.events, decision.outcome);
            self.held().apply(Decision { writes, events, outcome: outcome.clone() });
            return Ok(outcome);
        }
        let early = decide(&self.held());
        if self.fault == Fault::DecidedOutsideTheLock {
            self.others.meet().await;
        }
        let mut held = self.held();
        let mut decision = match self.fault {
            Fault::DecidedOutsideTheLock => early?,
            _ => decide(&held)?,
        };
        if self.fault == Fault::DecidedOutsideTheLock && !matches!(decision.outcome, Outcome::RoomCreated(_))
        {
            Self::renumber(&held, &mut decision);
        }
        self.spoil(&mut decision);
        if let (Fault::LostChangeOfApp, Outcome::AppChanged(app)) = (self.fault, &decision.outcome)
            && held.apps.contains(&app.id)
        {
            decision.writes.clear();
        }
        let outcome = decision.outcome.clone();
        held.last = moment.0;
        if matches!(self.fault, Fault::StaleRead | Fault::RestartLosesACommit | Fault::RestartLosesAnEvent) {
            held.before = held.now.clone();
        }
        let logs = (self.fault == Fault::LogsOutliveTheirApp).then(|| held.now.logs.clone());
        held.apply(decision);
        for (room, log) in logs.into_iter().flatten() {
            held.now.logs.entry(room).or_insert(log);
        }
        Ok(outcome)
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        Ok(self.read(|model| model.users(app).into_iter().find(|user| user.name == *name)))
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        let mut users = self.read(|model| model.users(app));
        self.backwards(&mut users);
        Ok(users.into_iter().filter(|user| after.is_none_or(|after| user.id > after)).take(limit).collect())
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        let view = self.read(|model| model.room(key));
        let less = u32::from(self.fault == Fault::WrongCountOfRoom);
        Ok(view.map(|view| RoomView { members: view.members - less, ..view }))
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        let mut rooms = self.read(|model| model.rooms(app));
        self.backwards(&mut rooms);
        let behind = rooms.into_iter().filter(|view| after.is_none_or(|after| view.room.key.id > after));
        Ok(behind.skip(skip).take(limit).collect())
    }

    async fn members(
        &self,
        key: &RoomKey,
        mut request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        match (self.fault, request.from) {
            (Fault::StaleRead, _) => return Ok(self.held().before.members(key, request)),
            (Fault::CursorIsIgnored, _) => request.from = From::Start,
            (Fault::CursorBreaks, From::After(place)) => {
                let all = MembersRequest { from: From::Start, limit: usize::MAX, order: Order::Ascending };
                let all = self.read(|model| model.members(key, all));
                let still_there = |all: MembersSlice| all.members.iter().any(|member| member.joined == place);
                if !all.is_some_and(still_there) {
                    request.from = From::Start;
                }
            }
            (Fault::DeletedUserIsListed, _) => {
                return Ok(self.held().clone().with_deleted_users().now.members(key, request));
            }
            _ => {}
        }
        Ok(self.read(|model| model.members(key, request)))
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        Ok(self.held().now.facts.sweeps().iter().take(limit).copied().collect())
    }
}

#[async_trait]
impl CallbackOutbox for PlainStore {
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError> {
        let held = self.held();
        let same =
            |key: &RoomKey| key.id == room.id && (key.app == room.app || self.fault == Fault::LogsOfAnyApp);
        let log = held.now.logs.iter().find(|(key, _)| same(key)).map(|(_, log)| log.clone());
        let log = log.unwrap_or_default().into_iter();
        let gap = |event: Event| match self.fault {
            Fault::SequenceGap if event.seq > Seq(2) => Event { seq: event.seq.next(), ..event },
            _ => event,
        };
        Ok(log.map(gap).filter(|event| event.seq > after).take(limit).collect())
    }

    async fn counters(&self, room: &RoomKey) -> Result<Option<Counters>, StorageError> {
        Ok(self.held().now.facts.room(room).map(|fact| fact.counters))
    }

    async fn streams(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError> {
        let held = self.held();
        let facts = &held.now.facts;
        let rooms = facts.rooms_in(app, usize::MAX).into_iter();
        let behind = rooms.filter(|key| after.is_none_or(|after| key.id > after));
        let streams = behind.filter_map(|key| Some((key.id, facts.room(&key)?.counters)));
        Ok(streams.take(limit).collect())
    }
}

#[async_trait]
impl AppRegistry for PlainStore {
    async fn apps(&self) -> Result<Vec<App>, StorageError> {
        let mut apps = self.held().all_apps();
        apps.retain(|app| app.state != AppState::Deleted);
        apps.sort_by(|a, b| a.key.cmp(&b.key));
        self.backwards(&mut apps);
        Ok(apps)
    }

    async fn change(&self, id: OperationId, app: AppId, change: AppChange) -> Result<App, TransactError> {
        match self.transact(Operation { id, app, action: Action::ChangeApp(change) }).await? {
            Outcome::AppChanged(app) => Ok(*app),
            other => panic!("a change of an app had the outcome {other:?}"),
        }
    }
}
