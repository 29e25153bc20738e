use std::sync::Arc;

use chatroom_core::{
    App, AppId, AppKey, AppState, ChatroomId, Credentials, EventId, EventKind, JoinOrder, Key, Leaving,
    Membership, Origin, Record, Room, RoomInfo, SecretDigest, SigningKey, Sweep, Timestamp, User, UserId,
    Username,
};
use proptest::prelude::*;

use super::*;

fn apps() -> impl Strategy<Value = AppId> {
    prop_oneof![Just(AppId(1)), Just(AppId(2)), any::<u128>().prop_map(AppId)]
}

fn rooms() -> impl Strategy<Value = RoomKey> {
    let ids = prop_oneof![
        100_000_000_000_000..100_000_000_000_003_u64,
        100_000_000_000_000..=999_999_999_999_999_u64
    ];
    (apps(), ids).prop_map(|(app, id)| RoomKey { app, id: ChatroomId::from_number(id).unwrap() })
}

fn users() -> impl Strategy<Value = UserId> {
    prop_oneof![0..10_u64, any::<u64>()].prop_map(UserId)
}

fn names() -> impl Strategy<Value = Username> {
    "[a-z0-9_-]{1,64}".prop_map(|name| name.parse().unwrap())
}

fn times() -> impl Strategy<Value = Timestamp> {
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

fn app_records() -> impl Strategy<Value = Record> {
    let origins = prop_oneof![Just(Origin::Command), Just(Origin::Configuration), Just(Origin::Demo)];
    let states = prop_oneof![Just(AppState::Enabled), Just(AppState::Disabled), Just(AppState::Deleted)];
    let secrets = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), ".*");
    (apps(), "[a-z]{1,9}", "[a-z]{1,9}", secrets, origins, states, times()).prop_map(
        |(id, org, app, (secret, key, generation, client_id), origin, state, created)| {
            let client_id = client_id.into();
            let credentials = Credentials { client_id, secret: SecretDigest(secret), generation };
            let (key, signing_key) = (AppKey::from_parts(&org, &app).unwrap(), SigningKey(key));
            Record::App(Box::new(App { id, key, credentials, signing_key, origin, state, created }))
        },
    )
}

fn records() -> impl Strategy<Value = Record> {
    let user = (apps(), users(), names(), proptest::option::of(".*"), any::<bool>()).prop_map(
        |(app, id, name, nickname, deleted)| {
            Record::User(User { app, id, name, nickname: nickname.map(Arc::from), deleted })
        },
    );
    let room = (rooms(), users(), names(), infos(), times(), proptest::option::of(times())).prop_map(
        |(key, owner, owner_name, info, created, dissolved)| {
            Record::Room(Room { key, owner, owner_name, info, created, dissolved })
        },
    );
    let member = (rooms(), users(), any::<u64>()).prop_map(|(room, user, joined)| {
        Record::Membership(Membership { room, user, joined: JoinOrder(joined) })
    });
    prop_oneof![2 => user, 2 => room, 6 => member, 1 => sweeps().prop_map(Record::Sweep), 1 => app_records()]
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        apps().prop_map(Key::App),
        (apps(), users()).prop_map(|(app, user)| Key::User(app, user)),
        rooms().prop_map(Key::Room),
        (rooms(), users()).prop_map(|(room, user)| Key::Membership(room, user)),
        sweeps().prop_map(Key::Sweep),
    ]
}

fn writes() -> impl Strategy<Value = Write> {
    prop_oneof![records().prop_map(Write::Put), keys().prop_map(Write::Delete)]
}

fn events() -> impl Strategy<Value = Event> {
    let why = prop_oneof![Just(Leaving::Kicked), Just(Leaving::UserDeleted), Just(Leaving::RoomDissolved)];
    let members = || proptest::collection::vec(names(), 0..5);
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

fn read(bytes: &[u8]) -> Result<Vec<Entry>, DecodeError> {
    let mut entries = Vec::new();
    Blob::open(bytes)?.for_each(|entry| {
        entries.push(entry);
        Ok::<(), DecodeError>(())
    })?;
    Ok(entries)
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        decisions in proptest::collection::vec(
            (proptest::collection::vec(writes(), 0..8), proptest::collection::vec(events(), 0..4)), 0..8),
    ) {
        let (mut writer, mut expected) = (BlobWriter::new(), Vec::new());
        for (writes, events) in decisions {
            writer.writes(&writes);
            expected.extend(writes.into_iter().map(Entry::Write));
            for event in events {
                let offset = writer.event(&event).unwrap();
                expected.push(Entry::Event(offset, event));
            }
        }
        let bytes = writer.finish();
        prop_assert_eq!(read(&bytes), Ok(expected.clone()));
        for entry in expected {
            if let Entry::Event(offset, event) = entry {
                prop_assert_eq!(Blob::open(&bytes).unwrap().event_at(offset, event.room), Ok(event));
            }
        }
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace(
        before in proptest::collection::vec(writes(), 0..4),
        undone in proptest::collection::vec(writes(), 0..4),
        after in proptest::collection::vec(writes(), 0..4),
    ) {
        let (mut with, mut without) = (BlobWriter::new(), BlobWriter::new());
        with.writes(&before);
        let mark = with.mark();
        with.writes(&undone);
        with.rewind(mark);
        with.writes(&after);
        without.writes(&before);
        without.writes(&after);
        prop_assert_eq!(with.finish(), without.finish());
    }

    #[test]
    fn the_parts_of_a_snapshot_are_read(
        room in rooms(), seq in any::<u64>(), members in any::<u32>(),
        places in proptest::collection::vec((any::<u64>(), any::<u32>()), 0..9),
    ) {
        let counters = Counters { seq: Seq(seq), members };
        let places: Vec<_> = places.into_iter().map(|(group, offset)| Position { group, offset }).collect();
        let mut writer = BlobWriter::new();
        writer.counters(&room, counters);
        writer.positions(&room, Seq(seq), &places);
        let expected = vec![Entry::Counters(room, counters), Entry::Positions(room, Seq(seq), places)];
        prop_assert_eq!(read(&writer.finish()), Ok(expected));
    }

    #[test]
    fn bytes_that_are_no_blob_are_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        // A checksum that fits lets the garbage in.
        let mut garbage = vec![VERSION];
        garbage.extend(bytes);
        let checksum = crc32fast::hash(&garbage);
        garbage.extend(checksum.to_le_bytes());
        drop(read(&garbage));
        drop(Blob::open(&garbage).unwrap().event_at(17, room()));
    }

    #[test]
    fn a_changed_byte_is_found(writes in proptest::collection::vec(writes(), 1..4), at in any::<usize>(), by in 1..=255_u8) {
        let mut writer = BlobWriter::new();
        writer.writes(&writes);
        let mut bytes = writer.finish();
        let at = at % bytes.len();
        bytes[at] ^= by;
        prop_assert!(read(&bytes).is_err());
    }
}

fn room() -> RoomKey {
    RoomKey { app: AppId(7), id: ChatroomId::TEST }
}

/// An app's memberships of today, spread over a year of registrations.
fn member(n: u64) -> Membership {
    let day = 86_400_000 * i64::try_from(n.wrapping_mul(7_919) % 365).unwrap();
    let user =
        UserId::at(Timestamp::from_millis(1_700_000_000_000 + day), n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    Membership { room: room(), user, joined: JoinOrder::of(Seq(9), usize::try_from(n).unwrap()) }
}

fn event(kind: EventKind) -> Event {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Event { id: EventId(1 << 100), room: room(), seq: Seq(9), at, members: 500, kind }
}

#[test]
fn a_membership_of_an_addition_takes_at_most_25_bytes_with_its_part_of_the_event() {
    let members = (0..60).map(|n| format!("user_{n:06}").parse().unwrap()).collect();
    let writes: Vec<_> = (0..60).map(|n| Write::Put(Record::Membership(member(n)))).collect();
    let mut writer = BlobWriter::new();
    writer.writes(&writes);
    writer.event(&event(EventKind::Joined { members })).unwrap();
    assert!(writer.len() <= 25 * 60, "{} bytes for 60", writer.len());
}

#[test]
fn a_removal_takes_at_most_100_bytes_with_its_event() {
    let mut writer = BlobWriter::new();
    writer.writes(&[Write::Delete(Key::Membership(room(), member(3).user))]);
    let members = vec!["user_000003".parse().unwrap()];
    writer.event(&event(EventKind::Left { members, why: Leaving::Kicked })).unwrap();
    assert!(writer.finish().len() <= 100);
}

#[test]
fn a_position_takes_twelve_bytes() {
    assert_eq!(size_of::<Position>(), 12);
}

#[test]
fn a_blob_of_a_newer_version_is_refused_by_its_number() {
    let mut newer = vec![VERSION + 1, 0xFF];
    newer.extend(crc32fast::hash(&newer).to_le_bytes());
    let error = read(&newer).unwrap_err();
    assert_eq!(error, DecodeError::Newer { found: VERSION + 1 });
    assert!(error.to_string().contains("newer version"), "{error}");
}

/// What version 1 wrote stays readable: these bytes are never to be changed, only others added.
#[test]
fn a_blob_that_version_1_wrote_is_read() {
    const WRITTEN: &str = "0145000000000000000000000000000000070464656d6f04636861740269640101010101010101010101010101010101\
        010101010101010101010101010101030202020202020202020202020202020202020202020202020202020202020202\
        030180a0abfef962030a02753101014e0024f9beb7b088891c00027531016e016409027b7d80a0abfef9620182a0abfe\
        f9620102a0f0d38080cbfebac801829001d58facff9f9ef48e01020607c9e0a781e0ac8aacc701080201020a09010c0d\
        000e4b000000000000000000000000000000084f00000000000000000000000000000007f9beb7b088891c0000001000\
        00000000000000000000000980a0abfef962f40301027531016e016409027b7d0f000000100000000000000000000000\
        000980a0abfef962f40302010275310f000000100000000000000000000000000980a0abfef962f4030301010275310f\
        000000100000000000000000000000000980a0abfef962f4030302010275310f00000010000000000000000000000000\
        0980a0abfef962f4030303010275310f000000100000000000000000000000000980a0abfef962f40304100902110802\
        086400a00119ab736e";
    let bytes: Vec<u8> =
        (0..WRITTEN.len() / 2).map(|n| u8::from_str_radix(&WRITTEN[2 * n..2 * n + 2], 16).unwrap()).collect();
    assert_eq!(read(&bytes), Ok(one_of_each()));
}

fn one_of_each() -> Vec<Entry> {
    let mut writer = BlobWriter::new();
    let (app, at) = (AppId(7), Timestamp::from_millis(1_700_000_000_000));
    let info =
        Arc::new(RoomInfo { name: "n".into(), description: "d".into(), max_users: 9, custom: "{}".into() });
    let owner: Username = "u1".parse().unwrap();
    let credentials = Credentials { client_id: "id".into(), secret: SecretDigest([1; 32]), generation: 3 };
    let writes = vec![
        Write::Put(Record::App(Box::new(App {
            id: app,
            key: AppKey::from_parts("demo", "chat").unwrap(),
            credentials,
            signing_key: SigningKey([2; 32]),
            origin: Origin::Demo,
            state: AppState::Enabled,
            created: at,
        }))),
        Write::Put(Record::User(User {
            app,
            id: UserId(5),
            name: owner.clone(),
            nickname: Some("N".into()),
            deleted: false,
        })),
        Write::Put(Record::Room(Room {
            key: room(),
            owner: UserId(5),
            owner_name: owner.clone(),
            info: info.clone(),
            created: at,
            dissolved: Some(at.plus_millis(1)),
        })),
        Write::Put(Record::Membership(member(1))),
        Write::Put(Record::Membership(member(2))),
        Write::Put(Record::Sweep(Sweep::Room(room()))),
        Write::Put(Record::Sweep(Sweep::User(app, UserId(5)))),
        Write::Put(Record::Sweep(Sweep::App(app))),
        Write::Delete(Key::Membership(room(), UserId(6))),
        Write::Delete(Key::Room(room())),
        Write::Delete(Key::User(app, UserId(5))),
        Write::Delete(Key::Sweep(Sweep::Room(room()))),
        Write::Delete(Key::Sweep(Sweep::User(app, UserId(5)))),
        Write::Delete(Key::Sweep(Sweep::App(app))),
        Write::Delete(Key::App(AppId(8))),
    ];
    writer.writes(&writes);
    let mut entries: Vec<Entry> = writes.into_iter().map(Entry::Write).collect();
    let members = || vec![owner.clone()];
    for kind in [
        EventKind::Created { owner: owner.clone(), info },
        EventKind::Joined { members: members() },
        EventKind::Left { members: members(), why: Leaving::Kicked },
        EventKind::Left { members: members(), why: Leaving::UserDeleted },
        EventKind::Left { members: members(), why: Leaving::RoomDissolved },
        EventKind::Dissolved,
    ] {
        let event = event(kind);
        let offset = writer.event(&event).unwrap();
        entries.push(Entry::Event(offset, event));
    }
    let counters = Counters { seq: Seq(9), members: 2 };
    let places = vec![Position { group: 4, offset: 100 }, Position { group: 4, offset: 160 }];
    writer.counters(&room(), counters);
    writer.positions(&room(), Seq(8), &places);
    entries.extend([Entry::Counters(room(), counters), Entry::Positions(room(), Seq(8), places)]);
    entries
}
