//! Stores what is known of deliveries.

use std::collections::BTreeMap;
use std::time::Duration;

use chatroom_core::{
    AppId, Burial, Cursor, CursorWrite, DeadLetter, RoomKey, RuleId, Seq, StorageError, Timestamp,
};
use uuid::Uuid;

use super::courier::{Courier, State};
use super::load::kept;
use super::poll::Replay;
use crate::error::not_done;
use crate::numbers;
use crate::session::{Call, Session, call};

/// How long news may wait to be delivered before they are noted. What is delivered sooner is noted when it is done.
const NOTE: Duration = Duration::from_secs(2);
/// Rooms that are noted at once.
const ROOMS: usize = 500;

/// Locks the logs in order; those that went further meanwhile keep their news.
const NOTED: &str = "\
    WITH q AS ( \
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS q (app, room, through) \
    ), held AS MATERIALIZED ( \
        SELECT l.app, l.room FROM logs l JOIN q ON q.app = l.app AND q.room = l.room \
        ORDER BY l.app, l.room FOR UPDATE OF l \
    ) \
    UPDATE logs l SET noticed = q.through, news = l.seq > q.through \
    FROM q JOIN held h ON h.app = q.app AND h.room = q.room WHERE l.app = q.app AND l.room = q.room";
const PUT_CURSORS: &str = "\
    INSERT INTO cursors (app, rule, room, after, last, again, failures, failing_for, due, behind_since) \
    SELECT app, rule, room, after, last, again::bigint[], failures, failing_for, due, behind_since \
    FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], \
        $8::bigint[], $9::bigint[], $10::bigint[]) \
        AS q (app, rule, room, after, last, again, failures, failing_for, due, behind_since) \
    ON CONFLICT (app, rule, room) DO UPDATE SET after = EXCLUDED.after, last = EXCLUDED.last, \
        again = EXCLUDED.again, failures = EXCLUDED.failures, failing_for = EXCLUDED.failing_for, \
        due = EXCLUDED.due, behind_since = EXCLUDED.behind_since";
const DELETE_CURSORS: &str = "\
    DELETE FROM cursors c USING unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS d (app, rule, room) \
    WHERE c.app = d.app AND c.rule = d.rule AND c.room = d.room";
const PUT_LETTERS: &str = "\
    INSERT INTO dead_letters (app, rule, room, first, last, why, at) \
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[]) \
    ON CONFLICT (app, rule, room, first) DO UPDATE SET last = EXCLUDED.last, why = EXCLUDED.why, at = EXCLUDED.at";
const DELETE_LETTERS: &str = "\
    DELETE FROM dead_letters l USING unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) \
        AS d (app, rule, room, first) \
    WHERE l.app = d.app AND l.rule = d.rule AND l.room = d.room AND l.first = d.first";
const REPLAYED: &str = "UPDATE replays SET events = $4 WHERE app = $1 AND rule = $2 AND id = $3";

/// What a flush stores, and what is known to be stored when it has.
#[derive(Default)]
struct Batch {
    /// Rooms, and up to where their news are noted.
    rooms: Vec<(RoomKey, Option<Seq>)>,
    cursors: Vec<Cursor>,
    cursors_gone: Vec<(RoomKey, RuleId)>,
    letters: BTreeMap<(RuleId, RoomKey, Seq), Option<DeadLetter>>,
    /// How many changes of letters of each app are in it.
    counts: Vec<(AppId, usize)>,
}

impl State {
    /// Notes what is to be stored.
    pub(super) fn note(&mut self, writes: Vec<CursorWrite>) {
        for write in writes {
            let (room, is_letter) = match &write {
                CursorWrite::Put(Cursor { room, .. }) | CursorWrite::Done { room, .. } => (*room, false),
                CursorWrite::Bury(DeadLetter { room, .. }) | CursorWrite::Unbury { room, .. } => {
                    (*room, true)
                }
            };
            let Some(held) = self.apps.get_mut(&room.app) else { continue };
            held.dirty.insert(room.id);
            if is_letter {
                held.letters.push(write);
            }
        }
    }

    fn is_clean(&self) -> bool {
        self.apps.values().all(|held| held.dirty.is_empty() && held.letters.is_empty())
    }

    /// The next part of what is to be stored.
    fn batch(&mut self, now: Timestamp) -> Batch {
        let mut batch = Batch::default();
        for (app, held) in &mut self.apps {
            let left = ROOMS.saturating_sub(batch.rooms.len());
            for id in held.dirty.iter().take(left) {
                let room = RoomKey { app: *app, id: *id };
                let cursors = self.backlog.cursors(&room, now);
                let is_behind = |rule: &RuleId| cursors.iter().any(|cursor| cursor.rule == *rule);
                let all = (*id, RuleId(u128::MIN))..=(*id, RuleId(u128::MAX));
                let gone = held.stored.range(all).filter(|(_, rule)| !is_behind(rule));
                batch.cursors_gone.extend(gone.map(|(_, rule)| (room, *rule)));
                // They may be stored as soon as this is sent.
                held.stored.extend(cursors.iter().map(|cursor| (*id, cursor.rule)));
                batch.cursors.extend(cursors);
                batch.rooms.push((room, held.seen.get(id).map(|(seq, _)| *seq)));
            }
            for write in &held.letters {
                match write {
                    CursorWrite::Bury(letter) => {
                        let place = (letter.rule, letter.room, letter.span.first);
                        batch.letters.insert(place, Some(letter.clone()));
                    }
                    CursorWrite::Unbury { rule, room, first } => {
                        batch.letters.insert((*rule, *room, *first), None);
                    }
                    CursorWrite::Put(_) | CursorWrite::Done { .. } => {}
                }
            }
            batch.counts.push((*app, held.letters.len()));
        }
        batch
    }

    /// Takes note that the batch is stored.
    fn stored(&mut self, batch: &Batch) {
        for (room, through) in &batch.rooms {
            let Some(held) = self.apps.get_mut(&room.app) else { continue };
            held.dirty.remove(&room.id);
            if held.seen.get(&room.id).map(|(seq, _)| *seq) == *through {
                held.seen.remove(&room.id);
            }
        }
        for (room, rule) in &batch.cursors_gone {
            if let Some(held) = self.apps.get_mut(&room.app) {
                held.stored.remove(&(room.id, *rule));
            }
        }
        for (app, count) in &batch.counts {
            if let Some(held) = self.apps.get_mut(app) {
                held.letters.drain(..*count);
            }
        }
    }
}

impl Batch {
    fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        let noted = self.rooms.iter().filter_map(|(room, through)| through.map(|through| (room, through)));
        let mut noted: Vec<_> = noted.collect();
        noted.sort_by_key(|(room, _)| **room);
        if !noted.is_empty() {
            let apps: Vec<Uuid> = noted.iter().map(|(room, _)| numbers::app(room.app)).collect();
            let ids: Vec<i64> = noted.iter().map(|(room, _)| numbers::room(room.id)).collect();
            let through: Vec<i64> = noted.iter().map(|(_, through)| numbers::seq(*through)).collect();
            calls.push(call!(NOTED, apps, ids, through));
        }
        if !self.cursors_gone.is_empty() {
            let apps: Vec<Uuid> = self.cursors_gone.iter().map(|(room, _)| numbers::app(room.app)).collect();
            let rules: Vec<Uuid> = self.cursors_gone.iter().map(|(_, rule)| numbers::rule(*rule)).collect();
            let ids: Vec<i64> = self.cursors_gone.iter().map(|(room, _)| numbers::room(room.id)).collect();
            calls.push(call!(DELETE_CURSORS, apps, rules, ids));
        }
        if !self.cursors.is_empty() {
            calls.push(put_cursors(&self.cursors));
        }
        calls.extend(self.letter_calls());
        calls
    }

    fn letter_calls(&self) -> impl Iterator<Item = Call> {
        let gone: Vec<_> =
            self.letters.iter().filter(|(_, letter)| letter.is_none()).map(|(place, _)| place).collect();
        let there: Vec<&DeadLetter> = self.letters.values().flatten().collect();
        let delete = (!gone.is_empty()).then(|| {
            let apps: Vec<Uuid> = gone.iter().map(|(_, room, _)| numbers::app(room.app)).collect();
            let rules: Vec<Uuid> = gone.iter().map(|(rule, ..)| numbers::rule(*rule)).collect();
            let ids: Vec<i64> = gone.iter().map(|(_, room, _)| numbers::room(room.id)).collect();
            let firsts: Vec<i64> = gone.iter().map(|(.., first)| numbers::seq(*first)).collect();
            call!(DELETE_LETTERS, apps, rules, ids, firsts)
        });
        let put = (!there.is_empty()).then(|| put_letters(&there));
        delete.into_iter().chain(put)
    }
}

pub(crate) fn put_letters(letters: &[&DeadLetter]) -> Call {
    let column =
        |value: fn(&DeadLetter) -> i64| letters.iter().map(|letter| value(letter)).collect::<Vec<_>>();
    let apps: Vec<Uuid> = letters.iter().map(|letter| numbers::app(letter.room.app)).collect();
    let rules: Vec<Uuid> = letters.iter().map(|letter| numbers::rule(letter.rule)).collect();
    let why = |letter: &&DeadLetter| match &letter.why {
        Burial::GivenUp(words) => Some(words.as_bytes().to_vec()),
        Burial::Trimmed => None,
    };
    let why: Vec<Option<Vec<u8>>> = letters.iter().map(why).collect();
    call!(
        PUT_LETTERS,
        apps,
        rules,
        column(|letter| numbers::room(letter.room.id)),
        column(|letter| numbers::seq(letter.span.first)),
        column(|letter| numbers::seq(letter.span.last)),
        why,
        column(|letter| letter.at.as_millis()),
    )
}

pub(crate) fn put_cursors(cursors: &[Cursor]) -> Call {
    let column = |value: fn(&Cursor) -> i64| cursors.iter().map(value).collect::<Vec<i64>>();
    let apps: Vec<Uuid> = cursors.iter().map(|cursor| numbers::app(cursor.room.app)).collect();
    let rules: Vec<Uuid> = cursors.iter().map(|cursor| numbers::rule(cursor.rule)).collect();
    let again = cursors.iter().map(|cursor| {
        let ends = cursor.again.iter().flat_map(|run| [run.first.0.to_string(), run.last.0.to_string()]);
        format!("{{{}}}", ends.collect::<Vec<_>>().join(","))
    });
    let again: Vec<String> = again.collect();
    call!(
        PUT_CURSORS,
        apps,
        rules,
        column(|cursor| numbers::room(cursor.room.id)),
        column(|cursor| numbers::seq(cursor.after)),
        column(|cursor| numbers::seq(cursor.last)),
        again,
        column(|cursor| cursor.failures.into()),
        column(|cursor| i64::try_from(cursor.failing_for.as_millis()).unwrap_or(i64::MAX)),
        column(|cursor| cursor.due.as_millis()),
        column(|cursor| cursor.behind_since.as_millis()),
    )
}

impl Courier {
    /// Stores what is due to be stored, and what has waited for long.
    pub(super) async fn flush_old(
        &self,
        session: &mut Session,
        state: &mut State,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        for held in state.apps.values_mut() {
            let old =
                held.seen.iter().filter(|(_, (_, since))| since.elapsed() >= NOTE).map(|(room, _)| *room);
            held.dirty.extend(old);
        }
        self.flush(session, state, now, None).await
    }

    /// Stores all that is known and not stored, and the answer to a replay with it. What is of an app that is somebody
    /// else's by now is not stored.
    pub(super) async fn flush(
        &self,
        session: &mut Session,
        state: &mut State,
        now: Timestamp,
        mut replayed: Option<Call>,
    ) -> Result<(), StorageError> {
        while replayed.is_some() || !state.is_clean() {
            let apps: Vec<AppId> = state.apps.keys().copied().collect();
            let renewal = vec![self.renewal(&apps)];
            session.prepare(&renewal).await.map_err(not_done)?;
            let ours = session.send(&["BEGIN"], renewal, &[]).await.rows().map_err(not_done)?;
            state.renewed(&apps, ours.first().map_or(&[], Vec::as_slice))?;
            let batch = state.batch(now);
            let mut calls = batch.calls();
            calls.extend(replayed.take());
            session.prepare(&calls).await.map_err(not_done)?;
            session.send(&[], calls, &["COMMIT"]).await.rows().map_err(not_done)?;
            state.stored(&batch);
        }
        Ok(())
    }

    /// Does what somebody asked to be told again, and says how many events that is.
    pub(super) async fn replay(
        &self,
        session: &mut Session,
        state: &mut State,
        replay: Replay,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let rooms: Vec<RoomKey> = replay.runs.iter().map(|(room, _)| *room).collect();
        let logs: BTreeMap<RoomKey, _> = kept(session, &rooms).await?.into_iter().collect();
        let mut events = 0;
        for (room, span) in replay.runs {
            let Some(log) = logs.get(&room) else { continue };
            let (again, writes) = state.backlog.replay(replay.rule, &room, span, *log, now);
            events += again;
            state.note(writes);
        }
        let (app, rule) = (numbers::app(replay.app), numbers::rule(replay.rule));
        let done = call!(REPLAYED, app, rule, replay.id, numbers::to_db(events));
        self.flush(session, state, now, Some(done)).await
    }
}
