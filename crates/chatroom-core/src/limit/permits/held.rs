use super::demand::Demand;
use super::plan::{Mine, plan};
use super::slots::{Gone, Slots};
use super::{Holder, IDLE, LimitKey, NodeId, Pulse, Shares, Stamp, Swap, WINDOW};
use crate::limit::Permit;

/// What this node has and does of one limit.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) slots: Slots,
    limit: u32,
    demand: Demand,
    last_call: u64,
    /// Calls since the last look that found no slot.
    unmet: u32,
    /// A look showed that no further one brings slots.
    barren: bool,
    /// When slots were last seen to go from one node to another.
    moved: Option<u64>,
    /// A write on its way.
    pending: Option<Pending>,
}

/// What becomes true when a write was made, and what is taken back when it was not.
#[derive(Debug)]
struct Pending {
    cold: u32,
    claim: u32,
    /// How many were given, and how long they had rested.
    given: (u32, u32),
    /// When the record was read that the write replaces.
    read: u64,
    gone: [Gone; 2],
}

/// What a node knows when it has looked.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) me: NodeId,
    pub(super) roster: &'a [Pulse],
    /// Whether what is written can be believed, so that slots may be added.
    pub(super) grows: bool,
    /// Whether this look was not for the sake of a call that waits.
    pub(super) regular: bool,
    pub(super) now: u64,
}

impl Held {
    /// Counts a call.
    pub(super) fn call(&mut self, limit: u32, now: u64) {
        (self.limit, self.last_call) = (limit, now);
        self.demand.count(now);
    }

    /// Uses a slot, if there is one.
    pub(super) fn take(&mut self, now: u64) -> Permit {
        self.slots.take(now)
    }

    /// A call found no slot. Answers whether a look may help it.
    pub(super) fn miss(&mut self) -> bool {
        self.unmet = self.unmet.saturating_add(1);
        !self.barren
    }

    /// Whether a call waits for a look.
    pub(super) fn waits(&self) -> bool {
        self.unmet > 0 && !self.barren
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_over(&mut self, now: u64) -> bool {
        self.is_idle(now)
            && self.slots.held() == 0
            && self.pending.is_none()
            && self.slots.last_use().is_none()
    }

    fn is_idle(&self, now: u64) -> bool {
        now.saturating_sub(self.last_call) > IDLE
    }

    /// This node was taken for dead, or may have been: it has nothing.
    pub(super) fn lose(&mut self) {
        self.slots.lower(0);
        (self.pending, self.barren) = (None, false);
    }

    /// Counts on no more than is written. Answers whether that is less than this node was sure of, so that writes
    /// have been lost.
    pub(super) fn lower(&mut self, shares: &Shares, me: NodeId) -> bool {
        let written = shares.holders.iter().find(|holder| holder.node == me).map_or(0, |holder| holder.share);
        let lost = written < self.slots.held();
        self.slots.lower(written);
        lost
    }

    /// Plans what to write, and stops using at once what that takes away.
    pub(super) fn settle(
        &mut self,
        key: LimitKey,
        shares: &Shares,
        view: View<'_>,
        stamp: impl FnOnce() -> Stamp,
    ) -> Option<Swap> {
        // Whatever became of the last write, `lower` and the plan go by what is there now.
        self.pending = None;
        let is_alive = |holder: &Holder| view.roster.iter().any(|pulse| pulse.node == holder.node);
        let (alive, dead): (Vec<_>, Vec<_>) = shares.holders.iter().copied().partition(is_alive);
        let mine = Mine {
            node: view.me,
            limit: self.limit,
            demand: self.demand.of(view.now),
            unmet: self.unmet,
            held: self.slots.held(),
            cold: self.slots.cold(view.now),
            grows: view.grows,
            gives: self.moved.is_none_or(|moved| view.now.saturating_sub(moved) > WINDOW),
            idle: self.is_idle(view.now),
        };
        let (mut next, write) = plan(&mine, &alive, &dead);
        if next.release + next.give > 0 || alive.iter().any(|holder| holder.given > 0) {
            self.moved = Some(view.now);
        }
        self.unmet = 0;
        self.barren = next.pool == 0 || !(view.regular || next.cold > 0);
        if !write {
            return None;
        }
        let to_me = alive.iter().filter(|holder| holder.node == view.me).chain(&dead);
        let rested = to_me.filter(|holder| holder.given > 0).map(|holder| holder.rested).min();
        let gone = [self.slots.release(next.release, view.now), self.slots.give(next.give)];
        if next.give > 0 {
            let [_, given] = &gone;
            note_rest(&mut next.holders, &shares.holders, given.rested(view.now));
        }
        let given = (next.given, rested.unwrap_or_default());
        self.pending = Some(Pending { cold: next.cold, claim: next.claim, given, read: view.now, gone });
        Some(Swap { key, from: shares.stamp, to: Shares { stamp: Some(stamp()), holders: next.holders } })
    }

    /// The last write was made, or is known not to have been.
    pub(super) fn sent(&mut self, made: bool) {
        let Some(pending) = self.pending.take() else { return };
        if made {
            self.slots.add_cold(pending.cold);
            self.slots.add_hot(pending.claim, 0, pending.read);
            let (given, rested) = pending.given;
            self.slots.add_hot(given, rested, pending.read);
        } else {
            pending.gone.into_iter().for_each(|gone| self.slots.take_back(gone));
        }
    }
}

/// Notes for those that are given slots how long these have rested: as long as the one that has rested least.
fn note_rest(holders: &mut [Holder], before: &[Holder], rested: u32) {
    for holder in holders {
        let was = before.iter().find(|was| was.node == holder.node);
        let waiting = was.map_or(0, |was| was.given);
        if holder.given > waiting {
            holder.rested = if waiting == 0 { rested } else { holder.rested.min(rested) };
        }
    }
}
