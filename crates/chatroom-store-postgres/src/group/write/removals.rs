//! Removals that locked nothing: one statement, which is a transaction of its own.

use std::collections::HashSet;

use chatroom_core::{AppId, Plan, StorageError};
use uuid::Uuid;

use super::Sorted;
use crate::error::corrupt;
use crate::group::load::{Logs, Spots};
use crate::numbers;
use crate::session::Call;

/// What [`super::CHANGE_ROOMS`] does, if all is as it was read; else it fails with a division by zero, which takes
/// everything back.
///
/// The logs come first, in the order in which groups lock them. One that ends where it was read to end has the
/// memberships that were read behind it. They are asked for by key where they lay, since nothing kept a rewrite of the
/// whole table from moving them.
const REMOVE: &str = "\
    WITH ends AS ( \
        UPDATE logs l SET seq = e.seq, members = e.members, at = e.at, news = l.news OR e.news, \
            noticed = CASE WHEN e.news AND NOT l.news THEN l.seq ELSE l.noticed END, oldest = coalesce(l.oldest, e.at) \
        FROM unnest($10::uuid[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::boolean[], \
            $16::bigint[], $17::bigint[]) AS e (app, room, seq, members, at, news, read_seq, read_at) \
        WHERE l.app = e.app AND l.room = e.room AND l.seq = e.read_seq AND l.at = e.read_at \
        RETURNING 1 \
    ), gone AS ( \
        DELETE FROM memberships m \
        USING unnest($1::tid[], $18::uuid[], $19::bigint[], $20::bigint[]) AS q (spot, app, room, member) \
        WHERE m.ctid = q.spot AND m.app = q.app AND m.room = q.room AND m.member = q.member \
        RETURNING 1 \
    ), told AS ( \
        INSERT INTO events (app, room, seq, id, at, members, kind, body) \
        SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::uuid[], $6::bigint[], $7::bigint[], \
            $8::smallint[], $9::bytea[]) \
    ) \
    SELECT 1 / ((SELECT count(*) FROM ends) = cardinality($10) AND (SELECT count(*) FROM gone) = cardinality($1))::int";

/// The call that writes a plan of removals. `logs` are the ends that were read.
pub(crate) fn call(
    plan: &Plan,
    told: &HashSet<AppId>,
    spots: &Spots,
    logs: &Logs,
) -> Result<Call, StorageError> {
    let mut sorted = Sorted::default();
    for (key, change) in &plan.changes {
        sorted.add(key, change);
    }
    let mut values = sorted.room_values(plan, told, spots)?;
    let read = plan.ends.keys().map(|room| {
        let (counters, at) =
            logs.get(room).ok_or_else(|| corrupt("a log is to go on", "and was not read"))?;
        Ok((numbers::seq(counters.seq), at.as_millis()))
    });
    let (seqs, times): (Vec<i64>, Vec<i64>) =
        read.collect::<Result<Vec<_>, StorageError>>()?.into_iter().unzip();
    let gone = &sorted.members_gone;
    let apps: Vec<Uuid> = gone.iter().map(|(room, _)| numbers::app(room.app)).collect();
    let rooms: Vec<i64> = gone.iter().map(|(room, _)| numbers::room(room.id)).collect();
    let users: Vec<i64> = gone.iter().map(|(_, user)| numbers::user(*user)).collect();
    values.extend([Box::new(seqs) as _, Box::new(times) as _, Box::new(apps) as _]);
    values.extend([Box::new(rooms) as _, Box::new(users) as _]);
    Ok(Call { sql: REMOVE, values })
}
