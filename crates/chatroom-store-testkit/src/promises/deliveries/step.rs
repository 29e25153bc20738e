//! The steps of a random history of deliveries: two rules and three rooms, so that they meet.

use proptest::prelude::*;

pub(super) const ROOMS: usize = 3;
pub(super) const RULES: usize = 2;

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Something happens in this room.
    Change(usize),
    /// So many leases of so many events.
    Lease(usize, usize),
    /// The lease in this place of those in hand: so many events are done, and then this.
    Settle(usize, usize, Then),
    /// So many milliseconds pass.
    Pass(u64),
    /// This rule is turned on or off.
    Switch(usize, bool),
    /// This rule is told a run of this room again.
    Replay(usize, usize, u64, u64),
    /// The store is restarted.
    Restart,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Then {
    Go,
    /// The next event failed, and is tried again after so many milliseconds.
    Retry(i64),
    Bury,
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![2 => Just(Then::Go), 2 => (0..40_000_i64).prop_map(Then::Retry), 1 => Just(Then::Bury)]
}

/// Any step; a restart only where there may be one.
pub(super) fn any(restarts: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..ROOMS).prop_map(Step::Change),
        6 => (1..4_usize, 1..4_usize).prop_map(|(leases, events)| Step::Lease(leases, events)),
        6 => (0..4_usize, 0..4_usize, then()).prop_map(|(which, done, then)| Step::Settle(which, done, then)),
        2 => (1..40_000_u64).prop_map(Step::Pass),
        1 => (0..RULES, proptest::arbitrary::any::<bool>()).prop_map(|(rule, on)| Step::Switch(rule, on)),
        1 => (0..RULES, 0..ROOMS, 1..9_u64, 1..9_u64)
            .prop_map(|(rule, room, a, b)| Step::Replay(rule, room, a.min(b), a.max(b))),
        1 => Just(if restarts { Step::Restart } else { Step::Lease(3, 3) }),
    ]
}
