//! How far a room's log was told to a rule, and what the rule will not be told.

use std::borrow::Cow;
use std::time::Duration;

use chatroom_core::{Burial, Cursor, DeadLetter, RuleId, Seq, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::ids::{Id, RoomId, room_key};

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct CursorLine {
    app: Id,
    rule: Id,
    room: RoomId,
    after: u64,
    last: u64,
    /// First and last of each run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    again: Vec<(u64, u64)>,
    failures: u32,
    behind_since: i64,
    /// Milliseconds.
    failing_for: u64,
    due: i64,
}

impl CursorLine {
    pub(super) fn of(cursor: &Cursor) -> Self {
        let failing_for = u64::try_from(cursor.failing_for.as_millis()).unwrap_or(u64::MAX);
        Self {
            app: cursor.room.app.into(),
            rule: cursor.rule.into(),
            room: cursor.room.id.into(),
            after: cursor.after.0,
            last: cursor.last.0,
            again: cursor.again.iter().map(|span| (span.first.0, span.last.0)).collect(),
            failures: cursor.failures,
            behind_since: cursor.behind_since.as_millis(),
            failing_for,
            due: cursor.due.as_millis(),
        }
    }

    pub(super) fn into_cursor(self) -> Cursor {
        let span = |(first, last)| Span { first: Seq(first), last: Seq(last) };
        Cursor {
            rule: RuleId(self.rule.0),
            room: room_key(self.app, self.room),
            after: Seq(self.after),
            last: Seq(self.last),
            again: self.again.into_iter().map(span).collect(),
            failures: self.failures,
            failing_for: Duration::from_millis(self.failing_for),
            due: Timestamp::from_millis(self.due),
            behind_since: Timestamp::from_millis(self.behind_since),
        }
    }

    /// Without how long it has failed and when it is tried again: a store tells that by its clock.
    pub(super) fn at_rest(&self) -> Self {
        Self { failing_for: 0, due: 0, ..self.clone() }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct DeadLetterLine<'a> {
    app: Id,
    rule: Id,
    room: RoomId,
    first: u64,
    last: u64,
    /// The last failure; without it, retention took them.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    given_up: Option<Cow<'a, str>>,
    at: i64,
}

impl<'a> DeadLetterLine<'a> {
    pub(super) fn of(letter: &'a DeadLetter) -> Self {
        let given_up = match &letter.why {
            Burial::GivenUp(words) => Some(Cow::Borrowed(&**words)),
            Burial::Trimmed => None,
        };
        Self {
            app: letter.room.app.into(),
            rule: letter.rule.into(),
            room: letter.room.id.into(),
            first: letter.span.first.0,
            last: letter.span.last.0,
            given_up,
            at: letter.at.as_millis(),
        }
    }

    pub(super) fn into_letter(self) -> DeadLetter {
        DeadLetter {
            rule: RuleId(self.rule.0),
            room: room_key(self.app, self.room),
            span: Span { first: Seq(self.first), last: Seq(self.last) },
            why: self.given_up.map_or(Burial::Trimmed, |words| Burial::GivenUp(words.into())),
            at: Timestamp::from_millis(self.at),
        }
    }
}
