//! A walk over many rooms: what is read and written of them, and how much at once.

use std::sync::atomic::{AtomicU64, Ordering};

use chatroom_core::{
    AppId, Counters, Event, EventId, EventKind, MockDeliveries, MockRuleRegistry, Rule, RuleId, RuleSecret,
    RuleSecrets, RuleState, Seq, StorageError, Timestamp,
};

use super::super::replay::STEP;
use super::*;

const ROOMS: u64 = 100_000;
const FIRST: u64 = 100_000_000_000_000;
const EVENTS: u64 = 1_000;

/// Room number `n` has an event each second, from second `n` on.
#[derive(Default)]
struct ManyRooms {
    reads: AtomicU64,
}

fn number(room: ChatroomId) -> u64 {
    room.as_number() - FIRST
}

#[async_trait]
impl CallbackOutbox for ManyRooms {
    async fn events(&self, room: &RoomKey, after: Seq, limit: usize) -> Result<Vec<Event>, StorageError> {
        assert_eq!(limit, 1, "memory is bounded");
        self.reads.fetch_add(1, Ordering::Relaxed);
        if after.0 >= EVENTS {
            return Ok(Vec::new());
        }
        let at = Timestamp::from_millis(i64::try_from((number(room.id) + after.0) * 1_000).unwrap());
        let kind = EventKind::Dissolved;
        Ok(vec![Event { id: EventId(1), room: *room, seq: after.next(), at, members: 0, kind }])
    }

    async fn counters(&self, _: &RoomKey) -> Result<Option<Counters>, StorageError> {
        Ok(Some(Counters { seq: Seq(EVENTS), members: 0 }))
    }

    async fn streams(
        &self,
        _: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError> {
        let first = after.map_or(0, |room| number(room) + 1);
        let rooms = (first..ROOMS).take(limit);
        let stream =
            |n| (ChatroomId::from_number(FIRST + n).unwrap(), Counters { seq: Seq(EVENTS), members: 0 });
        Ok(rooms.map(stream).collect())
    }
}

#[tokio::test]
async fn a_walk_over_100_000_rooms_takes_bounded_steps_and_reads_the_rooms_that_count() {
    let mut world = World::new().await;
    let rule = Rule {
        id: RuleId(7),
        app: world.app.id,
        app_key: world.app.key.clone(),
        name: "hook".parse().unwrap(),
        url: "http://127.0.0.1:9/".into(),
        secrets: RuleSecrets::one(RuleSecret::new("s")),
        state: RuleState::Enabled,
        events: None,
        rooms: None,
        origin: Origin::Command,
        created: Timestamp::default(),
    };
    let mut rules = MockRuleRegistry::new();
    rules.expect_rules().returning(move |_| Ok(vec![rule.clone()]));
    let mut deliveries = MockDeliveries::new();
    deliveries.expect_replay().returning(|_, runs| {
        assert!(runs.len() <= STEP);
        Ok(runs.iter().map(|(_, run)| run.events()).sum())
    });
    let outbox = Arc::new(ManyRooms::default());
    world.callbacks.rules = Arc::new(rules);
    world.callbacks.deliveries = Arc::new(deliveries);
    world.callbacks.outbox = outbox.clone();

    // Ten seconds in the middle: the rooms that began at most 1,000 seconds before their end have something.
    let what = Again::Between { since: 50_000_000, until: Some(50_010_000), after: None };
    let (replayed, steps) = world.replay("hook", what).await.unwrap();
    // 991 of them all ten events, and nine at each end fewer and fewer.
    assert_eq!(replayed.events, 991 * 10 + 2 * 45);
    assert_eq!((replayed.looked_at, steps), (ROOMS, 100_000_usize.div_ceil(STEP)));
    let reads = outbox.reads.load(Ordering::Relaxed);
    assert!(reads < 2 * ROOMS + 1_009 * 2 * 10, "{reads}");
}
