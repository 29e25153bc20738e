//! Something fitting for every request.

use chatroom_core::{AppKey, ChatroomId, EventClass, RuleName};

use crate::admin::{
    AdminError, Again, Attempt, CallbackReply, CallbackRequest, FailureView, HealthView, LetterPlace,
    LetterView, NewCallback, Replayed, RuleSecretsView, RuleView, Shown, StateView, StatusView,
};

const NOW: i64 = 1_729_497_896_834;
const HOUR: i64 = 3_600_000;

fn rule(name: RuleName) -> RuleView {
    RuleView {
        name,
        url: "https://example.com/hook".to_owned(),
        state: StateView::Enabled,
        declared: false,
        events: None,
        rooms: None,
        created: NOW,
        rotating_until: None,
    }
}

fn status(name: &str) -> StatusView {
    StatusView {
        rule: rule(name.parse().unwrap()),
        health: HealthView::Delivering,
        rooms_behind: 0,
        events_behind: 0,
        behind_since: None,
        failures_in_a_row: 0,
        last_failure: None,
        last_success: None,
        dead_letters: 0,
        lost: 0,
    }
}

fn letter(first: u64, last: u64, failure: Option<&str>) -> LetterView {
    LetterView {
        rule: "hook".parse().unwrap(),
        room: ChatroomId::TEST,
        first,
        last,
        at: NOW,
        failure: failure.map(str::to_owned),
    }
}

/// By the rule's name where there are several.
pub(in super::super) fn answer(app: &AppKey, request: CallbackRequest) -> Result<CallbackReply, AdminError> {
    let secret = || Shown::new("whsec_c2VjcmV0".into());
    Ok(match request {
        CallbackRequest::Add(NewCallback { name, url, secret: given, enabled, events, rooms }) => {
            let texts = |set: Vec<String>| Some(set);
            let state = if enabled { StateView::Enabled } else { StateView::Disabled };
            let events = events.and_then(|set| texts(set.iter().map(EventClass::to_string).collect()));
            let rooms = rooms.and_then(|set| texts(set.iter().map(ChatroomId::to_string).collect()));
            let unresolved = url.contains("nowhere").then(|| "no such host".to_owned());
            let made = given.is_none().then(secret);
            let rule = RuleView { url, state, events, rooms, ..rule(name) };
            CallbackReply::Added { rule, secret: made, unresolved }
        }
        CallbackRequest::List if app.org() == "empty" => CallbackReply::Rules(Vec::new()),
        CallbackRequest::List => {
            let declared = RuleView {
                declared: true,
                state: StateView::Retired,
                events: Some(vec!["LEAVE/KICK".to_owned()]),
                rooms: Some(vec![String::new(); 2]),
                ..rule("audit".parse().unwrap())
            };
            CallbackReply::Rules(vec![rule("room_events".parse().unwrap()), declared])
        }
        CallbackRequest::Show { name, with_secrets } => {
            let rule = RuleView { rotating_until: Some(NOW + 24 * HOUR), ..rule(name) };
            let outgoing = Some(Shown::new("the old one".into()));
            let secrets = with_secrets.then(|| RuleSecretsView { newest: secret(), outgoing });
            CallbackReply::Rule { rule, secrets }
        }
        CallbackRequest::Enable { name } | CallbackRequest::FinishRotation { name } => {
            CallbackReply::Changed(rule(name))
        }
        CallbackRequest::Disable { name } => {
            CallbackReply::Changed(RuleView { state: StateView::Disabled, ..rule(name) })
        }
        CallbackRequest::Remove { name } => CallbackReply::Removed { name },
        CallbackRequest::RotateSecret { name } => {
            let rule = RuleView { rotating_until: Some(NOW + 24 * HOUR), ..rule(name) };
            CallbackReply::SecretRotated { rule, secret: secret() }
        }
        CallbackRequest::Test { name } => {
            let attempt = match name.as_str() {
                "dead" => Attempt::Failed("cannot connect: Connection refused".to_owned()),
                "moved" => Attempt::Answered {
                    status: 301,
                    not_taken: Some("answered 301 Moved Permanently (redirects are not followed)".to_owned()),
                    took: 3,
                    beginning: String::new(),
                    more: false,
                },
                _ => Attempt::Answered {
                    status: 200,
                    not_taken: None,
                    took: 12,
                    beginning: "{\"ok\":\"ä\"}\r\n\u{1b}[2J\u{202e}".to_owned(),
                    more: true,
                },
            };
            CallbackReply::Tried { event: "01900000-0000-7000-8000-123456780000".to_owned(), attempt }
        }
        CallbackRequest::Status { name: Some(name) } => {
            CallbackReply::Statuses { now: NOW, rules: vec![status(name.as_str())] }
        }
        CallbackRequest::Status { name: None } => statuses(),
        CallbackRequest::DeadLetters { name: Some(_), .. } => {
            CallbackReply::DeadLetters { letters: Vec::new(), next: None }
        }
        CallbackRequest::DeadLetters { name: None, after: None } => {
            let next = LetterPlace { rule: "hook".parse().unwrap(), room: ChatroomId::TEST, first: 9 };
            let why = Some("answered 500 Internal Server Error");
            CallbackReply::DeadLetters {
                letters: vec![letter(7, 7, why), letter(9, 9, why)],
                next: Some(next),
            }
        }
        CallbackRequest::DeadLetters { name: None, after: Some(after) } => {
            assert_eq!(after.first, 9);
            CallbackReply::DeadLetters { letters: vec![letter(10, 12_345, None)], next: None }
        }
        CallbackRequest::Replay { name, what } => return again(&name, &what),
    })
}

fn statuses() -> CallbackReply {
    let failing = StatusView {
        health: HealthView::Paused { since: NOW - HOUR, next_probe: NOW + 35_000 },
        rooms_behind: 37,
        events_behind: 12_000,
        behind_since: Some(NOW - 3 * HOUR - 12_000),
        failures_in_a_row: 25,
        last_failure: Some(FailureView {
            at: NOW - 61_000,
            words: "answered 503 Service Unavailable".to_owned(),
        }),
        last_success: Some(NOW - 2 * HOUR),
        dead_letters: 14,
        lost: 3,
        ..status("room_events")
    };
    let off = StatusView {
        rule: RuleView { state: StateView::Disabled, ..rule("audit".parse().unwrap()) },
        health: HealthView::Off,
        rooms_behind: 1,
        events_behind: 1,
        behind_since: Some(NOW),
        last_failure: Some(FailureView { at: NOW, words: "no answer within 10s".to_owned() }),
        ..status("audit")
    };
    CallbackReply::Statuses { now: NOW, rules: vec![failing, off] }
}

/// A walk of three steps over 24,000 rooms; one event for everything else.
fn again(name: &RuleName, what: &Again) -> Result<CallbackReply, AdminError> {
    let step = Replayed { events: 5, looked_at: 8_000, delivers: true, ..Replayed::default() };
    let Again::Between { since, until, after } = *what else {
        let dead = matches!(what, Again::DeadLetters { .. });
        let events = u64::from(name.as_str() != "nothing");
        let replayed =
            Replayed { events, gone: if dead { 2 } else { 0 }, delivers: !dead, picks: dead, ..step };
        return Ok(CallbackReply::Replayed(replayed));
    };
    assert_eq!((since, until), (NOW - 834, Some(NOW - 834 + HOUR)));
    let next = |number| {
        let after = Some(ChatroomId::from_number(number).unwrap());
        Some(Again::Between { since, until, after })
    };
    match after.map(ChatroomId::as_number) {
        None => Ok(CallbackReply::Replayed(Replayed { next: next(100_000_000_000_001), ..step })),
        Some(100_000_000_000_001) => {
            Ok(CallbackReply::Replayed(Replayed { next: next(100_000_000_000_002), ..step }))
        }
        Some(_) if name.as_str() == "broken" => Err(AdminError::Failed("the disk is gone".to_owned())),
        Some(_) => Ok(CallbackReply::Replayed(step)),
    }
}
