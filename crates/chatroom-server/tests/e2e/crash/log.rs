//! The log of a room, as a store tells it behind the servers that wrote it.

use std::collections::BTreeSet;

use chatroom_core::{
    CallbackOutbox, ChatroomRepository, Clock, Event, EventId, EventKind, From, MembersRequest, Order,
    RoomKey, Seq, Timestamp,
};

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the store is opened behind a process that had this clock"
        )]
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }
}

/// What the log of a room tells.
pub(crate) struct Log {
    /// Of all its events.
    pub(crate) ids: Vec<EventId>,
    /// Who was removed, and by which event.
    pub(crate) removed: Vec<(Seq, String)>,
    /// Its last event.
    pub(crate) last: Seq,
}

/// The log of a room that is there from its first event on: without a gap, nobody removed who was not there, and in
/// the end the members are those that the store has.
pub(crate) async fn log_of<S: ChatroomRepository + CallbackOutbox>(store: &S, key: &RoomKey) -> Log {
    let (mut log, mut present) =
        (Log { ids: Vec::new(), removed: Vec::new(), last: Seq(0) }, BTreeSet::new());
    for event in all_events(store, key).await {
        assert_eq!(event.seq, log.last.next(), "a gap in the log of {key:?}");
        log.last = event.seq;
        log.ids.push(event.id);
        match event.kind {
            EventKind::Joined { members } => present.extend(members.iter().map(ToString::to_string)),
            EventKind::Left { members, .. } => {
                for name in members.iter().map(ToString::to_string) {
                    assert!(
                        present.remove(&name),
                        "{name} was removed from {key:?} twice: event {:?}",
                        log.last
                    );
                    log.removed.push((log.last, name));
                }
            }
            _ => {}
        }
    }
    let request = MembersRequest { from: From::Start, limit: 10_000, order: Order::Ascending };
    let slice = store.members(key, request).await.unwrap().unwrap();
    let members: BTreeSet<String> = slice.members.iter().map(|m| m.name.to_string()).collect();
    assert_eq!(members, present, "the members of {key:?} are not what its log tells");
    log
}

pub(crate) async fn all_events<S: CallbackOutbox>(store: &S, key: &RoomKey) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    loop {
        let after = all.last().map(|event| event.seq).unwrap_or_default();
        let part = store.events(key, after, 1_000).await.unwrap();
        if part.is_empty() {
            return all;
        }
        all.extend(part);
    }
}
