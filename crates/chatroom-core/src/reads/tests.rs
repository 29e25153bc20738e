//! Whatever a rule asks was named before.

use std::cell::RefCell;

use super::*;
use crate::app::{App, Origin};
use crate::callback::Rule;
use crate::facts::{Capacity, RoomFact};
use crate::id::OperationId;
use crate::model::{JoinOrder, RoomInfo, User};
use crate::operation::{
    AddMembers, CreateRoom, DeleteUser, DissolveRoom, NewUser, RegisterUsers, RemoveMembers,
};
use crate::test_util::{HandFacts, name};

/// Facts that note every question that was not named.
struct Named<'a> {
    facts: &'a HandFacts,
    reads: ReadSet,
    unnamed: RefCell<Vec<String>>,
}

impl Named<'_> {
    fn ask(&self, named: bool, what: impl FnOnce() -> String) {
        if !named {
            self.unnamed.borrow_mut().push(what());
        }
    }

    fn listed(&self, list: List) {
        self.ask(self.reads.lists.contains(&list), || format!("{list:?}"));
    }
}

impl Facts for Named<'_> {
    fn app(&self, key: &AppKey) -> Option<&App> {
        self.ask(self.reads.app_keys.contains_key(key), || format!("app {key}"));
        self.facts.app(key)
    }

    fn app_by_id(&self, id: AppId) -> Option<&App> {
        self.ask(self.reads.apps.contains_key(&id), || format!("{id:?}"));
        self.facts.app_by_id(id)
    }

    fn user(&self, app: AppId, name: &Username) -> Option<User> {
        self.ask(self.reads.names.contains_key(&(app, name.clone())), || format!("user {name}"));
        self.facts.user(app, name)
    }

    fn user_by_id(&self, app: AppId, id: UserId) -> Option<User> {
        self.ask(self.reads.users.contains(&(app, id)), || format!("{id:?}"));
        self.facts.user_by_id(app, id)
    }

    fn room(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        self.ask(self.reads.rooms.contains_key(key), || format!("{key:?}"));
        self.facts.room(key)
    }

    fn membership(&self, room: &RoomKey, user: UserId) -> Option<JoinOrder> {
        let held = self.facts.user_by_id(room.app, user);
        let named = held.is_some_and(|user| self.reads.places.contains(&(*room, user.name)));
        let guarded = self.reads.rooms.get(room) == Some(&Strength::Guard);
        self.ask(named && guarded, || format!("the place of {user:?} in {room:?}"));
        self.facts.membership(room, user)
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Vec<(UserId, Username)> {
        let named = self.reads.lists.iter().any(|list| matches!(list, List::Members(most) if *most >= limit));
        let guarded = self.reads.rooms.get(room) == Some(&Strength::Guard);
        self.ask(named && guarded, || format!("{limit} members of {room:?}"));
        self.facts.members(room, limit)
    }

    fn rooms_of(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        self.listed(List::RoomsOf(app, user, limit));
        self.facts.rooms_of(app, user, limit)
    }

    fn owned_by(&self, app: AppId, user: UserId, limit: usize) -> Vec<RoomKey> {
        self.listed(List::OwnedBy(app, user, limit));
        self.facts.owned_by(app, user, limit)
    }

    fn rooms_in(&self, app: AppId, limit: usize) -> Vec<RoomKey> {
        self.listed(List::RoomsIn(app, limit));
        self.facts.rooms_in(app, limit)
    }

    fn users_in(&self, app: AppId, limit: usize) -> Vec<UserId> {
        let named = |list: &List| matches!(list, List::UsersIn(of, most) if *of == app && *most >= limit);
        self.ask(self.reads.lists.iter().any(named), || format!("{limit} users of {app:?}"));
        self.facts.users_in(app, limit)
    }

    fn rules(&self, app: AppId) -> Vec<Rule> {
        self.ask(self.reads.rules.contains(&app), || format!("rules of {app:?}"));
        self.facts.rules(app)
    }

    fn capacity(&self) -> Capacity {
        self.ask(self.reads.capacity, || "the capacity".to_owned());
        self.facts.capacity()
    }
}

/// Decides, and breaks off if something was asked that was not named.
fn check(facts: &mut HandFacts, action: Action) {
    let operation = Operation { id: OperationId::new(0xFFFF_0000), app: HandFacts::APP, action };
    let moment = Moment(HandFacts::NOW);
    let mut reads = operation.reads(moment);
    let more = operation.reads_more(facts);
    assert!(operation.has_more_to_read() || more == ReadSet::default(), "{more:?}");
    reads.merge(more);
    let named = Named { facts, reads, unnamed: RefCell::default() };
    let decided = operation.decide(&named, moment);
    assert_eq!(*named.unnamed.borrow(), [""; 0], "{:?}", operation.action);
    if let Ok(decision) = decided {
        facts.apply(decision);
    }
}

fn batch(names: &[&str]) -> UserBatch {
    UserBatch::parse_any(names.iter().copied())
}

#[test]
fn no_operation_asks_for_what_it_did_not_name() {
    let mut facts = HandFacts::with_room("owner", &["a", "b"]).and_users(&["c", "d"]);
    let room = HandFacts::ROOM;
    let new = |name: &str| NewUser { name: crate::test_util::name(name), nickname: None };
    for members in [&["a", "ghost"][..], &["c"], &["a"], &["bad!", "b"]] {
        check(&mut facts, Action::RemoveMembers(RemoveMembers { room, members: batch(members) }));
        check(&mut facts, Action::AddMembers(AddMembers { room, members: batch(members) }));
    }
    let info = RoomInfo { max_users: 9, ..RoomInfo::default() };
    let create = CreateRoom { owner: batch(&["c"]), members: batch(&["a", "d", "c"]), info };
    check(&mut facts, Action::CreateRoom(create));
    check(&mut facts, Action::RegisterUsers(RegisterUsers { users: vec![new("a"), new("e"), new("f")] }));
    check(&mut facts, Action::DeleteUser(DeleteUser { name: name("c") }));
    check(&mut facts, Action::DissolveRoom(DissolveRoom { room }));
    check(&mut facts, Action::ChangeApp(AppChange::Retire("no#app".parse().unwrap())));
    check(&mut facts, Action::ChangeApp(AppChange::Delete(HandFacts::app_key())));
    let mut sweeps = 0;
    while let Some(sweep) = facts.sweeps().first().copied() {
        check(&mut facts, Action::Sweep(sweep));
        sweeps += 1;
    }
    assert!(sweeps > 3, "each kind of sweep was among them");
    let new_app = crate::app::NewApp {
        key: "some#app".parse().unwrap(),
        client_id: "id".into(),
        secret: crate::app::SecretDigest([1; 32]),
        signing_key: crate::app::SigningKey([2; 32]),
        origin: Origin::Configuration,
    };
    check(&mut facts, Action::ChangeApp(AppChange::Declare(new_app.clone())));
    check(&mut facts, Action::ChangeApp(AppChange::Declare(new_app)));
}

#[test]
fn of_two_operations_that_read_the_same_the_stricter_decides_how_firmly_it_stands() {
    let key = (HandFacts::APP, name("a"));
    let operation = |action| Operation { id: OperationId::new(0), app: HandFacts::APP, action };
    let room = HandFacts::ROOM;
    let removal = operation(Action::RemoveMembers(RemoveMembers { room, members: batch(&["a"]) }));
    let addition = operation(Action::AddMembers(AddMembers { room, members: batch(&["a"]) }));
    let moment = Moment(HandFacts::NOW);
    for (first, second) in [(&removal, &addition), (&addition, &removal)] {
        let mut reads = first.reads(moment);
        reads.merge(second.reads(moment));
        assert_eq!(reads.names.get(&key), Some(&Strength::Stay));
    }
    assert_eq!(removal.reads(moment).names.get(&key), Some(&Strength::Peek));
}
