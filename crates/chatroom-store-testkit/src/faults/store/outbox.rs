use async_trait::async_trait;
use chatroom_core::{
    Action, App, AppChange, AppId, AppRegistry, AppState, CallbackOutbox, ChatroomId, ChatroomRepository,
    Counters, Event, EventId, Facts, Operation, OperationId, Outcome, RoomKey, Seq, StorageError,
    TransactError,
};

use super::PlainStore;
use crate::faults::fault::Fault;

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
            // Made when it is read.
            Fault::EventIdsChange => {
                Event { id: EventId(event.id.0 + u128::from(held.last_seq(room))), ..event }
            }
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
        let hidden = |key: &RoomKey| {
            self.fault == Fault::StreamsHideTheDissolved
                && facts.room(key).is_some_and(|fact| fact.room.dissolved.is_some())
        };
        let shown = behind.filter(|key| !hidden(key));
        let streams = shown.filter_map(|key| Some((key.id, facts.room(&key)?.counters)));
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
