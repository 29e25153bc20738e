//! Events of a range of time, found by bisection: the time of a room's events never goes back.

use std::ops::Bound;

use chatroom_core::{
    CallbackOutbox, ChatroomId, Counters, RoomKey, Rule, Seq, Span, StorageError, Timestamp,
};

use super::super::AppCallbacks;
use super::STEP;
use crate::admin::{AdminError, Again, Replayed};

impl AppCallbacks<'_> {
    pub(super) async fn replay_between(
        &self,
        rule: &Rule,
        since: i64,
        until: Option<i64>,
        after: Option<ChatroomId>,
    ) -> Result<Replayed, AdminError> {
        // Taken once, by the first step: what happens while rooms are walked over is told anyhow.
        let until = until.unwrap_or_else(|| self.callbacks.clock.now().as_millis());
        let range = Range { since: Timestamp::from_millis(since), until: Timestamp::from_millis(until) };
        let rooms = self.rooms_of(rule, after).await.map_err(AdminError::failed)?;
        let mut runs = Vec::new();
        for (id, counters) in &rooms {
            let room = RoomKey { app: self.app.id, id: *id };
            let run = range.run(self.callbacks.outbox.as_ref(), &room, counters.seq).await;
            runs.extend(run.map_err(AdminError::failed)?.map(|run| (room, run)));
        }
        let last = rooms.last().filter(|_| rooms.len() >= STEP).map(|(id, _)| *id);
        let next = last.map(|id| Again::Between { since, until: Some(until), after: Some(id) });
        let looked_at = u64::try_from(rooms.len()).unwrap_or(u64::MAX);
        Ok(Replayed { looked_at, next, ..self.again(rule, runs).await? })
    }

    /// The next rooms that the rule wants, with how far their logs go.
    async fn rooms_of(
        &self,
        rule: &Rule,
        after: Option<ChatroomId>,
    ) -> Result<Vec<(ChatroomId, Counters)>, StorageError> {
        let outbox = &self.callbacks.outbox;
        let Some(wanted) = &rule.rooms else { return outbox.streams(self.app.id, after, STEP).await };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rooms = Vec::new();
        for id in wanted.range((from, Bound::Unbounded)).take(STEP) {
            // A room that is not there has a log of nothing.
            let counters = outbox.counters(&RoomKey { app: self.app.id, id: *id }).await?;
            rooms.push((*id, counters.unwrap_or_default()));
        }
        Ok(rooms)
    }
}

/// From `since` on, and before `until`.
struct Range {
    since: Timestamp,
    until: Timestamp,
}

impl Range {
    /// The events of a room in this range; `last` is its last event.
    async fn run(
        &self,
        outbox: &dyn CallbackOutbox,
        room: &RoomKey,
        last: Seq,
    ) -> Result<Option<Span>, StorageError> {
        let Some(newest) = at(outbox, room, last).await? else { return Ok(None) };
        if newest.1 < self.since {
            return Ok(None);
        }
        let Some(oldest) = at(outbox, room, Seq(1)).await? else { return Ok(None) };
        if self.until <= oldest.1 {
            return Ok(None);
        }
        let first = first_from(outbox, room, (oldest, newest.0), self.since).await?;
        let end = if newest.1 < self.until {
            newest.0.next()
        } else {
            first_from(outbox, room, (oldest, newest.0), self.until).await?
        };
        let last = Seq(end.0.saturating_sub(1));
        Ok((first <= last).then_some(Span { first, last }))
    }
}

/// An event's place and time, or those of the oldest that is kept behind it.
async fn at(
    outbox: &dyn CallbackOutbox,
    room: &RoomKey,
    seq: Seq,
) -> Result<Option<(Seq, Timestamp)>, StorageError> {
    let before = Seq(seq.0.saturating_sub(1));
    let events = outbox.events(room, before, 1).await?;
    Ok(events.first().map(|event| (event.seq, event.at)))
}

/// The first event that did not happen before `time`, if `newest` did not.
async fn first_from(
    outbox: &dyn CallbackOutbox,
    room: &RoomKey,
    (oldest, newest): ((Seq, Timestamp), Seq),
    time: Timestamp,
) -> Result<Seq, StorageError> {
    let (mut low, mut high) = (oldest.0, newest);
    if time <= oldest.1 {
        return Ok(low);
    }
    while low < high {
        let middle = Seq(low.0 + (high.0 - low.0) / 2);
        match at(outbox, room, middle).await? {
            Some((seq, when)) if when < time => low = seq.next(),
            _ => high = middle,
        }
    }
    Ok(low)
}
