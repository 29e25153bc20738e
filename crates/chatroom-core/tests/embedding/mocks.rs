//! Every trait has a mock, which stages what no store can be asked to do: to be unavailable, or to lose an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chatroom_core::test_util::{CountingIds, HandFacts, ManualClock, name};
use chatroom_core::{
    AppRegistry, CallbackLeases, CallbackOutbox, CallbackSink, ChatroomId, Chatrooms, Clock, Error, Ids,
    LeaseRequest, Leased, Limits, MembersRemoved, MockAppRegistry, MockCallbackLeases, MockCallbackOutbox,
    MockCallbackSink, MockChatroomRepository, MockClock, MockIds, OperationId, Order, Outcome, Removal,
    RoomKey, Seq, StorageError, StorageErrorKind, Ticker, Timestamp, TransactError,
};

const ROOM: ChatroomId = HandFacts::ROOM;

fn chatrooms(repository: MockChatroomRepository) -> Chatrooms {
    Chatrooms::new(Arc::new(repository), Arc::new(CountingIds::default()), Limits::default())
}

/// A store whose every change fails like this.
fn failing(kind: StorageErrorKind) -> MockChatroomRepository {
    let mut repository = MockChatroomRepository::new();
    repository.expect_transact().returning(move |_| Err(StorageError::new(kind, "staged").into()));
    repository
}

async fn removal(chatrooms: &Chatrooms) -> Result<MembersRemoved, Error> {
    chatrooms.remove_members(HandFacts::APP, ROOM, ["a"]).await
}

/// How the store failed, if that is what the answer tells.
fn kind<T>(result: Result<T, Error>) -> Option<StorageErrorKind> {
    match result {
        Err(Error::Storage(error)) => Some(error.kind()),
        _ => None,
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_with_its_kind_and_asked_once() {
    for staged in [
        StorageErrorKind::Unavailable,
        StorageErrorKind::Overloaded,
        StorageErrorKind::OutcomeUnknown,
        StorageErrorKind::Corrupt,
    ] {
        let mut repository = MockChatroomRepository::new();
        let fails = move |_| Err(TransactError::from(StorageError::new(staged, "staged")));
        repository.expect_transact().times(1).returning(fails);
        assert_eq!(kind(removal(&chatrooms(repository)).await), Some(staged));
    }
}

#[tokio::test]
async fn a_store_that_cannot_read_fails_every_read() {
    let mut repository = MockChatroomRepository::new();
    let down = || StorageError::new(StorageErrorKind::Unavailable, "staged");
    repository.expect_user().returning(move |_, _| Err(down()));
    repository.expect_room().returning(move |_| Err(down()));
    repository.expect_members().returning(move |_, _| Err(down()));
    repository.expect_sweeps().returning(move |_| Err(down()));
    let chatrooms = chatrooms(repository);
    let request =
        chatroom_core::MembersRequest { from: chatroom_core::From::Start, limit: 1, order: Order::Ascending };
    let app = HandFacts::APP;
    assert_eq!(kind(chatrooms.user(app, &name("a")).await), Some(StorageErrorKind::Unavailable));
    assert_eq!(kind(chatrooms.room(app, ROOM).await), Some(StorageErrorKind::Unavailable));
    assert_eq!(kind(chatrooms.members(app, ROOM, request).await), Some(StorageErrorKind::Unavailable));
    assert_eq!(kind(chatrooms.sweep(1).await), Some(StorageErrorKind::Unavailable));
}

#[tokio::test]
async fn a_taken_id_is_replaced_and_the_operation_asked_for_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let mut repository = MockChatroomRepository::new();
    let (counted, mut ids) = (calls.clone(), Vec::new());
    repository.expect_transact().returning_st(move |operation| {
        assert!(!ids.contains(&operation.id), "the id that was taken is not asked for again");
        ids.push(operation.id);
        if counted.fetch_add(1, Ordering::SeqCst) < 2 {
            return Err(StorageError::new(StorageErrorKind::Conflict, "staged").into());
        }
        let removals = vec![Removal { user: name("a"), removed: true }];
        Ok(Outcome::MembersRemoved(MembersRemoved { removals }))
    });
    assert_eq!(removal(&chatrooms(repository)).await.unwrap().removals.len(), 1);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn ids_that_are_always_taken_are_not_asked_for_for_ever() {
    assert_eq!(
        kind(removal(&chatrooms(failing(StorageErrorKind::Conflict))).await),
        Some(StorageErrorKind::Conflict)
    );
}

#[tokio::test]
async fn an_outcome_of_another_operation_is_an_unknown_outcome() {
    let mut repository = MockChatroomRepository::new();
    repository.expect_transact().returning(|_| Ok(Outcome::Swept { finished: true }));
    assert_eq!(kind(removal(&chatrooms(repository)).await), Some(StorageErrorKind::OutcomeUnknown));
}

#[tokio::test]
async fn what_is_not_well_formed_never_reaches_the_store() {
    let chatrooms = chatrooms(MockChatroomRepository::new());
    let result = chatrooms.remove_members(HandFacts::APP, ROOM, []).await;
    assert!(matches!(result, Err(Error::Invalid(_))), "{result:?}");
}

#[tokio::test]
async fn the_other_traits_have_mocks_too() {
    let mut registry = MockAppRegistry::new();
    registry.expect_apps().returning(|| Ok(Vec::new()));
    assert_eq!(registry.apps().await.unwrap(), []);

    let mut outbox = MockCallbackOutbox::new();
    outbox.expect_counters().returning(|_| Ok(None));
    assert_eq!(outbox.counters(&RoomKey { app: HandFacts::APP, id: ROOM }).await.unwrap(), None);
    outbox.expect_events().withf(|_, after, _| *after == Seq(7)).returning(|_, _, _| Ok(Vec::new()));
    assert_eq!(outbox.events(&RoomKey { app: HandFacts::APP, id: ROOM }, Seq(7), 1).await.unwrap(), []);

    let mut clock = MockClock::new();
    let mut times = [5, 3].into_iter();
    clock.expect_now().returning_st(move || Timestamp::from_millis(times.next().unwrap_or(9)));
    let ticker = Ticker::starting_at(Timestamp::default());
    let ticks = [ticker.tick(&clock), ticker.tick(&clock)].map(|moment| moment.0.as_millis());
    assert_eq!(ticks, [5, 5], "a clock that goes back");
    assert_eq!(ManualClock::at(3).now().as_millis(), 3);

    let mut ids = MockIds::new();
    ids.expect_operation().return_const(OperationId::new(1 << 16));
    assert_eq!(ids.operation(), OperationId::new(1 << 16));

    let mut leases = MockCallbackLeases::new();
    leases.expect_lease().returning(|_| Ok(Leased::default()));
    assert!(leases.lease(LeaseRequest { leases: 1, events: 1 }).await.unwrap().leases.is_empty());
    let _sink: &dyn CallbackSink = &MockCallbackSink::new();
}
