//! Rules of callbacks, and what is stored of their deliveries: each is written and read here, side by side.

use std::collections::BTreeSet;
use std::time::Duration;

use chatroom_core::{
    AppId, AppKey, Burial, ChatroomId, Cursor, CursorWrite, DeadLetter, EventClass, Outgoing, RoomKey, Rule,
    RuleId, RuleSecret, RuleSecrets, RuleState, Seq, Span,
};

use super::bytes::{Reader, put_text, put_varint};
use super::records::{UNKNOWN, origin, put_origin, put_time, time};
use super::{DecodeError, kind};

/// All of a rule but its app's id.
pub(super) fn put_rule(out: &mut Vec<u8>, rule: &Rule) {
    out.extend_from_slice(&rule.id.0.to_be_bytes());
    put_text(out, rule.app_key.org());
    put_text(out, rule.app_key.app());
    put_text(out, rule.name.as_str());
    put_text(out, &rule.url);
    put_text(out, rule.secrets.newest.expose());
    out.push(rule.secrets.outgoing.is_some().into());
    if let Some(Outgoing { secret, until }) = &rule.secrets.outgoing {
        put_text(out, secret.expose());
        put_time(out, *until);
    }
    out.push(match rule.state {
        RuleState::Enabled => 1,
        RuleState::Disabled => 2,
        RuleState::Retired => 3,
    });
    out.push(rule.events.is_some().into());
    if let Some(events) = &rule.events {
        put_varint(out, events.len() as u64);
        events.iter().for_each(|class| put_text(out, class.as_str()));
    }
    out.push(rule.rooms.is_some().into());
    if let Some(rooms) = &rule.rooms {
        put_varint(out, rooms.len() as u64);
        rooms.iter().for_each(|room| put_varint(out, room.as_number()));
    }
    put_origin(out, rule.origin);
    put_time(out, rule.created);
}

pub(super) fn rule(app: AppId, from: &mut Reader<'_>) -> Result<Rule, DecodeError> {
    let id = rule_id(from)?;
    let app_key = AppKey::from_parts(from.text()?, from.text()?)
        .map_err(|_illegal| DecodeError::Malformed("it holds an app key that is none"))?;
    let name = from.text()?.parse();
    let name = name.map_err(|_illegal| DecodeError::Malformed("it holds a name that is none of a rule"))?;
    let url = from.text()?.into();
    let newest = RuleSecret::new(from.text()?);
    let outgoing = match from.flag()? {
        true => Some(Outgoing { secret: RuleSecret::new(from.text()?), until: time(from)? }),
        false => None,
    };
    let state = match from.byte()? {
        1 => RuleState::Enabled,
        2 => RuleState::Disabled,
        3 => RuleState::Retired,
        _ => return Err(UNKNOWN),
    };
    let events = if from.flag()? { Some(classes(from)?) } else { None };
    let rooms = if from.flag()? { Some(rooms(from)?) } else { None };
    let (secrets, origin) = (RuleSecrets { newest, outgoing }, origin(from)?);
    Ok(Rule { id, app, app_key, name, url, secrets, state, events, rooms, origin, created: time(from)? })
}

fn classes(from: &mut Reader<'_>) -> Result<BTreeSet<EventClass>, DecodeError> {
    let mut classes = BTreeSet::new();
    for _ in 0..from.count()? {
        classes.extend(EventClass::parse(from.text()?).map_err(|_unknown| UNKNOWN)?);
    }
    Ok(classes)
}

fn rooms(from: &mut Reader<'_>) -> Result<BTreeSet<ChatroomId>, DecodeError> {
    let count = from.count()?;
    let id = |number| ChatroomId::from_number(number);
    let illegal = |_| DecodeError::Malformed("it holds a chatroom id that is none");
    (0..count).map(|_| id(from.varint()?).map_err(illegal)).collect()
}

pub(super) fn rule_id(from: &mut Reader<'_>) -> Result<RuleId, DecodeError> {
    Ok(RuleId(u128::from_be_bytes(from.array()?)))
}

/// The kind of entry, the room and the rule that a write is about.
pub(super) fn place(write: &CursorWrite) -> (u8, RoomKey, RuleId) {
    match write {
        CursorWrite::Put(Cursor { room, rule, .. }) => (kind::PUT_CURSOR, *room, *rule),
        CursorWrite::Done { room, rule, .. } => (kind::CURSOR_DONE, *room, *rule),
        CursorWrite::Bury(DeadLetter { room, rule, .. }) => (kind::BURY, *room, *rule),
        CursorWrite::Unbury { room, rule, .. } => (kind::UNBURY, *room, *rule),
    }
}

/// All of a write but its [`place`].
pub(super) fn put_cursor(out: &mut Vec<u8>, write: &CursorWrite) {
    match write {
        CursorWrite::Put(cursor) => {
            put_varint(out, cursor.after.0);
            put_varint(out, cursor.last.0);
            put_varint(out, cursor.again.len() as u64);
            cursor.again.iter().for_each(|span| put_span(out, *span));
            put_varint(out, cursor.failures.into());
            put_varint(out, u64::try_from(cursor.failing_for.as_millis()).unwrap_or(u64::MAX));
            put_time(out, cursor.due);
            put_time(out, cursor.behind_since);
        }
        CursorWrite::Done { through, .. } => put_varint(out, through.0),
        CursorWrite::Bury(DeadLetter { span, why, at, .. }) => {
            put_span(out, *span);
            match why {
                Burial::Trimmed => out.push(0),
                Burial::GivenUp(words) => {
                    out.push(1);
                    put_text(out, words);
                }
            }
            put_time(out, *at);
        }
        CursorWrite::Unbury { first, .. } => put_varint(out, first.0),
    }
}

pub(super) fn cursor(
    tag: u8,
    room: RoomKey,
    rule: RuleId,
    from: &mut Reader<'_>,
) -> Result<CursorWrite, DecodeError> {
    Ok(match tag {
        kind::PUT_CURSOR => {
            let (after, last) = (Seq(from.varint()?), Seq(from.varint()?));
            let again = from.count()?;
            let again = (0..again).map(|_| span(from)).collect::<Result<_, _>>()?;
            let failures = from.number()?;
            let failing_for = Duration::from_millis(from.varint()?);
            let (due, behind_since) = (time(from)?, time(from)?);
            CursorWrite::Put(Cursor {
                rule,
                room,
                after,
                last,
                again,
                failures,
                failing_for,
                due,
                behind_since,
            })
        }
        kind::CURSOR_DONE => CursorWrite::Done { rule, room, through: Seq(from.varint()?) },
        kind::BURY => {
            let span = span(from)?;
            let why = if from.flag()? { Burial::GivenUp(from.text()?.into()) } else { Burial::Trimmed };
            CursorWrite::Bury(DeadLetter { rule, room, span, why, at: time(from)? })
        }
        _ => CursorWrite::Unbury { rule, room, first: Seq(from.varint()?) },
    })
}

fn put_span(out: &mut Vec<u8>, span: Span) {
    put_varint(out, span.first.0);
    put_varint(out, span.last.0);
}

fn span(from: &mut Reader<'_>) -> Result<Span, DecodeError> {
    Ok(Span { first: Seq(from.varint()?), last: Seq(from.varint()?) })
}
