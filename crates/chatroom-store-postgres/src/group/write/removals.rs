//! Removals that locked nothing: one statement, which is a transaction of its own.

use chatroom_core::{Facts as _, Plan, StorageError};
use uuid::Uuid;

use super::{Sorted, log_values};
use crate::error::corrupt;
use crate::group::load::Facts;
use crate::numbers;
use crate::session::Call;

/// What [`super::CHANGE_ROOMS`] does, if all is as it was believed to be. Else it fails, which takes everything back:
/// with a division by zero if logs do not end where they were known to end, or the registry changed; with a logarithm of
/// zero if somebody who is to go is no member, or was deleted, or if an owner was.
///
/// The logs come first, in the order in which groups lock them. Arrays are told apart in lists of columns, where they go
/// side by side: in a `FROM` each would be written out first.
const REMOVE: &str = "\
    WITH ends AS ( \
        UPDATE logs l SET seq = e.seq, members = e.members, at = e.at, news = l.news OR e.news, \
            noticed = CASE WHEN e.news AND NOT l.news THEN l.seq ELSE l.noticed END, oldest = coalesce(l.oldest, e.at) \
        FROM (SELECT unnest($9::uuid[]) AS app, unnest($10::bigint[]) AS room, unnest($11::bigint[]) AS seq, \
            unnest($12::bigint[]) AS members, unnest($13::bigint[]) AS at, unnest($14::boolean[]) AS news, \
            unnest($15::bigint[]) AS known_seq, unnest($16::bigint[]) AS known_members, \
            unnest($17::bigint[]) AS known_at) AS e \
        WHERE l.app = e.app AND l.room = e.room \
            AND l.seq = e.known_seq AND l.members = e.known_members AND l.at = e.known_at \
        RETURNING 1 \
    ), gone AS ( \
        DELETE FROM memberships m \
        USING (SELECT unnest($18::uuid[]) AS app, unnest($19::bigint[]) AS room, unnest($20::bigint[]) AS member) AS q \
        WHERE m.app = q.app AND m.room = q.room AND m.member = q.member \
        RETURNING 1 \
    ), told AS ( \
        INSERT INTO events (app, room, seq, id, at, members, kind, body) \
        SELECT unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::uuid[]), \
            unnest($5::bigint[]), unnest($6::bigint[]), unnest($7::smallint[]), unnest($8::bytea[]) \
    ) \
    SELECT \
        1 / ((SELECT count(*) FROM ends) = cardinality($9) AND EXISTS (SELECT FROM registry WHERE version = $21))::int, \
        ln(((SELECT count(*) FROM gone) = cardinality($18) AND NOT EXISTS ( \
            SELECT FROM sweeps \
            WHERE app = ANY($9) AND kind = ANY('{2,3}') AND (kind = 3 OR subject = ANY($20 || $22::bigint[]))))::int)";

/// The call that writes a plan of removals. `facts` are what it was made of.
pub(in crate::group) fn call(plan: &Plan, facts: &Facts) -> Result<Call, StorageError> {
    let mut sorted = Sorted::default();
    for (key, change) in &plan.changes {
        sorted.add(key, change);
    }
    let mut values = log_values(plan, &facts.told)?;
    let unread = || corrupt("removals are to be written", "and what they rely on was not read");
    let ends = plan.ends.keys().map(|room| facts.logs.get(room).ok_or_else(unread));
    let ends = ends.collect::<Result<Vec<_>, StorageError>>()?;
    let seqs: Vec<i64> = ends.iter().map(|(counters, _)| numbers::seq(counters.seq)).collect();
    let members: Vec<i64> = ends.iter().map(|(counters, _)| counters.members.into()).collect();
    let times: Vec<i64> = ends.iter().map(|(_, at)| at.as_millis()).collect();
    let gone = &sorted.members_gone;
    let apps: Vec<Uuid> = gone.iter().map(|(room, _)| numbers::app(room.app)).collect();
    let rooms: Vec<i64> = gone.iter().map(|(room, _)| numbers::room(room.id)).collect();
    let users: Vec<i64> = gone.iter().map(|(_, user)| numbers::user(*user)).collect();
    let version = facts.registry.ok_or_else(unread)?;
    let owners = plan.ends.keys().filter_map(|room| facts.loaded.room(room));
    let owners: Vec<i64> = owners.map(|fact| numbers::user(fact.room.owner)).collect();
    values.extend([Box::new(seqs) as _, Box::new(members) as _, Box::new(times) as _]);
    values.extend([Box::new(apps) as _, Box::new(rooms) as _, Box::new(users) as _]);
    values.extend([Box::new(version) as _, Box::new(owners) as _]);
    Ok(Call { sql: REMOVE, values })
}
