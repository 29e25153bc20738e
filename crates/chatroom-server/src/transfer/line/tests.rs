//! What lines look like: other programs read them, and so do later versions.

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::*;

use super::*;

fn there_and_back(portable: &Portable) -> String {
    let text = serde_json::to_string(&Line::of(portable).unwrap()).unwrap();
    let read = serde_json::from_str::<Line<'_>>(&text).unwrap().into_portable().unwrap();
    assert_eq!(read, *portable);
    text
}

const APP: AppId = AppId(0x8be0_24f0_e978_11e8_b697_5d59_8d5f_8402);
const AT: Timestamp = Timestamp::from_millis(1_729_497_896_834);

fn room() -> RoomKey {
    RoomKey { app: APP, id: ChatroomId::TEST }
}

fn info() -> Arc<RoomInfo> {
    let [name, description, custom] = ["a \"room\"", "", "ü\u{0}\n"].map(Into::into);
    Arc::new(RoomInfo { name, description, max_users: 200, custom })
}

fn name(text: &str) -> Username {
    text.parse().unwrap()
}

#[test]
fn an_app_is_written_with_its_credentials() {
    let app = App {
        id: APP,
        key: "demo#chat".parse().unwrap(),
        credentials: Credentials {
            client_id: "YXA6".into(),
            secret: SecretDigest([0xAB; 32]),
            generation: 3,
        },
        signing_key: SigningKey([7; 32]),
        origin: Origin::Configuration,
        state: AppState::Disabled,
        created: AT,
    };
    insta::assert_snapshot!(there_and_back(&Portable::App(Box::new(app))), @r#"{"kind":"app","id":"8be024f0-e978-11e8-b697-5d598d5f8402","app_key":"demo#chat","client_id":"YXA6","secret_sha256":"abababababababababababababababababababababababababababababababab","generation":3,"signing_key":"0707070707070707070707070707070707070707070707070707070707070707","origin":"configuration","state":"disabled","created":1729497896834}"#);
}

#[test]
fn users_are_written_with_and_without_a_nickname() {
    let user = User { app: APP, id: UserId(u64::MAX), name: name("u1"), nickname: None, deleted: true };
    insta::assert_snapshot!(there_and_back(&Portable::User(user.clone())), @r#"{"kind":"user","app":"8be024f0-e978-11e8-b697-5d598d5f8402","id":"18446744073709551615","name":"u1","deleted":true}"#);
    let user = User { nickname: Some("Ü \"1\"".into()), deleted: false, ..user };
    insta::assert_snapshot!(there_and_back(&Portable::User(user)), @r#"{"kind":"user","app":"8be024f0-e978-11e8-b697-5d598d5f8402","id":"18446744073709551615","name":"u1","nickname":"Ü \"1\"","deleted":false}"#);
}

#[test]
fn rooms_are_written_with_their_counters() {
    let room = Room {
        key: room(),
        owner: UserId(7),
        owner_name: name("o"),
        info: info(),
        created: AT,
        dissolved: None,
    };
    let counters = Counters { seq: Seq(12), members: 3 };
    insta::assert_snapshot!(there_and_back(&Portable::Room(room.clone(), counters)), @r#"{"kind":"room","app":"8be024f0-e978-11e8-b697-5d598d5f8402","id":"123456789012345","owner":"7","owner_name":"o","info":{"name":"a \"room\"","description":"","max_users":200,"custom":"ü\u0000\n"},"created":1729497896834,"seq":12,"members":3}"#);
    let room = Room { dissolved: Some(AT), ..room };
    assert!(there_and_back(&Portable::Room(room, counters)).contains(r#""dissolved":1729497896834"#));
}

#[test]
fn memberships_and_sweeps_are_written_by_their_ids() {
    let membership = Membership { room: room(), user: UserId(7), joined: JoinOrder(1_025) };
    insta::assert_snapshot!(there_and_back(&Portable::Membership(membership)), @r#"{"kind":"membership","app":"8be024f0-e978-11e8-b697-5d598d5f8402","room":"123456789012345","user":"7","joined":1025}"#);
    insta::assert_snapshot!(there_and_back(&Portable::Sweep(Sweep::Room(room()))), @r#"{"kind":"sweep","app":"8be024f0-e978-11e8-b697-5d598d5f8402","room":"123456789012345"}"#);
    insta::assert_snapshot!(there_and_back(&Portable::Sweep(Sweep::User(APP, UserId(7)))), @r#"{"kind":"sweep","app":"8be024f0-e978-11e8-b697-5d598d5f8402","user":"7"}"#);
    insta::assert_snapshot!(there_and_back(&Portable::Sweep(Sweep::App(APP))), @r#"{"kind":"sweep","app":"8be024f0-e978-11e8-b697-5d598d5f8402"}"#);
}

#[test]
fn events_say_what_happened() {
    let event = |kind| {
        let (id, room, seq, at) = (EventId(9), room(), Seq(4), AT);
        there_and_back(&Portable::Event(Event { id, room, seq, at, members: 2, kind }))
    };
    let members = vec![name("u1"), name("u2")];
    insta::assert_snapshot!(event(EventKind::Created { owner: name("o"), info: info() }), @r#"{"kind":"event","app":"8be024f0-e978-11e8-b697-5d598d5f8402","room":"123456789012345","seq":4,"id":"00000000-0000-0000-0000-000000000009","at":1729497896834,"members":2,"what":{"created":{"owner":"o","info":{"name":"a \"room\"","description":"","max_users":200,"custom":"ü\u0000\n"}}}}"#);
    insta::assert_snapshot!(event(EventKind::Joined { members: members.clone() }), @r#"{"kind":"event","app":"8be024f0-e978-11e8-b697-5d598d5f8402","room":"123456789012345","seq":4,"id":"00000000-0000-0000-0000-000000000009","at":1729497896834,"members":2,"what":{"joined":["u1","u2"]}}"#);
    for why in [Leaving::UserDeleted, Leaving::RoomDissolved] {
        event(EventKind::Left { members: members.clone(), why });
    }
    insta::assert_snapshot!(event(EventKind::Left { members, why: Leaving::Kicked }), @r#"{"kind":"event","app":"8be024f0-e978-11e8-b697-5d598d5f8402","room":"123456789012345","seq":4,"id":"00000000-0000-0000-0000-000000000009","at":1729497896834,"members":2,"what":{"kicked":["u1","u2"]}}"#);
    insta::assert_snapshot!(event(EventKind::Dissolved), @r#"{"kind":"event","app":"8be024f0-e978-11e8-b697-5d598d5f8402","room":"123456789012345","seq":4,"id":"00000000-0000-0000-0000-000000000009","at":1729497896834,"members":2,"what":"dissolved"}"#);
}

#[test]
fn rules_are_written_with_their_secrets() {
    let rule = Rule {
        id: RuleId(5),
        app: APP,
        app_key: "demo#chat".parse().unwrap(),
        name: "all".parse().unwrap(),
        url: "https://example.com/".into(),
        secrets: RuleSecrets::one(RuleSecret::new("s")),
        state: RuleState::Enabled,
        events: None,
        rooms: None,
        origin: Origin::Command,
        created: AT,
    };
    insta::assert_snapshot!(there_and_back(&Portable::Rule(Box::new(rule.clone()))), @r#"{"kind":"rule","app":"8be024f0-e978-11e8-b697-5d598d5f8402","id":"00000000-0000-0000-0000-000000000005","app_key":"demo#chat","name":"all","url":"https://example.com/","secret":"s","state":"enabled","origin":"command","created":1729497896834}"#);
    let outgoing = Some(Outgoing { secret: RuleSecret::new("old"), until: AT });
    let rule = Rule {
        secrets: RuleSecrets { newest: RuleSecret::new("new"), outgoing },
        events: Some(EventClass::ALL.into()),
        rooms: Some([ChatroomId::TEST].into()),
        ..rule
    };
    insta::assert_snapshot!(there_and_back(&Portable::Rule(Box::new(rule))), @r#"{"kind":"rule","app":"8be024f0-e978-11e8-b697-5d598d5f8402","id":"00000000-0000-0000-0000-000000000005","app_key":"demo#chat","name":"all","url":"https://example.com/","secret":"new","outgoing":{"secret":"old","until":1729497896834},"state":"enabled","events":["CREATE","JOIN/DIRECT","LEAVE/KICK","LEAVE/QUIT","LEAVE/DELETE","DELETE"],"rooms":["123456789012345"],"origin":"command","created":1729497896834}"#);
}

fn cursor() -> Cursor {
    Cursor {
        rule: RuleId(5),
        room: room(),
        after: Seq(3),
        last: Seq(9),
        again: vec![Span { first: Seq(1), last: Seq(2) }],
        failures: 2,
        failing_for: Duration::from_millis(1_500),
        due: AT.plus_millis(10),
        behind_since: AT,
    }
}

#[test]
fn cursors_and_dead_letters_say_how_far_a_rule_was_told() {
    insta::assert_snapshot!(there_and_back(&Portable::Cursor(cursor())), @r#"{"kind":"cursor","app":"8be024f0-e978-11e8-b697-5d598d5f8402","rule":"00000000-0000-0000-0000-000000000005","room":"123456789012345","after":3,"last":9,"again":[[1,2]],"failures":2,"behind_since":1729497896834,"failing_for":1500,"due":1729497896844}"#);
    let why = Burial::GivenUp("503".into());
    let letter = DeadLetter { rule: RuleId(5), room: room(), span: Span::one(Seq(2)), why, at: AT };
    insta::assert_snapshot!(there_and_back(&Portable::DeadLetter(letter.clone())), @r#"{"kind":"dead_letter","app":"8be024f0-e978-11e8-b697-5d598d5f8402","rule":"00000000-0000-0000-0000-000000000005","room":"123456789012345","first":2,"last":2,"given_up":"503","at":1729497896834}"#);
    let letter = DeadLetter { why: Burial::Trimmed, ..letter };
    insta::assert_snapshot!(there_and_back(&Portable::DeadLetter(letter)), @r#"{"kind":"dead_letter","app":"8be024f0-e978-11e8-b697-5d598d5f8402","rule":"00000000-0000-0000-0000-000000000005","room":"123456789012345","first":2,"last":2,"at":1729497896834}"#);
}

#[test]
fn what_moves_with_the_clock_is_not_compared() {
    let later = Cursor { due: AT, failing_for: Duration::ZERO, ..cursor() };
    let further = Cursor { after: Seq(4), ..cursor() };
    let compared = |cursor: &Cursor| {
        let portable = Portable::Cursor(cursor.clone());
        serde_json::to_string(&Line::of(&portable).unwrap().compared()).unwrap()
    };
    assert_eq!(compared(&later), compared(&cursor()));
    assert_ne!(compared(&further), compared(&cursor()));
}

#[test]
fn a_line_with_a_field_too_many_too_few_or_of_another_sense_is_refused() {
    let membership = Membership { room: room(), user: UserId(7), joined: JoinOrder(1) };
    let text = there_and_back(&Portable::Membership(membership));
    let refused = |text: &str| serde_json::from_str::<Line<'_>>(text).is_err();
    assert!(refused(&text.replace("}", r#","role":"admin"}"#)));
    assert!(refused(&text.replace(r#","joined":1"#, "")));
    assert!(refused(&text.replace("123456789012345", "12345")));
    assert!(refused(&text.replace("membership", "mute")));
}
