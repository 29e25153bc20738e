//! What the contract does not ask for.

use chatroom_core::test_util::{CountingIds, HandFacts, ManualClock, name};
use chatroom_core::{
    AppRegistry, CallbackOutbox, Chatrooms, DissolveRoom, Ids, Limits, NewApp, NewRoom, NewUser, Origin,
    RegisterUsers, SecretDigest, SigningKey,
};

use super::*;

const DAY: i64 = 86_400_000;

#[tokio::test]
async fn a_dissolved_room_is_forgotten_when_nobody_can_ask_for_its_events() {
    let (clock, ids) = (Arc::new(ManualClock::at(1_700_000_000_000)), Arc::new(CountingIds::default()));
    let store = Arc::new(MemoryStore::new(clock.clone(), None, Retention::default()));
    let (secret, signing_key) = (SecretDigest([1; 32]), SigningKey([2; 32]));
    let key = HandFacts::app_key();
    let new = NewApp { key, client_id: "id".into(), secret, signing_key, origin: Origin::Command };
    let app = store.change(ids.operation(), AppId(7), AppChange::Create(new)).await.unwrap().id;
    let operate = async |action| {
        store.transact(Operation { id: ids.operation(), app, action }).await.unwrap();
    };
    let register = |user| {
        let users = vec![NewUser { name: name(user), nickname: None }];
        operate(Action::RegisterUsers(RegisterUsers { users }))
    };
    register("owner").await;
    let rooms = Chatrooms::new(store.clone(), ids.clone(), Limits::default());
    let room = rooms.create_room(app, NewRoom { owner: "owner", ..NewRoom::default() }).await.unwrap().key;
    operate(Action::DissolveRoom(DissolveRoom { room: room.id })).await;
    while rooms.sweep(10).await.unwrap() {}
    assert!(store.counters(&room).await.unwrap().is_some(), "its log outlives it");
    clock.advance(8 * DAY);
    register("u0").await;
    assert_eq!(store.counters(&room).await.unwrap(), None);
    assert!(store.held().dissolved.is_empty());
}
