//! A round of removals: the unit of most benchmarks.

use anyhow::{Context as _, Result};

use super::load::{self, Measured, Pace};
use super::world::World;

/// A server with its rooms.
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) world: World,
    /// Whether it stores anything: what was removed from it has to be put back.
    pub(crate) stores: bool,
}

impl Subject {
    /// Removes members that the seed chooses, one a call, and puts them back afterwards, untimed.
    pub(crate) fn round(
        &self,
        connections: usize,
        pace: Pace,
        removals: usize,
        seed: u64,
    ) -> Result<Measured> {
        let chosen = self.world.choose(removals, seed);
        let requests = self.world.removals(&chosen, 1);
        let measured = load::run(self.world.peer.address, connections, pace, &requests, |_, _| {})
            .with_context(|| format!("{}, {connections} connections", self.name))?;
        if self.stores {
            self.world.add(&chosen).with_context(|| format!("{}: putting back", self.name))?;
        }
        Ok(measured)
    }
}

/// The subjects in another order each time, so that none is always the one after the slowest.
pub(crate) fn in_turn<T>(all: &[T], round: usize) -> impl Iterator<Item = (usize, &T)> {
    let first = round % all.len().max(1);
    all.iter().enumerate().cycle().skip(first).take(all.len())
}

#[cfg(test)]
mod tests {
    use super::in_turn;

    #[test]
    fn everybody_has_a_turn_in_every_round() {
        let order = |round| in_turn(&["a", "b", "c"], round).map(|(_, name)| *name).collect::<String>();
        assert_eq!([0, 1, 2, 3].map(order), ["abc", "bca", "cab", "abc"]);
        assert_eq!(in_turn::<u8>(&[], 1).count(), 0);
    }
}
