//! A small store over plain maps, sound or with one fault.

mod deliveries;
mod outbox;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::test_util::HandFacts;
use chatroom_core::{
    Action, App, AppId, AppState, ChatroomId, ChatroomRepository, Decision, EventKind, Facts, From, Key,
    MembersRequest, MembersSlice, Moment, Operation, Order, Outcome, Record, RoomKey, RoomView, StorageError,
    Sweep, Ticker, Timestamp, TransactError, User, UserId, Username, Write,
};
use tokio::sync::Notify;

use super::fault::Fault;
use super::meeting::Meeting;
use super::telling::{self, Telling};
use crate::Setup;
use crate::model::Model;

#[derive(Default, Clone)]
pub(super) struct Held {
    pub(super) now: Model,
    /// The apps and the users that ever were.
    apps: BTreeSet<AppId>,
    pub(super) users: BTreeMap<UserId, User>,
    /// Before the last commit.
    pub(super) before: Model,
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

    pub(super) fn write(&mut self, write: Write) {
        let outcome = Outcome::Swept { finished: true };
        self.apply(Decision { writes: vec![write], events: Vec::new(), outcome });
    }

    /// As if the app had no rules.
    fn without_rules(&self, app: AppId) -> HandFacts {
        let mut held = self.clone();
        for rule in self.now.facts.rules(app) {
            held.write(Write::Delete(Key::Rule(app, rule.id)));
        }
        held.now.facts
    }

    fn last_seq(&self, room: &RoomKey) -> u64 {
        self.now.facts.room(room).map_or(0, |fact| fact.counters.seq.0)
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
    /// Locked after `held`.
    telling: Mutex<Telling>,
    fault: Fault,
    setup: Setup,
    ticker: Ticker,
    others: Meeting,
    more: Notify,
}

impl PlainStore {
    pub(super) fn over(held: Held, telling: Telling, fault: Fault, setup: Setup) -> Self {
        let ticker = Ticker::starting_at(held.last);
        let (held, telling) = (Mutex::new(held), Mutex::new(telling));
        Self { held, telling, fault, setup, ticker, others: Meeting::default(), more: Notify::new() }
    }

    pub(super) fn into_parts(self) -> (Held, Telling) {
        let held = self.held.into_inner().unwrap_or_else(PoisonError::into_inner);
        (held, self.telling.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn telling(&self) -> MutexGuard<'_, Telling> {
        self.telling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn moment(&self) -> Moment {
        match self.fault {
            Fault::TimeGoesBack => Moment(self.setup.clock.now()),
            _ => self.ticker.tick(&*self.setup.clock),
        }
    }

    /// Writes what was decided, and notes what is to be delivered.
    fn commit(&self, held: &mut Held, decision: &Decision, at: Moment) {
        held.apply(decision.clone());
        self.telling().committed(decision, &held.now, at.0);
        self.more.notify_one();
    }

    /// Lets go what is too old.
    pub(super) fn retain(&self) {
        let keep = match self.fault {
            Fault::TrimEatsTooMuch => self.setup.keep / 2,
            Fault::TrimEatsNothing => Duration::MAX,
            _ => self.setup.keep,
        };
        let now = self.moment().0;
        let mut held = self.held();
        for (room, log) in &mut held.now.logs {
            let old = log.iter().take_while(|event| event.at < now.minus(keep)).count();
            if let Some(last) = log.drain(..old).next_back() {
                self.telling().trimmed(*room, last.seq, now);
            }
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
        let decide = |held: &Held| match (self.fault, &operation.action) {
            (Fault::AppsDecidedUnseen, Action::ChangeApp(_)) => {
                operation.decide(&HandFacts::default(), moment)
            }
            (Fault::RulesDecidedUnseen, Action::ChangeRule(_)) => {
                operation.decide(&held.without_rules(operation.app), moment)
            }
            _ => operation.decide(&held.now.facts, moment),
        };
        if self.fault == Fault::DirtyRead {
            let decision = decide(&self.held())?;
            for write in decision.writes {
                self.held().write(write);
                tokio::task::yield_now().await;
            }
            let (writes, events, outcome) = (Vec::new(), decision.events, decision.outcome);
            self.commit(&mut self.held(), &Decision { writes, events, outcome: outcome.clone() }, moment);
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
        let known = matches!(&decision.outcome, Outcome::RuleChanged(rule) if held.now.facts.rules(rule.app)
            .iter()
            .any(|known| known.id == rule.id));
        telling::spoil(self.fault, &operation, &mut decision, known);
        let outcome = decision.outcome.clone();
        held.last = moment.0;
        if matches!(self.fault, Fault::StaleRead | Fault::RestartLosesACommit | Fault::RestartLosesAnEvent) {
            held.before = held.now.clone();
        }
        let logs = (self.fault == Fault::LogsOutliveTheirApp).then(|| held.now.logs.clone());
        self.commit(&mut held, &decision, moment);
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
