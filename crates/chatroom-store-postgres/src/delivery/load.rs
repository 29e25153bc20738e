//! Takes over an app: its rules, its cursors and its dead letters, as they are stored.

use std::time::Duration;

use chatroom_core::{
    AppId, Burial, Cursor, CursorWrite, DeadLetter, RoomKey, RuleId, Seq, Span, StorageError, Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::courier::{Held, State, nth, run};
use crate::error::corrupt;
use crate::numbers;
use crate::rows;
use crate::session::{Call, Session, call};

const RULES: &str = "\
    SELECT r.app, r.id, r.name, r.url, r.secret, r.outgoing_secret, r.outgoing_until, r.state, r.events, r.rooms, \
        r.origin, r.created, a.org, a.name AS app_name \
    FROM rules r JOIN apps a ON a.app = r.app AND a.state <> 3 WHERE r.app = ANY($1) ORDER BY r.created, r.id";
const CURSORS: &str = "\
    SELECT app, rule, room, after, last, again, failures, failing_for, due, behind_since FROM cursors \
    WHERE app = ANY($1)";
const LETTERS: &str = "SELECT app, rule, room, first, last, why, at FROM dead_letters WHERE app = ANY($1)";
/// Which events of rooms are kept: the first, and how far their logs go.
const KEPT: &str = "\
    SELECT l.app, l.room, l.seq, (SELECT e.seq FROM events e WHERE e.app = l.app AND e.room = l.room \
        ORDER BY e.app, e.room, e.seq LIMIT 1) AS first \
    FROM unnest($1::uuid[], $2::bigint[]) AS q (app, room) JOIN logs l ON l.app = q.app AND l.room = q.room";

/// Takes over these apps: all of it or, if something cannot be read, nothing.
pub(super) async fn load(
    session: &mut Session,
    state: &mut State,
    apps: &[AppId],
    now: Timestamp,
) -> Result<(), StorageError> {
    let ids: Vec<Uuid> = apps.iter().map(|app| numbers::app(*app)).collect();
    let calls = vec![call!(RULES, ids.clone()), call!(CURSORS, ids.clone()), call!(LETTERS, ids)];
    let mut found = run(session, calls).await?;
    let (rules, cursors, letters) = (nth(&mut found, 0)?, nth(&mut found, 1)?, nth(&mut found, 2)?);
    let rules = rules.iter().map(rows::rule).collect::<Result<Vec<_>, _>>()?;
    let cursors = cursors.iter().map(cursor).collect::<Result<Vec<_>, _>>()?;
    let letters = letters.iter().map(letter).collect::<Result<Vec<_>, _>>()?;
    let behind: Vec<RoomKey> = cursors.iter().map(|cursor| cursor.room).collect();
    let kept = kept(session, &behind).await?;
    // Nothing fails from here on, and nobody can give up in between.
    for app in apps {
        state.forget(*app);
        state.astray.remove(app);
        state.apps.insert(*app, Held::default());
    }
    for rule in rules {
        state.backlog.put_rule(rule, now);
    }
    for letter in letters {
        state.backlog.restore(CursorWrite::Bury(letter), now);
    }
    for mut cursor in cursors {
        if cursor.failures == 0 {
            // It waits for nothing, whatever the clock of the node before shows.
            cursor.due = cursor.due.min(now);
        }
        if let Some(held) = state.apps.get_mut(&cursor.room.app) {
            held.stored.insert((cursor.room.id, cursor.rule));
        }
        state.backlog.restore(CursorWrite::Put(cursor), now);
    }
    // What was trimmed while nobody delivered is lost.
    for (room, log) in kept {
        let before = Seq(log.first.0.saturating_sub(1));
        let writes = state.backlog.trimmed(&room, before, now);
        state.note(writes);
    }
    Ok(())
}

/// Brings the rules of all apps here up to date.
pub(super) async fn reload_rules(
    session: &mut Session,
    state: &mut State,
    now: Timestamp,
) -> Result<(), StorageError> {
    let ids: Vec<Uuid> = state.apps.keys().map(|app| numbers::app(*app)).collect();
    let found = run(session, vec![call!(RULES, ids)]).await?.pop().unwrap_or_default();
    let rules = found.iter().map(rows::rule).collect::<Result<Vec<_>, _>>()?;
    let apps: Vec<AppId> = state.apps.keys().copied().collect();
    for app in apps {
        let gone: Vec<RuleId> = state.backlog.rules_of(app).map(|rule| rule.id).collect();
        for id in gone.into_iter().filter(|id| !rules.iter().any(|rule| rule.id == *id)) {
            state.backlog.remove_rule(id);
        }
    }
    for rule in rules {
        if state.backlog.rule(rule.id).is_none_or(|held| **held != rule) {
            state.backlog.put_rule(rule, now);
        }
    }
    Ok(())
}

/// What of the logs of these rooms is kept. The first is behind the last if nothing is.
pub(super) async fn kept(
    session: &mut Session,
    rooms: &[RoomKey],
) -> Result<Vec<(RoomKey, Span)>, StorageError> {
    if rooms.is_empty() {
        return Ok(Vec::new());
    }
    let found = run(session, vec![kept_call(rooms)]).await?.pop().unwrap_or_default();
    found.iter().map(log).collect()
}

fn kept_call(rooms: &[RoomKey]) -> Call {
    let apps: Vec<Uuid> = rooms.iter().map(|room| numbers::app(room.app)).collect();
    let ids: Vec<i64> = rooms.iter().map(|room| numbers::room(room.id)).collect();
    call!(KEPT, apps, ids)
}

fn log(row: &Row) -> Result<(RoomKey, Span), StorageError> {
    let room = numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?;
    let last = numbers::seq_of(rows::get(row, "seq")?)?;
    let first: Option<i64> = rows::get(row, "first")?;
    let first = first.map(numbers::seq_of).transpose()?.unwrap_or_else(|| last.next());
    Ok((room, Span { first, last }))
}

fn cursor(row: &Row) -> Result<Cursor, StorageError> {
    let rule: Uuid = rows::get(row, "rule")?;
    let again: Vec<i64> = rows::get(row, "again")?;
    let again = again.chunks(2).map(|run| match run {
        [first, last] => Ok(Span { first: numbers::seq_of(*first)?, last: numbers::seq_of(*last)? }),
        _ => Err(corrupt("a run has no end", "of a cursor")),
    });
    Ok(Cursor {
        rule: RuleId(rule.as_u128()),
        room: numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?,
        after: numbers::seq_of(rows::get(row, "after")?)?,
        last: numbers::seq_of(rows::get(row, "last")?)?,
        again: again.collect::<Result<_, StorageError>>()?,
        failures: numbers::small(rows::get(row, "failures")?)?,
        failing_for: Duration::from_millis(rows::count(row, "failing_for")?),
        due: numbers::time_of(rows::get(row, "due")?),
        behind_since: numbers::time_of(rows::get(row, "behind_since")?),
    })
}

/// A dead letter as it is stored.
pub(crate) fn letter(row: &Row) -> Result<DeadLetter, StorageError> {
    let rule: Uuid = rows::get(row, "rule")?;
    let why: Option<&[u8]> = rows::get(row, "why")?;
    Ok(DeadLetter {
        rule: RuleId(rule.as_u128()),
        room: numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?,
        span: Span {
            first: numbers::seq_of(rows::get(row, "first")?)?,
            last: numbers::seq_of(rows::get(row, "last")?)?,
        },
        why: why.map_or(Burial::Trimmed, |words| Burial::GivenUp(String::from_utf8_lossy(words).into())),
        at: numbers::time_of(rows::get(row, "at")?),
    })
}
