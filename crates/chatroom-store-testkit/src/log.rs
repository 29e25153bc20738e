//! What a room's log tells, held against what the room shows.

use std::collections::{BTreeMap, HashMap, HashSet};

use chatroom_core::{
    CallbackOutbox, ChatroomId, ChatroomRepository, Counters, Event, EventKind, MEMBERS_PER_EVENT, Order,
    Timestamp, Username,
};

use crate::Promise;
use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::World;

/// A room as its log tells it.
pub(crate) struct Told {
    owner: Username,
    /// By place in join order, and back.
    members: BTreeMap<u64, Username>,
    places: HashMap<Username, u64>,
    dissolved: bool,
}

impl Told {
    /// Reads a whole log: numbered without a gap, in order of time, every id once, and every count right.
    pub(crate) fn by(log: &[Event]) -> Result<Self, Broken> {
        let Some(Event { kind: EventKind::Created { owner, .. }, .. }) = log.first() else {
            return Err(Broken::new(format!("a log must begin with the room's creation: {:?}", log.first())));
        };
        let (members, places) = (BTreeMap::new(), HashMap::new());
        let mut told = Self { owner: owner.clone(), members, places, dissolved: false };
        let (mut ids, mut last) = (HashSet::new(), Timestamp::default());
        for (event, seq) in log.iter().zip(1_u64..) {
            ensure_eq!(event.seq.0, seq, "sequence numbers must be without a gap: {log:?}");
            ensure!(ids.insert(event.id), "every event must have an id of its own: {event:?}");
            ensure!(event.at >= last, "time must not go back within a room: {event:?} is behind {last:?}");
            last = event.at;
            told.tell(event)?;
            ensure_eq!(
                event.members as usize,
                told.members.len(),
                "an event must count the members: {event:?}"
            );
        }
        Ok(told)
    }

    fn tell(&mut self, event: &Event) -> Promise {
        match &event.kind {
            EventKind::Created { owner, .. } => {
                ensure!(event.seq.0 == 1, "a room must be made once: {event:?}");
                self.join(event, owner)?;
            }
            EventKind::Joined { members } => {
                ensure!(!members.is_empty() && members.len() <= MEMBERS_PER_EVENT, "1 to 1,000: {event:?}");
                members.iter().try_for_each(|name| self.join(event, name))?;
            }
            EventKind::Left { members, .. } => {
                ensure!(!members.is_empty() && members.len() <= MEMBERS_PER_EVENT, "1 to 1,000: {event:?}");
                members.iter().try_for_each(|name| self.leave(event, name))?;
            }
            EventKind::Dissolved => {
                ensure!(!self.dissolved, "a room must be dissolved once: {event:?}");
                self.dissolved = true;
            }
            other => return Err(Broken::new(format!("the testkit does not know {other:?}"))),
        }
        Ok(())
    }

    fn join(&mut self, event: &Event, name: &Username) -> Promise {
        let place = self.members.last_key_value().map_or(0, |(place, _)| place + 1);
        self.members.insert(place, name.clone());
        let before = self.places.insert(name.clone(), place);
        ensure!(before.is_none(), "who joins must not be a member before: {name} in {event:?}");
        Ok(())
    }

    fn leave(&mut self, event: &Event, name: &Username) -> Promise {
        let place = self.places.remove(name);
        ensure!(place.is_some(), "who leaves must be a member before: {name} in {event:?}");
        place.and_then(|place| self.members.remove(&place));
        Ok(())
    }

    pub(crate) fn is_member(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// In join order, without the owner.
    fn others(&self) -> Vec<&Username> {
        self.members.values().filter(|name| **name != self.owner).collect()
    }
}

impl<R: ChatroomRepository + CallbackOutbox> World<R> {
    /// Holds a room against its log: the members are those whom the log tells of, in that order, and the counters
    /// are those of the last event. Nothing may be left to sweep, and nobody may change the room meanwhile.
    pub(crate) async fn check(&self, room: ChatroomId) -> Result<Told, Broken> {
        let log = self.log(room).await?;
        let told = Told::by(&log)?;
        let last = log.last().map(|event| Counters { seq: event.seq, members: event.members });
        ensure_eq!(self.store.counters(&self.key(room)).await?, last, "counters are those of the last event");
        let Some(view) = self.chatrooms.room(self.app, room).await? else {
            ensure!(told.dissolved, "a room that no event dissolved must be there: {room}");
            ensure!(told.members.is_empty(), "the members of a dissolved room must be swept: {room}");
            return Ok(told);
        };
        ensure!(!told.dissolved, "a dissolved room must be gone: {view:?}");
        ensure_eq!(view.members as usize, told.members.len(), "the room's count is what its log tells");
        let listed = self.members(room, Order::Ascending, 1_000).await?;
        let listed: Vec<&Username> = listed.iter().map(|member| &member.name).collect();
        ensure_eq!(listed, told.others(), "the members are what the room's log tells");
        Ok(told)
    }
}
