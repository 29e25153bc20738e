//! Removals look before they lock: what they read is compared when they write (ADR 11).
//!
//! Rooms are read before the memberships in them. Whatever changes a room's memberships afterwards moves the end of
//! its log, and the removal with it finds another end than it read.

use chatroom_core::{Action, Operation, ReadSet};

use super::Trouble;
use super::load::{self, Facts};
use super::lock;
use crate::session::{Session, call};

/// Rooms, where their logs end, and whether their owners live.
const ROOMS: &str = "\
    SELECT r.app, r.id, r.owner, r.owner_name, r.name, r.description, r.max_users, r.custom, r.created, r.dissolved, \
        o.id IS NOT NULL AS owner_lives, l.room, l.seq, l.members, l.at \
    FROM unnest($1::uuid[], $2::bigint[]) AS q (app, id) \
    JOIN rooms r ON r.app = q.app AND r.id = q.id \
    JOIN logs l ON l.app = q.app AND l.room = q.id \
    LEFT JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted";

/// Whether all of these are removals of members, which need nothing but their rooms to stand.
pub(super) fn is_enough_for(operations: &[&Operation]) -> bool {
    operations.iter().all(|operation| matches!(operation.action, Action::RemoveMembers(_)))
}

/// Reads what removals are about, and locks nothing.
pub(super) async fn look(session: &mut Session, reads: &ReadSet) -> Result<Facts, Trouble> {
    let (apps, ids) = load::room_keys(reads.rooms.keys());
    let calls = vec![load::apps_call(reads), call!(ROOMS, apps, ids), load::places_call(reads)];
    session.prepare(&calls).await?;
    let found = session.send(&[], calls, &[]).await.rows()?;
    let mut facts = Facts::default();
    let [apps, rooms, places] = found.as_slice() else { return Ok(facts) };
    for row in apps {
        facts.app(row)?;
    }
    lock::take(lock::Kind::Logs, rooms, &mut facts)?;
    for row in rooms {
        facts.room(row)?;
    }
    for row in places {
        facts.place(row, reads)?;
    }
    Ok(facts)
}
