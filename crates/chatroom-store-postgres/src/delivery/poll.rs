//! Looks for what has happened: logs with news, rules that changed, and what is to be told again.

use std::collections::HashMap;

use chatroom_core::{
    AppId, ChatroomId, EventClass, Happened, RoomKey, RuleId, Seq, Span, StorageError, Timestamp,
};
use tokio::time::Instant;
use tokio_postgres::Row;
use uuid::Uuid;

use super::courier::{State, nth, run};
use super::load;
use crate::body;
use crate::numbers;
use crate::rows;
use crate::session::{Session, call};

const NEWS: &str = "SELECT app, room, seq, noticed FROM logs WHERE app = ANY($1) AND news";
/// Read behind the news: who sees an event sees the rules that were there before it.
const VERSION: &str = "SELECT version FROM registry";
const REPLAYS: &str = "\
    SELECT app, rule, id, rooms, firsts, lasts FROM replays WHERE app = ANY($1) AND events IS NULL ORDER BY made, id";
const HAPPENED: &str = "\
    SELECT e.app, e.room, e.seq, e.at, e.kind \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS q (app, room, after, last) \
    JOIN events e ON e.app = q.app AND e.room = q.room AND e.seq > q.after AND e.seq <= q.last \
    ORDER BY e.app, e.room, e.seq";
/// How many events are looked at in one go.
const EVENTS: u64 = 2_000;

/// Something that is to be told again.
pub(super) struct Replay {
    pub(super) app: AppId,
    pub(super) rule: RuleId,
    pub(super) id: Uuid,
    pub(super) runs: Vec<(RoomKey, Span)>,
}

/// Answers what is to be told again.
pub(super) async fn poll(
    session: &mut Session,
    state: &mut State,
    now: Timestamp,
) -> Result<Vec<Replay>, StorageError> {
    if state.apps.is_empty() {
        return Ok(Vec::new());
    }
    let apps: Vec<Uuid> = state.apps.keys().map(|app| numbers::app(*app)).collect();
    let calls = vec![call!(NEWS, apps.clone()), call!(VERSION), call!(REPLAYS, apps)];
    let mut found = run(session, calls).await?;
    let (news, version, replays) = (nth(&mut found, 0)?, nth(&mut found, 1)?, nth(&mut found, 2)?);
    let version: i64 = version.first().map_or(Ok(0), |row| rows::get(row, "version"))?;
    if version != state.version {
        load::reload_rules(session, state, now).await?;
        state.version = version;
    }
    notice(session, state, &news, now).await?;
    replays.iter().map(replay).collect()
}

/// Notes in the backlog what happened in these logs.
async fn notice(
    session: &mut Session,
    state: &mut State,
    news: &[Row],
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut unseen: Vec<(RoomKey, Seq, Seq)> = Vec::new();
    for row in news {
        let room = numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?;
        let (last, noticed) =
            (numbers::seq_of(rows::get(row, "seq")?)?, numbers::seq_of(rows::get(row, "noticed")?)?);
        let seen = state.apps.get(&room.app).and_then(|held| held.seen.get(&room.id));
        let after = seen.map_or(noticed, |(seen, _)| *seen);
        if after < last {
            unseen.push((room, after, last));
        }
    }
    while !unseen.is_empty() {
        let mut events = 0;
        let count = unseen.iter().take_while(|(_, after, last)| {
            events += last.0 - after.0;
            events <= EVENTS
        });
        let count = count.count().max(1);
        let part: Vec<_> = unseen.drain(..count).collect();
        take(session, state, &part, now).await?;
    }
    Ok(())
}

async fn take(
    session: &mut Session,
    state: &mut State,
    part: &[(RoomKey, Seq, Seq)],
    now: Timestamp,
) -> Result<(), StorageError> {
    let apps: Vec<Uuid> = part.iter().map(|(room, ..)| numbers::app(room.app)).collect();
    let ids: Vec<i64> = part.iter().map(|(room, ..)| numbers::room(room.id)).collect();
    let after: Vec<i64> = part.iter().map(|(_, after, _)| numbers::seq(*after)).collect();
    let last: Vec<i64> = part.iter().map(|(_, _, last)| numbers::seq(*last)).collect();
    let found = run(session, vec![call!(HAPPENED, apps, ids, after, last)]).await?.pop().unwrap_or_default();
    for row in &found {
        state.backlog.noticed(&happened(row)?, now);
    }
    let since = Instant::now();
    let mut through: HashMap<(AppId, ChatroomId), Seq> = HashMap::new();
    through.extend(part.iter().map(|(room, _, last)| ((room.app, room.id), *last)));
    for ((app, room), last) in through {
        let Some(held) = state.apps.get_mut(&app) else { continue };
        held.seen.entry(room).or_insert((last, since)).0 = last;
        // What nobody wants to be told of is noted at the next occasion.
        if state.backlog.cursors(&RoomKey { app, id: room }, now).is_empty() {
            held.dirty.insert(room);
        }
    }
    Ok(())
}

fn happened(row: &Row) -> Result<Happened, StorageError> {
    let class: EventClass = body::class(rows::get(row, "kind")?)?;
    Ok(Happened {
        room: numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?,
        seq: numbers::seq_of(rows::get(row, "seq")?)?,
        at: numbers::time_of(rows::get(row, "at")?),
        class,
    })
}

fn replay(row: &Row) -> Result<Replay, StorageError> {
    let (app, rule): (Uuid, Uuid) = (rows::get(row, "app")?, rows::get(row, "rule")?);
    let (rooms, firsts, lasts): (Vec<i64>, Vec<i64>, Vec<i64>) =
        (rows::get(row, "rooms")?, rows::get(row, "firsts")?, rows::get(row, "lasts")?);
    let runs = rooms.into_iter().zip(firsts.into_iter().zip(lasts)).map(|(room, (first, last))| {
        let span = Span { first: numbers::seq_of(first)?, last: numbers::seq_of(last)? };
        Ok((numbers::room_of(app, room)?, span))
    });
    Ok(Replay {
        app: numbers::app_of(app),
        rule: RuleId(rule.as_u128()),
        id: rows::get(row, "id")?,
        runs: runs.collect::<Result<_, StorageError>>()?,
    })
}
