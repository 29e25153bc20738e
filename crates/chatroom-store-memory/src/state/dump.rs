//! The state in parts, for a snapshot that stops nobody for long.

use chatroom_core::{App, Counters, JoinOrder, Record, Room, RoomKey, Rule, Sweep, User, UserId, Write};

use super::{AppSlot, State};

/// A piece of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dumped {
    /// An app.
    App(App),
    /// A rule of callbacks.
    Rule(Rule),
    /// A user.
    User(User),
    /// A room and its counters.
    Room(Room, Counters),
    /// Some members of a room.
    Members(RoomKey, Vec<(UserId, JoinOrder)>),
    /// A sweep that is to be done.
    Sweep(Sweep),
}

/// Where the next part of a dump begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpCursor(Stage);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Apps,
    Users(usize),
    Rooms(usize),
    Members(usize, Option<JoinOrder>),
    Sweeps,
}

impl DumpCursor {
    /// At the beginning.
    #[must_use]
    pub fn start() -> Self {
        Self(Stage::Apps)
    }
}

impl State {
    /// A part of the state of about `budget` records (slots looked at, and members), and where the next part
    /// begins.
    ///
    /// What changes between two parts may be in the dump as it was before or after, or not at all. Loaded, with
    /// everything applied that was decided since the first part, it is the state as it is.
    #[must_use]
    pub fn dump(&self, from: DumpCursor, budget: usize) -> (Vec<Dumped>, Option<DumpCursor>) {
        let (part, next) = match from.0 {
            Stage::Apps => {
                // An app comes before its rules: they are kept with it.
                let rules =
                    |slot: &AppSlot| slot.rules.values().cloned().map(Dumped::Rule).collect::<Vec<_>>();
                let app = |slot: &AppSlot| std::iter::once(Dumped::App(slot.app.clone())).chain(rules(slot));
                (self.apps.values().flat_map(app).collect(), Some(Stage::Users(0)))
            }
            Stage::Users(from) => {
                let to = from.saturating_add(budget).min(self.users.slots());
                let users = (from..to).filter_map(|at| self.users.user(u32::try_from(at).ok()?));
                let users = users.map(Dumped::User).collect();
                (users, Some(if to < self.users.slots() { Stage::Users(to) } else { Stage::Rooms(0) }))
            }
            Stage::Rooms(from) => {
                let to = from.saturating_add(budget).min(self.rooms.slots());
                let slots = (from..to).filter_map(|at| self.rooms.get(u32::try_from(at).ok()?));
                let rooms = slots.map(|slot| Dumped::Room(slot.room.clone(), slot.counters)).collect();
                (
                    rooms,
                    Some(if to < self.rooms.slots() { Stage::Rooms(to) } else { Stage::Members(0, None) }),
                )
            }
            Stage::Members(room, after) => self.dump_members(room, after, budget),
            Stage::Sweeps => (self.sweeps.iter().copied().map(Dumped::Sweep).collect(), None),
        };
        (part, next.map(DumpCursor))
    }

    fn dump_members(
        &self,
        mut at: usize,
        mut after: Option<JoinOrder>,
        mut budget: usize,
    ) -> (Vec<Dumped>, Option<Stage>) {
        let mut parts = Vec::new();
        while at < self.rooms.slots() {
            if budget == 0 {
                return (parts, Some(Stage::Members(at, after)));
            }
            // An empty room counts as one, so that a part ends; a room with members always gives at least one.
            budget -= 1;
            let Some(slot) = u32::try_from(at).ok().and_then(|at| self.rooms.get(at)) else {
                (at, after) = (at + 1, None);
                continue;
            };
            let mut members = slot.members.ascending(after);
            let part: Vec<_> = members
                .by_ref()
                .take(budget.max(1))
                .filter_map(|(user, joined)| Some((self.users.id(user)?, joined)))
                .collect();
            budget = budget.saturating_sub(part.len());
            after = part.last().map(|(_, joined)| *joined).or(after);
            let more = members.next().is_some();
            if !part.is_empty() {
                parts.push(Dumped::Members(slot.room.key, part));
            }
            if !more {
                (at, after) = (at + 1, None);
            }
        }
        (parts, Some(Stage::Sweeps))
    }

    /// Takes in a piece of a dump.
    pub fn load(&mut self, dumped: Dumped) {
        match dumped {
            Dumped::App(app) => drop(self.apply(&Write::Put(Record::App(Box::new(app))))),
            Dumped::Rule(rule) => drop(self.apply(&Write::Put(Record::Rule(Box::new(rule))))),
            Dumped::User(user) => drop(self.apply(&Write::Put(Record::User(user)))),
            Dumped::Room(room, counters) => {
                let key = room.key;
                drop(self.apply(&Write::Put(Record::Room(room))));
                self.set_counters(&key, counters);
            }
            Dumped::Members(room, members) => {
                for (user, joined) in members {
                    let membership = chatroom_core::Membership { room, user, joined };
                    drop(self.apply(&Write::Put(Record::Membership(membership))));
                }
            }
            Dumped::Sweep(sweep) => drop(self.apply(&Write::Put(Record::Sweep(sweep)))),
        }
    }
}
