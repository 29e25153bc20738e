//! Everything that a blob may hold.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chatroom_core::{
    App, AppId, AppKey, AppState, Burial, ChatroomId, Credentials, Cursor, CursorWrite, DeadLetter, Event,
    EventClass, EventId, EventKind, JoinOrder, Key, Leaving, Membership, Origin, Outgoing, Record, Room,
    RoomInfo, RoomKey, Rule, RuleId, RuleSecret, RuleSecrets, RuleState, SecretDigest, Seq, SigningKey, Span,
    Sweep, Timestamp, User, UserId, Username, Write,
};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn apps() -> impl Strategy<Value = AppId> {
    prop_oneof![Just(AppId(1)), Just(AppId(2)), any::<u128>().prop_map(AppId)]
}

pub(super) fn rooms() -> impl Strategy<Value = RoomKey> {
    let ids = prop_oneof![
        100_000_000_000_000..100_000_000_000_003_u64,
        100_000_000_000_000..=999_999_999_999_999_u64
    ];
    (apps(), ids).prop_map(|(app, id)| RoomKey { app, id: ChatroomId::from_number(id).unwrap() })
}

pub(super) fn users() -> impl Strategy<Value = UserId> {
    prop_oneof![0..10_u64, any::<u64>()].prop_map(UserId)
}

pub(super) fn names() -> impl Strategy<Value = Username> {
    "[a-z0-9_-]{1,64}".prop_map(|name| name.parse().unwrap())
}

pub(super) fn times() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn infos() -> impl Strategy<Value = Arc<RoomInfo>> {
    (".*", ".*", any::<u32>(), ".*").prop_map(|(name, description, max_users, custom)| {
        let (name, description, custom) = (name.into(), description.into(), custom.into());
        Arc::new(RoomInfo { name, description, max_users, custom })
    })
}

fn sweeps() -> impl Strategy<Value = Sweep> {
    prop_oneof![
        rooms().prop_map(Sweep::Room),
        (apps(), users()).prop_map(|(app, user)| Sweep::User(app, user)),
        apps().prop_map(Sweep::App),
    ]
}

fn app_keys() -> impl Strategy<Value = AppKey> {
    ("[a-z]{1,9}", "[a-z]{1,9}").prop_map(|(org, app)| AppKey::from_parts(&org, &app).unwrap())
}

fn origins() -> impl Strategy<Value = Origin> {
    prop_oneof![Just(Origin::Command), Just(Origin::Configuration), Just(Origin::Demo)]
}

fn app_records() -> impl Strategy<Value = Record> {
    let states = prop_oneof![Just(AppState::Enabled), Just(AppState::Disabled), Just(AppState::Deleted)];
    let secrets = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), ".*");
    (apps(), app_keys(), secrets, origins(), states, times()).prop_map(
        |(id, key, (secret, signing_key, generation, client_id), origin, state, created)| {
            let client_id = client_id.into();
            let credentials = Credentials { client_id, secret: SecretDigest(secret), generation };
            let signing_key = SigningKey(signing_key);
            Record::App(Box::new(App { id, key, credentials, signing_key, origin, state, created }))
        },
    )
}

fn records() -> impl Strategy<Value = Record> {
    let user = (apps(), users(), names(), option::of(".*"), any::<bool>()).prop_map(
        |(app, id, name, nickname, deleted)| {
            Record::User(User { app, id, name, nickname: nickname.map(Arc::from), deleted })
        },
    );
    let room = (rooms(), users(), names(), infos(), times(), option::of(times())).prop_map(
        |(key, owner, owner_name, info, created, dissolved)| {
            Record::Room(Room { key, owner, owner_name, info, created, dissolved })
        },
    );
    let member = (rooms(), users(), any::<u64>()).prop_map(|(room, user, joined)| {
        Record::Membership(Membership { room, user, joined: JoinOrder(joined) })
    });
    prop_oneof![
        2 => user,
        2 => room,
        6 => member,
        1 => sweeps().prop_map(Record::Sweep),
        1 => app_records(),
        1 => rules().prop_map(|rule| Record::Rule(Box::new(rule))),
    ]
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        apps().prop_map(Key::App),
        (apps(), users()).prop_map(|(app, user)| Key::User(app, user)),
        rooms().prop_map(Key::Room),
        (rooms(), users()).prop_map(|(room, user)| Key::Membership(room, user)),
        sweeps().prop_map(Key::Sweep),
        (apps(), rule_ids()).prop_map(|(app, rule)| Key::Rule(app, rule)),
    ]
}

pub(super) fn writes() -> impl Strategy<Value = Write> {
    prop_oneof![records().prop_map(Write::Put), keys().prop_map(Write::Delete)]
}

pub(super) fn events() -> impl Strategy<Value = Event> {
    let why = prop_oneof![Just(Leaving::Kicked), Just(Leaving::UserDeleted), Just(Leaving::RoomDissolved)];
    let members = || vec(names(), 0..5);
    let kinds = prop_oneof![
        (names(), infos()).prop_map(|(owner, info)| EventKind::Created { owner, info }),
        members().prop_map(|members| EventKind::Joined { members }),
        (members(), why).prop_map(|(members, why)| EventKind::Left { members, why }),
        Just(EventKind::Dissolved),
    ];
    (any::<u128>(), rooms(), any::<u64>(), times(), any::<u32>(), kinds).prop_map(
        |(id, room, seq, at, members, kind)| Event {
            id: EventId(id),
            room,
            seq: Seq(seq),
            at,
            members,
            kind,
        },
    )
}

/// Few of them, so that neighbours have the same.
fn rule_ids() -> impl Strategy<Value = RuleId> {
    prop_oneof![Just(RuleId(1)), Just(RuleId(2)), any::<u128>().prop_map(RuleId)]
}

fn secrets() -> impl Strategy<Value = RuleSecrets> {
    let outgoing =
        (".*", times()).prop_map(|(secret, until)| Outgoing { secret: RuleSecret::new(secret), until });
    (".*", option::of(outgoing))
        .prop_map(|(newest, outgoing)| RuleSecrets { newest: RuleSecret::new(newest), outgoing })
}

fn classes() -> impl Strategy<Value = BTreeSet<EventClass>> {
    btree_set(select(&EventClass::ALL[..]), 0..=EventClass::ALL.len())
}

fn rules() -> impl Strategy<Value = Rule> {
    let states = prop_oneof![Just(RuleState::Enabled), Just(RuleState::Disabled), Just(RuleState::Retired)];
    let chosen = (option::of(classes()), option::of(btree_set(rooms().prop_map(|room| room.id), 0..4)));
    let whose = (rule_ids(), apps(), app_keys(), "[A-Za-z0-9_]{1,32}", ".*");
    (whose, secrets(), states, chosen, origins(), times()).prop_map(
        |((id, app, app_key, name, url), secrets, state, (events, rooms), origin, created)| {
            let (name, url) = (name.parse().unwrap(), url.into());
            Rule { id, app, app_key, name, url, secrets, state, events, rooms, origin, created }
        },
    )
}

fn spans() -> impl Strategy<Value = Span> {
    (any::<u64>(), any::<u64>()).prop_map(|(first, last)| Span { first: Seq(first), last: Seq(last) })
}

fn cursors() -> impl Strategy<Value = Cursor> {
    let failing = (any::<u32>(), any::<u64>().prop_map(Duration::from_millis));
    let log = (any::<u64>(), any::<u64>(), vec(spans(), 0..4));
    (rule_ids(), rooms(), log, failing, times(), times()).prop_map(
        |(rule, room, (after, last, again), (failures, failing_for), due, behind_since)| {
            let (after, last) = (Seq(after), Seq(last));
            Cursor { rule, room, after, last, again, failures, failing_for, due, behind_since }
        },
    )
}

/// What became of deliveries.
pub(super) fn cursor_writes() -> impl Strategy<Value = CursorWrite> {
    let why = prop_oneof![Just(Burial::Trimmed), ".*".prop_map(|words| Burial::GivenUp(words.into()))];
    let letters = (rule_ids(), rooms(), spans(), why, times())
        .prop_map(|(rule, room, span, why, at)| DeadLetter { rule, room, span, why, at });
    let places = || (rule_ids(), rooms(), any::<u64>().prop_map(Seq));
    prop_oneof![
        2 => cursors().prop_map(CursorWrite::Put),
        2 => places().prop_map(|(rule, room, through)| CursorWrite::Done { rule, room, through }),
        1 => letters.prop_map(CursorWrite::Bury),
        1 => places().prop_map(|(rule, room, first)| CursorWrite::Unbury { rule, room, first }),
    ]
}
