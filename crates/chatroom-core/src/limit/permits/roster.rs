use std::collections::BTreeMap;

use super::{NodeId, Pulse, QUIET};

/// The other nodes, and since when each beat of theirs has been seen, by our own clock.
#[derive(Debug, Default)]
pub(super) struct Watched(BTreeMap<NodeId, (u64, u64)>);

impl Watched {
    /// Notes what was read at `now`, and answers who is dead: nothing that it held has been used for a second, if it
    /// is still at this beat when it is removed.
    pub(super) fn note(&mut self, roster: &[Pulse], me: NodeId, now: u64) -> Vec<Pulse> {
        self.0.retain(|node, _| roster.iter().any(|pulse| pulse.node == *node));
        let mut dead = Vec::new();
        for pulse in roster.iter().filter(|pulse| pulse.node != me) {
            let (beat, since) = self.0.entry(pulse.node).or_insert((pulse.beat, now));
            if *beat != pulse.beat {
                (*beat, *since) = (pulse.beat, now);
            }
            if now.saturating_sub(*since) > QUIET {
                dead.push(*pulse);
            }
        }
        dead
    }

    /// What was seen before does not count any more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: NodeId = NodeId(0);
    const OTHER: NodeId = NodeId(1 << 16);

    fn seen(watched: &mut Watched, beat: u64, now: u64) -> Vec<Pulse> {
        watched.note(&[Pulse { node: ME, beat: 0 }, Pulse { node: OTHER, beat }], ME, now)
    }

    #[test]
    fn a_node_is_dead_a_lease_and_a_second_after_its_last_beat_was_first_seen() {
        let mut watched = Watched::default();
        assert_eq!(seen(&mut watched, 1, 0), []);
        assert_eq!(seen(&mut watched, 2, 3_000_000), []);
        assert_eq!(seen(&mut watched, 2, 3_000_000 + QUIET), []);
        assert_eq!(seen(&mut watched, 2, 3_000_001 + QUIET), [Pulse { node: OTHER, beat: 2 }]);
    }

    #[test]
    fn what_was_seen_before_a_failure_does_not_count() {
        let mut watched = Watched::default();
        seen(&mut watched, 1, 0);
        watched.forget();
        assert_eq!(seen(&mut watched, 1, QUIET + 1), []);
        assert_eq!(seen(&mut watched, 1, 2 * QUIET + 2).len(), 1);
    }

    #[test]
    fn a_beat_that_went_back_begins_anew() {
        let mut watched = Watched::default();
        seen(&mut watched, 5, 0);
        assert_eq!(seen(&mut watched, 4, QUIET), []);
        assert_eq!(seen(&mut watched, 4, QUIET + 1), []);
    }
}
