//! The old ends of the logs of an app go, some rooms in each commit.

use std::collections::BTreeMap;

use chatroom_core::{AppId, RoomKey, Seq, StorageError, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use super::super::courier::nth;
use super::ROWS;
use crate::error::not_done;
use crate::group::rooms_call;
use crate::numbers;
use crate::rows;
use crate::session::{Call, Session, call};

/// How many rooms are cut in one commit.
const ROOMS: usize = 50;

/// The rooms that have waited longest.
const DUE: &str = "\
    SELECT app, room FROM logs WHERE app = $1 AND oldest < $2 ORDER BY app, oldest LIMIT $3";
/// The first events of logs.
const FIRST: &str = "\
    SELECT q.app, q.room, e.seq, e.at FROM unnest($1::uuid[], $2::bigint[]) AS q (app, room), \
    LATERAL (SELECT * FROM events e WHERE e.app = q.app AND e.room = q.room ORDER BY e.app, e.room, e.seq LIMIT $3) e";
/// Events up to here go, and what is left begins there.
const CUT: &str = "\
    WITH gone AS ( \
        DELETE FROM events e USING unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS q (app, room, through) \
        WHERE e.app = q.app AND e.room = q.room AND e.seq <= q.through \
    ) \
    UPDATE logs l SET oldest = q.oldest FROM unnest($1::uuid[], $2::bigint[], $4::bigint[]) AS q (app, room, oldest) \
    WHERE l.app = q.app AND l.room = q.room";
/// Of an app that is gone.
const GONE: &str = "\
    DELETE FROM events WHERE (app, room, seq) IN ( \
        SELECT app, room, seq FROM events WHERE app = $1 ORDER BY app, room, seq LIMIT $2) RETURNING seq";

/// Where a log is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    /// The last event that goes.
    through: Option<Seq>,
    /// When the first that stays was made, or earlier; `None` if none stays.
    oldest: Option<Timestamp>,
}

/// A transaction that is ready to cut logs.
pub(super) struct Begun {
    /// What the renewal of the lease answered.
    pub(super) lease: Vec<Row>,
    /// What is still to be sent, with the commit.
    pub(super) write: Vec<Call>,
    /// Up to where logs will be gone.
    pub(super) gone: Vec<(RoomKey, Seq)>,
}

/// Begins to delete events that were made before this, of the rooms that have waited longest: about a thousand. Nothing
/// is begun if no log has any.
///
/// The `lease` comes first. Whoever takes the app over waits for it, and so for what becomes of the cut.
pub(super) async fn begin(
    session: &mut Session,
    app: AppId,
    before: Timestamp,
    lease: Call,
) -> Result<Option<Begun>, StorageError> {
    let due = call!(DUE, numbers::app(app), before.as_millis(), numbers::limit(ROOMS));
    let due = super::run(session, vec![due]).await?.pop().unwrap_or_default();
    let key = |row| numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?);
    let mut rooms = due.iter().map(key).collect::<Result<Vec<RoomKey>, StorageError>>()?;
    if rooms.is_empty() {
        return Ok(None);
    }
    // In the order that groups lock them in.
    rooms.sort_unstable();
    let (apps, ids): (Vec<Uuid>, Vec<i64>) =
        rooms.iter().map(|key| (numbers::app(key.app), numbers::room(key.id))).unzip();
    let limit = ROWS / rooms.len();
    let look =
        vec![lease, rooms_call(&rooms), call!(FIRST, apps.clone(), ids.clone(), numbers::limit(limit))];
    session.prepare(&look).await.map_err(not_done)?;
    let mut found = session.send(&["BEGIN"], look, &[]).await.rows().map_err(not_done)?;
    let lease = nth(&mut found, 0)?;
    let mut firsts: BTreeMap<RoomKey, Vec<(Seq, Timestamp)>> = BTreeMap::new();
    for row in found.last().into_iter().flatten() {
        let at = numbers::time_of(rows::get(row, "at")?);
        firsts.entry(key(row)?).or_default().push((numbers::seq_of(rows::get(row, "seq")?)?, at));
    }
    let none = Vec::new();
    let cuts: Vec<Cut> =
        rooms.iter().map(|room| place(firsts.get(room).unwrap_or(&none), before, limit)).collect();
    let through: Vec<i64> = cuts.iter().map(|cut| cut.through.map_or(-1, numbers::seq)).collect();
    let oldest: Vec<Option<i64>> =
        cuts.iter().map(|cut| cut.oldest.map(chatroom_core::Timestamp::as_millis)).collect();
    let write = vec![call!(CUT, apps, ids, through, oldest)];
    session.prepare(&write).await.map_err(not_done)?;
    let gone = rooms.into_iter().zip(cuts).filter_map(|(room, cut)| Some((room, cut.through?))).collect();
    Ok(Some(Begun { lease, write, gone }))
}

/// Deletes them. An error does not say that they are there.
pub(super) async fn finish(session: &Session, write: Vec<Call>) -> Result<(), StorageError> {
    session.send(&[], write, &["COMMIT"]).await.rows().map_err(not_done)?;
    Ok(())
}

/// Deletes events of an app that is gone, about a thousand. Answers whether there may be more.
pub(super) async fn delete(session: &mut Session, app: AppId) -> Result<bool, StorageError> {
    let gone = super::run(session, vec![call!(GONE, numbers::app(app), numbers::limit(ROWS))]).await?;
    Ok(gone.iter().any(|rows| !rows.is_empty()))
}

/// Where to cut a log of which these are the first events, at most `limit`.
fn place(first: &[(Seq, Timestamp)], before: Timestamp, limit: usize) -> Cut {
    let old = first.partition_point(|(_, at)| *at < before);
    let through = old.checked_sub(1).and_then(|last| first.get(last)).map(|(seq, _)| *seq);
    // Behind what was looked at, none is older than the last of it.
    let more = first.last().filter(|_| first.len() >= limit);
    Cut { through, oldest: first.get(old).or(more).map(|(_, at)| *at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_in(times: &[i64], before: i64, limit: usize) -> (Option<u64>, Option<i64>) {
        let first: Vec<_> = (1..).map(Seq).zip(times.iter().copied().map(Timestamp::from_millis)).collect();
        let cut = place(&first, Timestamp::from_millis(before), limit);
        (cut.through.map(|seq| seq.0), cut.oldest.map(Timestamp::as_millis))
    }

    #[test]
    fn a_log_is_cut_before_its_first_event_that_is_young_enough() {
        assert_eq!(place_in(&[10, 20, 20, 30], 20, 9), (Some(1), Some(20)));
        assert_eq!(place_in(&[10, 20], 5, 9), (None, Some(10)));
        assert_eq!(place_in(&[10, 20], 30, 9), (Some(2), None));
        assert_eq!(place_in(&[], 30, 9), (None, None));
    }

    #[test]
    fn what_was_not_looked_at_is_not_older_than_what_was() {
        assert_eq!(place_in(&[10, 20], 30, 2), (Some(2), Some(20)));
    }
}
