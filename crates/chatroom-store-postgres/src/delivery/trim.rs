//! Retention: old events go, and with them what nobody will ask for again.

mod logs;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chatroom_core::{AppId, StorageError, Timestamp};
use tokio::time::Instant;
use tokio_postgres::Row;

use super::courier::{Courier, State, run};
use crate::deadline::Deadline;
use crate::error::not_done;
use crate::numbers;
use crate::rows;
use crate::session::{Session, call};
use crate::shared::Shared;

/// How often.
const EVERY: Duration = Duration::from_secs(60);
/// How long others wait for it, about: deliveries, and their leases.
const SLICE: Duration = Duration::from_secs(1);
/// How many rows go in one commit.
const ROWS: usize = 1_000;

/// Apps that have events, and whether they are there and somebody is told of them.
const APPS: &str = "\
    WITH RECURSIVE held AS ( \
        (SELECT app FROM events ORDER BY app, room, seq LIMIT 1) \
        UNION ALL \
        SELECT (SELECT e.app FROM events e WHERE e.app > held.app ORDER BY e.app, e.room, e.seq LIMIT 1) FROM held \
        WHERE held.app IS NOT NULL \
    ) \
    SELECT h.app, a.app IS NOT NULL AS is_there, coalesce(a.has_rules, false) AS has_rules, \
        (SELECT l.oldest FROM logs l WHERE l.app = h.app AND l.oldest IS NOT NULL \
            ORDER BY l.app, l.oldest LIMIT 1) AS oldest \
    FROM held h LEFT JOIN apps a ON a.app = h.app WHERE h.app IS NOT NULL";
/// About how many bytes the events take, without what is free between them: as many rows as there are, of the width that
/// they had when somebody last looked, and 28 bytes beside each. Nothing if nobody has looked yet. VACUUM leaves the file
/// as large as it was, so its size says only how much there may be at most.
const SIZE: &str = "\
    SELECT least(pg_relation_size(t.relid), t.n_live_tup * coalesce(28 + ( \
        SELECT sum(s.avg_width) FROM pg_stats s WHERE s.schemaname = t.schemaname AND s.tablename = t.relname), 0)) \
        AS bytes \
    FROM pg_stat_user_tables t WHERE t.relid = 'events'::regclass";
const MARKS: &str = "DELETE FROM marks WHERE made < now() - interval '1 hour'";
const REPLAYS: &str = "DELETE FROM replays WHERE events IS NOT NULL AND made < now() - interval '1 hour'";
/// What apps leave behind that were deleted, once no node holds a slot of theirs.
const PERMITS: &str = "\
    DELETE FROM permits p WHERE written < now() - interval '1 hour' \
    AND NOT EXISTS (SELECT FROM apps a WHERE a.app = p.app AND a.state <> 3)";
/// What rules leave behind that were removed.
const ORPHANS: [&str; 4] = [
    "DELETE FROM cursors WHERE (app, rule, room) IN (SELECT app, rule, room FROM cursors c \
     WHERE NOT EXISTS (SELECT FROM rules r WHERE r.app = c.app AND r.id = c.rule) LIMIT 1000)",
    "DELETE FROM dead_letters WHERE (app, rule, room, first) IN (SELECT app, rule, room, first FROM dead_letters l \
     WHERE NOT EXISTS (SELECT FROM rules r WHERE r.app = l.app AND r.id = l.rule) LIMIT 1000)",
    "DELETE FROM rule_states s WHERE NOT EXISTS (SELECT FROM rules r WHERE r.app = s.app AND r.id = s.rule)",
    "DELETE FROM replays p WHERE NOT EXISTS (SELECT FROM rules r WHERE r.app = p.app AND r.id = p.rule)",
];

/// Trims now and then, until the store is dropped.
pub(crate) async fn keep(shared: Arc<Shared>, courier: Arc<Courier>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = courier.maintain(&shared, courier.delivers.load(Ordering::SeqCst)).await {
            tracing::warn!(%error, "old events cannot be trimmed now: it is tried again in a minute");
        }
    }
}

/// An app that has events, and which of them go.
struct Due {
    app: AppId,
    is_there: bool,
    has_rules: bool,
    before: Timestamp,
}

impl Courier {
    /// Trims what is due. Of apps that somebody is told of, those that this node delivers; it may `claim` them.
    ///
    /// Who delivers waits for a slice of it at most.
    pub(crate) async fn maintain(&self, shared: &Shared, claim: bool) -> Result<(), StorageError> {
        for sql in [MARKS, REPLAYS, PERMITS].into_iter().chain(ORPHANS) {
            self.ask(shared, sql).await?;
        }
        // Once, since a database counts late what is gone.
        let mut left = self.due(shared).await?;
        loop {
            self.slice(shared, claim, &mut left).await?;
            if left.is_empty() {
                return Ok(());
            }
        }
    }

    /// What needs nothing of what is delivered but its session.
    async fn ask(&self, shared: &Shared, sql: &'static str) -> Result<Vec<Row>, StorageError> {
        let mut state = self.state.lock().await;
        let deadline = Deadline::after(shared.options.patience);
        let mut session = state.take_session(shared, deadline).await?;
        let found = deadline.hold(run(&mut session, vec![call!(sql)])).await??.pop();
        state.session = Some(session);
        Ok(found.unwrap_or_default())
    }

    async fn due(&self, shared: &Shared) -> Result<VecDeque<Due>, StorageError> {
        let now = self.now(shared);
        let (keep, most) = (shared.options.keep, shared.options.keep_bytes);
        let size = self.ask(shared, SIZE).await?;
        let bytes = size.first().map_or(Ok(0), |row| rows::count(row, "bytes"))?;
        let due = |row: &Row| {
            let oldest = rows::get::<Option<i64>>(row, "oldest")?.unwrap_or(i64::MAX);
            Ok(Due {
                app: numbers::app_of(rows::get(row, "app")?),
                is_there: rows::get(row, "is_there")?,
                has_rules: rows::get(row, "has_rules")?,
                before: oldest_kept(numbers::time_of(oldest), now, keep, bytes, most),
            })
        };
        self.ask(shared, APPS).await?.iter().map(due).collect()
    }

    /// Takes out of `left` what it gets done.
    async fn slice(
        &self,
        shared: &Shared,
        claim: bool,
        left: &mut VecDeque<Due>,
    ) -> Result<(), StorageError> {
        let mut state = self.state.lock().await;
        if claim {
            self.turn(shared, &mut state).await?;
        }
        let deadline = Deadline::after(SLICE + shared.options.patience);
        let mut session = state.take_session(shared, deadline).await?;
        let now = self.now(shared);
        let done = deadline.hold(async {
            // What goes is noted as lost, so where everybody stands is stored first.
            for held in state.apps.values_mut() {
                held.dirty.extend(held.seen.keys());
            }
            let tidied = state.backlog.tidy(shared.options.keep, now);
            state.note(tidied);
            self.flush(&mut session, &mut state, now, None).await?;
            let began = Instant::now();
            while let Some(due) = left.front() {
                if !self.trim(&mut session, &mut state, due, now).await? {
                    left.pop_front();
                }
                if began.elapsed() >= SLICE {
                    break;
                }
            }
            Ok(())
        });
        done.await??;
        state.session = Some(session);
        Ok(())
    }

    /// Trims a part of what is due of an app, in one commit. Whether there may be more.
    async fn trim(
        &self,
        session: &mut Session,
        state: &mut State,
        due: &Due,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let app = due.app;
        let is_held = state.apps.contains_key(&app);
        if due.has_rules && !is_held {
            // Its courier does it.
            return Ok(false);
        }
        if !due.is_there {
            return logs::delete(session, app).await;
        }
        let begun = logs::begin(session, app, due.before, self.renewal(&[app])).await?;
        let Some(begun) = begun else { return Ok(false) };
        if is_held {
            state.renewed(&[app], &begun.lease)?;
            if !state.apps.contains_key(&app) {
                // Whose it is now knows what is to be told of these events.
                session.client().batch_execute("ROLLBACK").await.map_err(not_done)?;
                return Ok(false);
            }
        }
        let cutting = Cutting { state: &mut *state, app, known: false };
        logs::finish(session, begun.write).await?;
        cutting.done();
        for (room, through) in begun.gone {
            let writes = state.backlog.trimmed(&room, through, now);
            if !writes.is_empty() {
                tracing::warn!(%app, room = %room.id, "retention took events that were not delivered");
            }
            state.note(writes);
        }
        self.flush(session, state, now, None).await?;
        Ok(true)
    }
}

/// An app whose logs are being cut. If it is not known whether that was done, what is held of the app may be wrong: it
/// would go on with events that are gone, and nobody would learn that they are. So it is taken over again then, from
/// what is there; also if who waits for the answer gives up.
struct Cutting<'s> {
    state: &'s mut State,
    app: AppId,
    known: bool,
}

impl Cutting<'_> {
    fn done(mut self) {
        self.known = true;
    }
}

impl Drop for Cutting<'_> {
    fn drop(&mut self) {
        if !self.known && self.state.apps.contains_key(&self.app) {
            self.state.lose(self.app);
        }
    }
}

/// From when on events are kept: those of the last `keep`, and as many of the newest as fit into `most` bytes, if they
/// came evenly since the oldest.
fn oldest_kept(oldest: Timestamp, now: Timestamp, keep: Duration, bytes: u64, most: u64) -> Timestamp {
    let by_age = now.minus(keep);
    if bytes <= most {
        return by_age;
    }
    let from = oldest.max(by_age);
    let span = u64::try_from(now.as_millis().saturating_sub(from.as_millis())).unwrap_or(0);
    let gone = u128::from(span) * u128::from(bytes - most) / u128::from(bytes);
    from.plus_millis(i64::try_from(gone).unwrap_or(i64::MAX)).max(by_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn events_are_kept_for_their_time_and_shorter_if_they_are_too_many() {
        let keep = Duration::from_secs(100);
        assert_eq!(oldest_kept(at(0), at(1_000), keep, 10, 10), at(900));
        assert_eq!(oldest_kept(at(0), at(1_000), keep, 20, 10), at(950));
        assert_eq!(oldest_kept(at(980), at(1_000), keep, 20, 15), at(985));
        assert_eq!(oldest_kept(at(2_000), at(1_000), keep, 20, 10), at(2_000));
    }
}
