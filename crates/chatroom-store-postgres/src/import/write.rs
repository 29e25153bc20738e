//! A part of an export as statements.

use std::collections::BTreeMap;

use chatroom_core::{Change, Counters, Plan, Portable, Record, RoomKey, StorageError, Timestamp};
use foldhash::{HashMap, HashSet};
use uuid::Uuid;

use crate::delivery::{put_cursors, put_letters};
use crate::group::write::{self, MARK_RULES, REGISTRY};
use crate::numbers;
use crate::session::{Call, call};

/// Where logs end. What they tell of is in the cursors, so all of it was noticed. Time does not go back behind it.
const END_LOGS: &str = "\
    UPDATE logs l SET seq = coalesce(q.seq, l.seq), members = coalesce(q.members, l.members), \
        noticed = coalesce(q.seq, l.noticed), at = greatest(l.at, q.at), oldest = least(l.oldest, q.oldest) \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) \
        AS q (app, room, seq, members, at, oldest) \
    WHERE l.app = q.app AND l.room = q.room";

/// The calls that write this part, but for what would tell nodes of it.
pub(super) fn calls(part: Vec<Portable>, now: Timestamp) -> Result<Vec<Call>, StorageError> {
    let (mut plan, mut ends) = (Plan::default(), Ends::default());
    let (mut cursors, mut letters) = (Vec::new(), Vec::new());
    for portable in part {
        let record = match portable {
            Portable::App(app) => Record::App(app),
            Portable::User(user) => Record::User(user),
            Portable::Room(room, counters) => {
                ends.counted(room.key, counters, now);
                Record::Room(room)
            }
            Portable::Membership(membership) => Record::Membership(membership),
            Portable::Sweep(sweep) => Record::Sweep(sweep),
            Portable::Rule(rule) => Record::Rule(rule),
            Portable::Event(event) => {
                ends.event(event.room, event.at);
                plan.events.push(event);
                continue;
            }
            Portable::Cursor(cursor) => {
                cursors.push(cursor);
                continue;
            }
            Portable::DeadLetter(letter) => {
                letters.push(letter);
                continue;
            }
        };
        plan.changes.insert(record.key(), Change { was_there: false, now: Some(record) });
    }
    let mut calls = write::calls(&plan, &HashSet::default(), &HashMap::default(), None)?;
    calls.retain(|call| call.sql != REGISTRY && call.sql != MARK_RULES);
    calls.extend(ends.call());
    calls.extend((!cursors.is_empty()).then(|| put_cursors(&cursors)));
    calls.extend((!letters.is_empty()).then(|| put_letters(&letters.iter().collect::<Vec<_>>())));
    Ok(calls)
}

/// Where the logs of rooms end, as far as a part says it.
#[derive(Default)]
struct Ends(BTreeMap<RoomKey, End>);

#[derive(Default)]
struct End {
    counters: Option<Counters>,
    at: Timestamp,
    /// When the oldest event of the part was made.
    oldest: Option<Timestamp>,
}

impl Ends {
    fn counted(&mut self, room: RoomKey, counters: Counters, at: Timestamp) {
        let end = self.0.entry(room).or_default();
        end.counters = Some(counters);
        end.at = end.at.max(at);
    }

    fn event(&mut self, room: RoomKey, at: Timestamp) {
        let end = self.0.entry(room).or_default();
        end.at = end.at.max(at);
        end.oldest = Some(end.oldest.map_or(at, |oldest| oldest.min(at)));
    }

    fn call(self) -> Option<Call> {
        if self.0.is_empty() {
            return None;
        }
        let apps: Vec<Uuid> = self.0.keys().map(|room| numbers::app(room.app)).collect();
        let rooms: Vec<i64> = self.0.keys().map(|room| numbers::room(room.id)).collect();
        let ends = || self.0.values();
        let seqs: Vec<Option<i64>> =
            ends().map(|end| end.counters.map(|counters| numbers::seq(counters.seq))).collect();
        let members: Vec<Option<i64>> =
            ends().map(|end| end.counters.map(|counters| counters.members.into())).collect();
        let times: Vec<i64> = ends().map(|end| end.at.as_millis()).collect();
        let oldest: Vec<Option<i64>> = ends().map(|end| end.oldest.map(Timestamp::as_millis)).collect();
        Some(call!(END_LOGS, apps, rooms, seqs, members, times, oldest))
    }
}
