use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::held::{Held, View};
use super::roster::Watched;
use super::{
    BEAT, HELD, LimitKey, Look, NodeId, PATIENCE, Pulse, QUIET, Seen, Stamp, Swap, WINDOW, by_another_clock,
};
use crate::limit::Permit;

/// The slots that this node holds, of all limits, and what it does to hold as many as it should.
///
/// [`SharedLimit::admit`] is asked for each call and waits for nobody. One task calls [`SharedLimit::refresh`] every
/// [`REFRESH`](super::REFRESH), and [`SharedLimit::refill`] when a call has to look; never two of them at once. All
/// times are in microseconds of one clock that never goes back.
#[derive(Debug)]
pub struct SharedLimit(Mutex<State>);

/// What a call is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It may go on, or has to wait for its turn.
    Known(Permit),
    /// This node holds no slot, and others may not need theirs: refill, then ask with [`SharedLimit::admit_again`].
    Look(Ticket),
    /// It cannot be said now, because the ledger is away or was a moment ago. Nothing was admitted.
    Unknown,
}

/// A call that waits for a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    key: LimitKey,
    round: u64,
}

impl Ticket {
    /// The round of looks that is the first to know of this call.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }
}

/// Whether what is written can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Full,
    /// After a failure: until then others may hold more than is written.
    From(u64),
    /// Nothing was read since a failure.
    None,
}

/// Which limits a round looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    /// Those for which calls wait.
    Waiting,
    These(Vec<LimitKey>),
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// It took so long that it may hide a failure.
    Late,
    /// This node was taken for dead, and has to begin anew.
    Rejoin,
    Remove(Vec<Pulse>),
    /// Perhaps none.
    Swap(Vec<Swap>),
}

#[derive(Debug)]
pub(super) struct State {
    me: NodeId,
    joined: bool,
    leaving: bool,
    trust: Trust,
    /// The latest time that anybody has named.
    now: u64,
    lease_ends: u64,
    beat: u64,
    beat_due: u64,
    last_look: Option<u64>,
    stamps: u64,
    watched: Watched,
    limits: BTreeMap<LimitKey, Held>,
    /// Rounds of looks that have begun, and the last that has ended.
    begun: u64,
    ended: u64,
}

impl SharedLimit {
    /// Begins with nothing, as a node of this id.
    #[must_use]
    pub fn new(me: NodeId) -> Self {
        Self(Mutex::new(State {
            me,
            joined: false,
            leaving: false,
            trust: Trust::Full,
            now: 0,
            lease_ends: 0,
            beat: 0,
            beat_due: 0,
            last_look: None,
            stamps: 0,
            watched: Watched::default(),
            limits: BTreeMap::new(),
            begun: 0,
            ended: 0,
        }))
    }

    /// Asks for one call of a limit that has so many slots over all nodes.
    pub fn admit(&self, key: LimitKey, slots: u32, now: u64) -> Admission {
        let mut state = self.state();
        let now = state.at(now);
        let held = state.limits.entry(key).or_default();
        held.call(slots, now);
        state.take(key, now, true)
    }

    /// Asks again for a call, after the round that it waited for has ended.
    pub fn admit_again(&self, ticket: Ticket, now: u64) -> Admission {
        let mut state = self.state();
        let now = state.at(now);
        state.take(ticket.key, now, false)
    }

    /// The last round of looks that has ended, well or not.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.state().ended
    }

    /// Admits nothing from now on, and answers when all slots will be cold, so that the node may
    /// [`depart`](Self::depart) and the others have them at once.
    pub fn leave(&self, now: u64) -> u64 {
        let mut state = self.state();
        state.leaving = true;
        // Not from the last use on: of slots that were given away in vain that is forgotten.
        state.at(now) + by_another_clock(WINDOW) + 1
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing here panics between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn at(&mut self, now: u64) -> u64 {
        self.now = self.now.max(now);
        self.now
    }

    fn take(&mut self, key: LimitKey, now: u64, may_look: bool) -> Admission {
        let Some(held) = self.limits.get_mut(&key) else { return Admission::Unknown };
        if self.leaving {
            return Admission::Unknown;
        }
        let leased = now < self.lease_ends;
        let permit = if leased {
            held.take(now)
        } else {
            Permit::Exhausted { retry_after: Duration::from_micros(WINDOW) }
        };
        if matches!(permit, Permit::Admitted { .. }) {
            return Admission::Known(permit);
        }
        let may_gain = held.miss();
        match self.trust {
            Trust::None if !leased => Admission::Unknown,
            Trust::None | Trust::From(_) if held.slots.held() == 0 => Admission::Unknown,
            Trust::None | Trust::From(_) => Admission::Known(permit),
            Trust::Full if may_look && (may_gain || !leased) => {
                Admission::Look(Ticket { key, round: self.begun + 1 })
            }
            Trust::Full if !leased => Admission::Unknown,
            Trust::Full => Admission::Known(permit),
        }
    }

    pub(super) fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    pub(super) fn end(&mut self, round: u64, well: bool) {
        self.ended = round;
        if !well {
            (self.trust, self.beat_due) = (Trust::None, 0);
            self.watched.forget();
        }
    }

    /// The id to enter into the roster, if this node has yet to.
    pub(super) fn joining(&self) -> Option<NodeId> {
        (!self.joined).then_some(self.me)
    }

    pub(super) fn joined(&mut self) {
        // The first beat brings the lease.
        (self.joined, self.beat_due) = (true, 0);
    }

    /// This node as the roster has it.
    pub(super) fn pulse(&self) -> Pulse {
        Pulse { node: self.me, beat: self.beat }
    }

    pub(super) fn look(&mut self, scope: &Scope, now: u64) -> Look {
        let now = self.at(now);
        let keys = match scope {
            Scope::All => self.limits.keys().copied().collect(),
            Scope::Waiting => {
                self.limits.iter().filter(|(_, held)| held.waits()).map(|(key, _)| *key).collect()
            }
            Scope::These(keys) => keys.clone(),
        };
        // A lease is only renewed by a look at all that it is for.
        let beats = *scope == Scope::All && now >= self.beat_due;
        if beats {
            self.beat += 1;
            self.beat_due = now + BEAT;
        }
        Look { beat: beats.then(|| self.pulse()), keys }
    }

    /// Takes in what was read by a look that was sent at `sent`.
    pub(super) fn seen(&mut self, look: &Look, sent: u64, seen: &Seen, scope: &Scope, now: u64) -> Move {
        let now = self.at(now);
        if now.saturating_sub(sent) > PATIENCE {
            return Move::Late;
        }
        let silent = self.last_look.is_some_and(|last| now.saturating_sub(last) > PATIENCE);
        self.last_look = Some(now);
        match self.trust {
            Trust::None => self.trust = Trust::From(now + QUIET),
            _ if silent => self.doubt(now),
            Trust::From(then) if now > then => self.trust = Trust::Full,
            Trust::From(_) | Trust::Full => {}
        }
        let is_known = seen.roster.iter().any(|pulse| pulse.node == self.me);
        // From then on others may have had our slots, also if a failover has lost that.
        if !is_known || now >= self.lease_ends + WINDOW {
            self.limits.values_mut().for_each(Held::lose);
        }
        if !is_known {
            (self.me, self.joined, self.lease_ends) = (self.me.next(), false, 0);
            return Move::Rejoin;
        }
        let me = self.me;
        for (key, shares) in look.keys.iter().zip(&seen.shares) {
            if self.limits.get_mut(key).is_some_and(|held| held.lower(shares, me)) {
                self.doubt(now);
            }
        }
        if look.beat.is_some() {
            self.lease_ends = sent + HELD;
        }
        let dead = self.watched.note(&seen.roster, me, now);
        if !dead.is_empty() {
            return Move::Remove(dead);
        }
        let regular = *scope == Scope::All;
        let view = View { me, roster: &seen.roster, grows: self.trust == Trust::Full, regular, now };
        let mut swaps = Vec::new();
        for (key, shares) in look.keys.iter().zip(&seen.shares) {
            let Some(held) = self.limits.get_mut(key) else { continue };
            let stamp = Stamp { node: me, count: self.stamps + 1 };
            if let Some(swap) = held.settle(*key, shares, view, || stamp) {
                self.stamps += 1;
                swaps.push(swap);
            } else if held.is_over(now) {
                self.limits.remove(key);
            }
        }
        Move::Swap(swaps)
    }

    /// Takes in what became of the swaps, and answers which have to be planned again.
    pub(super) fn swapped(&mut self, swaps: &[Swap], made: &[bool]) -> Vec<LimitKey> {
        let mut again = Vec::new();
        for (swap, made) in swaps.iter().zip(made) {
            if let Some(held) = self.limits.get_mut(&swap.key) {
                held.sent(*made);
            }
            if !made {
                again.push(swap.key);
            }
        }
        again
    }

    fn doubt(&mut self, now: u64) {
        self.trust = Trust::From(now + QUIET);
        self.watched.forget();
    }
}
