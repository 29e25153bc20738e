//! What the embedded store relies on: everything can be taken back, and a dump in parts with a replay is the state.

use chatroom_core::test_util::{HandFacts, name};
use chatroom_core::{
    Action, AddMembers, AppChange, CreateRoom, Decision, DeleteUser, DissolveRoom, Facts, Moment, NewApp,
    NewUser, Operation, OperationId, Origin, RegisterUsers, RemoveMembers, RoomInfo, SecretDigest,
    SigningKey, Timestamp, UserBatch,
};
use proptest::prelude::*;

use super::{DumpCursor, Dumped, State};

/// A step of a history: which kind of operation, and three numbers that choose its subjects.
type Step = (u8, u8, u8, u8);

/// A state under a random history of operations, with all decisions so far.
struct History {
    state: State,
    decisions: Vec<Decision>,
    now: i64,
}

impl History {
    fn new() -> Self {
        let mut history = Self { state: State::new(None), decisions: Vec::new(), now: 1_700_000_000_000 };
        history.run(Action::ChangeApp(AppChange::Create(NewApp {
            key: HandFacts::app_key(),
            client_id: "id".into(),
            secret: SecretDigest([1; 32]),
            signing_key: SigningKey([2; 32]),
            origin: Origin::Command,
        })));
        history
    }

    fn run(&mut self, action: Action) -> Vec<super::Undo> {
        self.now += 1;
        let id = OperationId::new(u128::from(self.now.unsigned_abs()) << 16);
        let operation = Operation { id, app: HandFacts::APP, action };
        let Ok(decision) = operation.decide(&self.state, Moment(Timestamp::from_millis(self.now))) else {
            return Vec::new();
        };
        let mut undos = apply(&mut self.state, &decision);
        undos.reverse();
        self.decisions.push(decision);
        undos
    }

    fn action(&self, (kind, a, b, c): Step) -> Action {
        let user = |n: u8| format!("u{}", n % 12);
        let rooms = self.state.rooms_in(HandFacts::APP, 100);
        let room = rooms.get(usize::from(a) % rooms.len().max(1)).map_or(HandFacts::ROOM, |key| key.id);
        let members = UserBatch::parse_any([user(b).as_str(), user(c).as_str()]);
        match kind % 16 {
            0..3 => {
                let users = vec![NewUser { name: name(&user(b)), nickname: None }];
                Action::RegisterUsers(RegisterUsers { users })
            }
            3 => Action::CreateRoom(CreateRoom {
                owner: UserBatch::parse_any([user(a).as_str()]),
                members,
                info: RoomInfo { max_users: 5, ..RoomInfo::default() },
            }),
            4 => Action::DissolveRoom(DissolveRoom { room }),
            5 => Action::DeleteUser(DeleteUser { name: name(&user(b)) }),
            6..9 => match self.state.list_sweeps(1).first() {
                Some(sweep) => Action::Sweep(*sweep),
                None => Action::RemoveMembers(RemoveMembers { room, members }),
            },
            9..13 => Action::AddMembers(AddMembers { room, members }),
            _ => Action::RemoveMembers(RemoveMembers { room, members }),
        }
    }
}

fn apply(state: &mut State, decision: &Decision) -> Vec<super::Undo> {
    let mut undos: Vec<_> = decision.writes.iter().map(|write| state.apply(write)).collect();
    undos.extend(decision.events.iter().map(|event| state.append(event)));
    undos
}

/// Everything that the state holds, in an order that does not depend on slots.
fn whole(state: &State) -> Vec<String> {
    let (mut all, mut from) = (Vec::new(), Some(DumpCursor::start()));
    while let Some(cursor) = from {
        let (part, next) = state.dump(cursor, 1_000);
        all.extend(part);
        from = next;
    }
    let mut all: Vec<String> = all.iter().map(|dumped| format!("{dumped:?}")).collect();
    all.push(format!("{:?}", state.capacity()));
    all.sort();
    all
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<Step>(), 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_applied_can_be_taken_back(steps in steps()) {
        let mut history = History::new();
        for step in steps {
            let before = whole(&history.state);
            let undos = history.run(history.action(step));
            let after = whole(&history.state);
            if undos.is_empty() {
                prop_assert_eq!(&before, &after);
                continue;
            }
            let decision = history.decisions.last().cloned().unwrap();
            for undo in undos {
                history.state.undo(undo);
            }
            prop_assert_eq!(before, whole(&history.state));
            apply(&mut history.state, &decision);
            prop_assert_eq!(after, whole(&history.state));
        }
    }

    #[test]
    fn a_dump_in_parts_and_all_that_was_decided_since_its_first_part_is_the_state(
        steps in steps(),
        begin in 0_usize..100,
        budget in 1_usize..6,
    ) {
        let mut history = History::new();
        let (mut parts, mut from, mut replay_from) = (Vec::<Dumped>::new(), Some(DumpCursor::start()), None);
        for (index, step) in steps.into_iter().enumerate() {
            if index >= begin && let Some(cursor) = from {
                replay_from.get_or_insert(history.decisions.len());
                let (part, next) = history.state.dump(cursor, budget);
                parts.extend(part);
                from = next;
            }
            history.run(history.action(step));
        }
        while let Some(cursor) = from {
            replay_from.get_or_insert(history.decisions.len());
            let (part, next) = history.state.dump(cursor, budget);
            parts.extend(part);
            from = next;
        }
        let mut loaded = State::new(None);
        for part in parts {
            loaded.load(part);
        }
        for decision in &history.decisions[replay_from.unwrap_or_default()..] {
            apply(&mut loaded, decision);
        }
        prop_assert_eq!(whole(&loaded), whole(&history.state));
        for key in history.state.rooms_in(HandFacts::APP, 100) {
            let exists = |state: &State| state.room(&key).is_some_and(|fact| fact.exists());
            prop_assert_eq!(exists(&loaded), exists(&history.state));
        }
        for user in history.state.users_in(HandFacts::APP, 100) {
            let owned = |state: &State| {
                let mut rooms = state.owned_by(HandFacts::APP, user, 100);
                rooms.sort();
                rooms
            };
            prop_assert_eq!(owned(&loaded), owned(&history.state));
        }
    }
}

#[test]
fn a_room_that_a_dump_holds_without_its_owner_has_its_owner_after_the_replay() {
    let mut history = History::new();
    let register = |n: &str| {
        Action::RegisterUsers(RegisterUsers { users: vec![NewUser { name: name(n), nickname: None }] })
    };
    history.run(register("u0"));
    let (mut parts, apps) = history.state.dump(DumpCursor::start(), 10);
    let (users, mut from) = history.state.dump(apps.unwrap(), 10);
    parts.extend(users);
    let begin = history.decisions.len();
    history.run(register("u1"));
    let owner = UserBatch::parse_any(["u1"]);
    let info = RoomInfo { max_users: 5, ..RoomInfo::default() };
    history.run(Action::CreateRoom(CreateRoom { owner, members: UserBatch::parse_any([]), info }));
    while let Some(cursor) = from {
        let (part, next) = history.state.dump(cursor, 10);
        parts.extend(part);
        from = next;
    }
    let mut loaded = State::new(None);
    parts.into_iter().for_each(|part| loaded.load(part));
    for decision in &history.decisions[begin..] {
        apply(&mut loaded, decision);
    }
    let rooms = loaded.rooms_in(HandFacts::APP, 10);
    assert!(rooms.len() == 1 && loaded.room(&rooms[0]).unwrap().exists());
}
