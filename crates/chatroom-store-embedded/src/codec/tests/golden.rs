//! Bytes that were written once stay readable: none of these is ever to be changed, only others added.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chatroom_core::{
    App, AppId, AppKey, AppState, Burial, Counters, Credentials, Cursor, CursorWrite, DeadLetter, EventClass,
    EventKind, Key, Leaving, Origin, Outgoing, Record, Room, RoomInfo, Rule, RuleId, RuleSecret, RuleSecrets,
    RuleState, SecretDigest, Seq, SigningKey, Span, Sweep, Timestamp, User, UserId, Username, Write,
};

use super::super::{BlobWriter, Entry, Position};
use super::{event, member, read, room};

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

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
    assert_eq!(read(&bytes(WRITTEN)), Ok(one_of_each()));
}

/// What version 2 added: rules and what became of deliveries.
#[test]
fn a_blob_that_version_2_wrote_is_read_and_still_written_so() {
    const WRITTEN: &str = "025200000000000000000000000000000007000000300000000000000000000000000464656d6f046368617405706c61\
        696e1868747470733a2f2f6578616d706c652e636f6d2f686f6f6b0173000100000180a0abfef9621200000000000000\
        0000000000000000040464656d6f04636861740a526f746174696e675f311868747470733a2f2f6578616d706c652e63\
        6f6d2f686f6f6b036e657701036f6c648090ded0fa62020106064352454154450b4a4f494e2f4449524543540a4c4541\
        56452f4b49434b0a4c454156452f515549540c4c454156452f44454c4554450644454c4554450101f9beb7b088891c02\
        80a0abfef9625200000000000000000000000000000008000000000000000000000000000000050464656d6f04636861\
        7405706c61696e1868747470733a2f2f6578616d706c652e636f6d2f686f6f6b01730003010001000180a0abfef96253\
        000000000000000000000000000000070000000000000000000000000000000434f9beb7b088891c0000000030000000\
        000000000000000000ac02b602020305090902b89102e0f4aefef962c0f6a3fef9621501b60216010707011974686520\
        726563656976657220616e7377657265642035303080a0abfef96216000000000000000000000000000000000501c801\
        0080a0abfef9621701010851ed4c";
    let (written, entries) = one_of_each_of_callbacks();
    assert_eq!(read(&bytes(WRITTEN)), Ok(entries));
    assert_eq!(written, bytes(WRITTEN), "another way to write it is another version");
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

fn one_of_each_of_callbacks() -> (Vec<u8>, Vec<Entry>) {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let plain = Rule {
        id: RuleId(3 << 100),
        app: AppId(7),
        app_key: AppKey::from_parts("demo", "chat").unwrap(),
        name: "plain".parse().unwrap(),
        url: "https://example.com/hook".into(),
        secrets: RuleSecrets::one(RuleSecret::new("s")),
        state: RuleState::Enabled,
        events: None,
        rooms: None,
        origin: Origin::Command,
        created: at,
    };
    let outgoing = Some(Outgoing { secret: RuleSecret::new("old"), until: at.plus_millis(86_400_000) });
    let rotating = Rule {
        id: RuleId(4),
        name: "Rotating_1".parse().unwrap(),
        secrets: RuleSecrets { newest: RuleSecret::new("new"), outgoing },
        state: RuleState::Disabled,
        events: Some(EventClass::ALL.into()),
        rooms: Some([room().id].into()),
        origin: Origin::Configuration,
        ..plain.clone()
    };
    let nothing = Rule {
        id: RuleId(5),
        app: AppId(8),
        state: RuleState::Retired,
        events: Some(BTreeSet::new()),
        rooms: Some(BTreeSet::new()),
        ..plain.clone()
    };
    let (rule, room) = (plain.id, room());
    let put = |rule| Write::Put(Record::Rule(Box::new(rule)));
    let writes = [put(plain), put(rotating), put(nothing), Write::Delete(Key::Rule(AppId(7), RuleId(4)))];
    let span = |first, last| Span { first: Seq(first), last: Seq(last) };
    let cursor = Cursor {
        rule,
        room,
        after: Seq(300),
        last: Seq(310),
        again: vec![span(3, 5), span(9, 9)],
        failures: 2,
        failing_for: Duration::from_millis(35_000),
        due: at.plus_millis(30_000),
        behind_since: at.plus_millis(-60_000),
    };
    let letter = |rule, span, why| CursorWrite::Bury(DeadLetter { rule, room, span, why, at });
    let cursors = [
        CursorWrite::Put(cursor),
        CursorWrite::Done { rule, room, through: Seq(310) },
        letter(rule, span(7, 7), Burial::GivenUp("the receiver answered 500".into())),
        letter(RuleId(5), span(1, 200), Burial::Trimmed),
        CursorWrite::Unbury { rule: RuleId(5), room, first: Seq(1) },
    ];
    let mut writer = BlobWriter::new();
    writer.writes(&writes);
    cursors.iter().for_each(|write| writer.cursor(write));
    let entries = writes.into_iter().map(Entry::Write).chain(cursors.into_iter().map(Entry::Cursor));
    (writer.finish(), entries.collect())
}
