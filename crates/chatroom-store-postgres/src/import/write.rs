//! A part of an export as statements.

use std::collections::{BTreeMap, HashMap, HashSet};

use chatroom_core::{Change, Counters, Plan, Portable, Record, RoomKey, StorageError, Timestamp};
use uuid::Uuid;

use crate::delivery::{put_cursors, put_letters};
use crate::group::write::{self, MARK_RULES, REGISTRY};
use crate::numbers;
use crate::session::{Call, call};

/// Where logs end. What they tell of is in the cursors, so all of it was noticed. Time does not go back behind it.
const END_LOGS: &str = "\
    UPDATE logs l SET seq = coalesce(q.seq, l.seq), members = coalesce(q.members, l.members), \
        noticed = coalesce(q.seq, l.noticed), at = greatest(l.at, q.at) \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS q (app, room, seq, members, at) \
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
                ends.note(room.key, Some(counters), now);
                Record::Room(room)
            }
            Portable::Membership(membership) => Record::Membership(membership),
            Portable::Sweep(sweep) => Record::Sweep(sweep),
            Portable::Rule(rule) => Record::Rule(rule),
            Portable::Event(event) => {
                ends.note(event.room, None, event.at);
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
    let mut calls = write::calls(&plan, &HashSet::new(), &HashMap::new(), None)?;
    calls.retain(|call| call.sql != REGISTRY && call.sql != MARK_RULES);
    calls.extend(ends.call());
    calls.extend((!cursors.is_empty()).then(|| put_cursors(&cursors)));
    calls.extend((!letters.is_empty()).then(|| put_letters(&letters.iter().collect::<Vec<_>>())));
    Ok(calls)
}

/// Where the logs of rooms end, as far as a part says it.
#[derive(Default)]
struct Ends(BTreeMap<RoomKey, (Option<Counters>, Timestamp)>);

impl Ends {
    fn note(&mut self, room: RoomKey, counters: Option<Counters>, at: Timestamp) {
        let end = self.0.entry(room).or_insert((None, at));
        *end = (counters.or(end.0), end.1.max(at));
    }

    fn call(self) -> Option<Call> {
        if self.0.is_empty() {
            return None;
        }
        let apps: Vec<Uuid> = self.0.keys().map(|room| numbers::app(room.app)).collect();
        let rooms: Vec<i64> = self.0.keys().map(|room| numbers::room(room.id)).collect();
        let seqs: Vec<Option<i64>> =
            self.0.values().map(|(end, _)| end.map(|end| numbers::seq(end.seq))).collect();
        let members: Vec<Option<i64>> =
            self.0.values().map(|(end, _)| end.map(|end| end.members.into())).collect();
        let times: Vec<i64> = self.0.values().map(|(_, at)| at.as_millis()).collect();
        Some(call!(END_LOGS, apps, rooms, seqs, members, times))
    }
}
