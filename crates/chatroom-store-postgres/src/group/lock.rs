//! What is locked, in the one order that all groups keep: the registry, apps, rooms, users, each by key.
//!
//! A statement that waited for a lock answers with the row as it is then, but everything else it reads is as it was
//! when it began. So locks are taken first, and what they guard is read by statements behind them.

use chatroom_core::{List, ReadSet, RoomKey, StorageError, Strength};
use tokio_postgres::Row;
use uuid::Uuid;

use super::load::Facts;
use crate::numbers;
use crate::rows;
use crate::session::{Call, call};

const REGISTRY: &str = "SELECT version FROM registry FOR UPDATE";

const APPS_STAY: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created, has_rules \
    FROM apps WHERE app = ANY($1) ORDER BY app FOR KEY SHARE";
const APPS_GUARD: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created, has_rules \
    FROM apps WHERE app = ANY($1) ORDER BY app FOR UPDATE";
const APP_KEYS_GUARD: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created, has_rules \
    FROM apps WHERE (org, name) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND state <> 3 \
    ORDER BY app FOR UPDATE";
const ROOMS: &str = "\
    SELECT l.app, l.room, l.seq, l.members, l.at \
    FROM unnest($1::uuid[], $2::bigint[]) AS q (app, room) JOIN logs l ON l.app = q.app AND l.room = q.room \
    ORDER BY l.app, l.room FOR UPDATE OF l";
const NAMES_STAY: &str = "\
    SELECT app, id, name, nickname, deleted FROM users \
    WHERE (app, name) IN (SELECT * FROM unnest($1::uuid[], $2::text[])) AND NOT deleted \
    ORDER BY app, name FOR KEY SHARE";
const NAMES_GUARD: &str = "\
    SELECT app, id, name, nickname, deleted FROM users \
    WHERE (app, name) IN (SELECT * FROM unnest($1::uuid[], $2::text[])) AND NOT deleted \
    ORDER BY app, name FOR UPDATE";

/// What the rows of a call are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    Apps,
    Logs,
    Users,
}

/// The calls that lock what is to stand.
pub(super) fn calls(reads: &ReadSet, bounded: bool) -> Vec<(Kind, Call)> {
    let mut calls = Vec::new();
    if bounded && (reads.capacity || changes_registry(reads)) {
        calls.push((Kind::Nothing, call!(REGISTRY)));
    }
    for (strength, sql) in [(Strength::Stay, APPS_STAY), (Strength::Guard, APPS_GUARD)] {
        let ids = reads.apps.iter().filter(|(_, held)| **held == strength);
        let ids: Vec<Uuid> = ids.map(|(id, _)| numbers::app(*id)).collect();
        if !ids.is_empty() {
            calls.push((Kind::Apps, call!(sql, ids)));
        }
    }
    if !reads.app_keys.is_empty() {
        let orgs: Vec<String> = reads.app_keys.keys().map(|key| key.org().to_owned()).collect();
        let names: Vec<String> = reads.app_keys.keys().map(|key| key.app().to_owned()).collect();
        calls.push((Kind::Apps, call!(APP_KEYS_GUARD, orgs, names)));
    }
    let rooms: Vec<RoomKey> = guarded(reads).collect();
    if !rooms.is_empty() {
        calls.push((Kind::Logs, rooms_call(&rooms)));
    }
    for (strength, sql) in [(Strength::Stay, NAMES_STAY), (Strength::Guard, NAMES_GUARD)] {
        let names = reads.names.iter().filter(|(_, held)| **held == strength);
        let (apps, names): (Vec<Uuid>, Vec<String>) =
            names.map(|((app, name), _)| (numbers::app(*app), name.as_str().to_owned())).unzip();
        if !names.is_empty() {
            calls.push((Kind::Users, call!(sql, apps, names)));
        }
    }
    calls
}

/// Whether apps or rules change, and the version of the registry with them. With a bound it is the first lock of every
/// addition, so a change that came to it last would meet a new room in a circle.
fn changes_registry(reads: &ReadSet) -> bool {
    let sweeps_app = reads.lists.iter().any(|list| matches!(list, List::UsersIn(..)));
    !reads.app_keys.is_empty() || !reads.rules.is_empty() || sweeps_app
}

/// Locks the logs of these rooms.
pub(crate) fn rooms_call(rooms: &[RoomKey]) -> Call {
    let apps: Vec<Uuid> = rooms.iter().map(|key| numbers::app(key.app)).collect();
    let ids: Vec<i64> = rooms.iter().map(|key| numbers::room(key.id)).collect();
    call!(ROOMS, apps, ids)
}

/// Rooms that nobody else may change.
pub(super) fn guarded(reads: &ReadSet) -> impl Iterator<Item = RoomKey> {
    reads.rooms.iter().filter(|(_, strength)| **strength == Strength::Guard).map(|(key, _)| *key)
}

/// Takes what a locking call answered.
pub(super) fn take(kind: Kind, found: &[Row], facts: &mut Facts) -> Result<(), StorageError> {
    for row in found {
        match kind {
            Kind::Nothing => {}
            Kind::Apps => facts.app(row)?,
            Kind::Logs => {
                let key = numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?;
                facts.logs.insert(key, (rows::counters(row)?, numbers::time_of(rows::get(row, "at")?)));
            }
            Kind::Users => facts.loaded.load_user(rows::user(row)?),
        }
    }
    Ok(())
}
