//! Calls of all kinds, mixed so that as many members are added as are removed.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use super::load::{self, Latencies, Pace, Plan, Refused};
use super::requests::Requests;
use super::world::{Membership, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Removal,
    Addition,
    List,
    Details,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Removal, Self::Addition, Self::List, Self::Details];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Removal => "removal",
            Self::Addition => "addition",
            Self::List => "list of 100 members",
            Self::Details => "details of a room",
        }
    }
}

/// The kinds of so many calls that follow each other: nine removals, nine additions, a list and details.
const TURN: usize = 20;
const CHANGES: usize = 9;

fn kind(call: usize) -> Kind {
    match call % TURN {
        8 => Kind::List,
        19 => Kind::Details,
        turn if turn % 2 == 0 => Kind::Removal,
        _ => Kind::Addition,
    }
}

/// Steps of mixed calls. What one step removes, the next adds, so no call depends on another of its step.
pub(crate) struct Mix {
    /// Whole turns of a step.
    turns: usize,
    /// Who was removed and comes back in the next step.
    out: Vec<Membership>,
    seed: u64,
}

/// The calls of a step, in their order.
pub(crate) struct Step {
    requests: Requests,
    kinds: Vec<Kind>,
}

impl Mix {
    /// Steps of about so many calls. Removes, untimed, whom the first step adds.
    pub(crate) fn begin(world: &World, calls: usize) -> Result<Self> {
        let (turns, changes) = (calls / TURN, calls / TURN * CHANGES);
        ensure!(turns > 0, "a step has at least {TURN} calls");
        ensure!(calls <= Self::most(world), "a step of {calls} calls needs more members");
        let out = world.choose(changes, 0);
        world.remove(&out)?;
        Ok(Self { turns, out, seed: 0 })
    }

    /// The most calls that a step may have: half of the members are in, and may leave, while the others may come.
    pub(crate) fn most(world: &World) -> usize {
        world.removable() / (2 * CHANGES) * TURN
    }

    pub(crate) fn next(&mut self, world: &World) -> Step {
        self.seed += 1;
        let back = std::mem::take(&mut self.out);
        let absent: HashSet<_> = back.iter().copied().collect();
        let chosen = world.choose(2 * back.len(), self.seed).into_iter();
        self.out = chosen.filter(|member| !absent.contains(member)).take(back.len()).collect();
        let rooms = world.choose(2 * self.turns, self.seed);
        let (mut removed, mut added, mut looked_at) = (self.out.iter(), back.iter(), rooms.iter());
        let mut step = Step { requests: Requests::default(), kinds: Vec::new() };
        for kind in (0..self.turns * TURN).map(kind) {
            let next = match kind {
                Kind::Removal => removed.next(),
                Kind::Addition => added.next(),
                Kind::List | Kind::Details => looked_at.next(),
            };
            let Some(next) = next else { continue };
            match kind {
                Kind::Removal => world.push_removal(&mut step.requests, *next),
                Kind::Addition => world.push_addition(&mut step.requests, *next),
                Kind::List => world.push_list(&mut step.requests, next.room),
                Kind::Details => world.push_details(&mut step.requests, next.room),
            }
            step.kinds.push(kind);
        }
        step
    }

    /// Adds, untimed, whom the last step removed.
    pub(crate) fn end(self, world: &World) -> Result<()> {
        world.add(&self.out)
    }
}

/// What a step measured.
pub(crate) struct Stepped {
    pub(crate) per_second: f64,
    all: Latencies,
    kinds: [Latencies; Kind::ALL.len()],
}

impl Stepped {
    /// A quantile of all latencies, in microseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        self.all.quantile(quantile)
    }

    pub(crate) fn of(&self, kind: Kind) -> &Latencies {
        &self.kinds[kind as usize]
    }

    /// Which part of all calls were of this kind.
    pub(crate) fn share(&self, kind: Kind) -> f64 {
        self.of(kind).count() as f64 / self.all.count().max(1) as f64
    }
}

impl Step {
    /// Makes the calls.
    ///
    /// # Errors
    ///
    /// An answer that is not 200 makes the step invalid.
    pub(crate) fn run(&self, world: &World, connections: usize, pace: Pace) -> Result<Stepped> {
        let mut kinds = [Latencies::new()?, Latencies::new()?, Latencies::new()?, Latencies::new()?];
        let mut all = Latencies::new()?;
        let mut refused = Refused::default();
        let plan = Plan { connections, pace, at_most: None };
        let ran = load::watch(world.peer.address, plan, &self.requests, |answer| {
            all.record(answer.micros);
            if refused.is_good(answer)
                && let Some(kind) = self.kinds.get(answer.request)
            {
                kinds[*kind as usize].record(answer.micros);
            }
        })?;
        refused.none_of(ran.sent)?;
        Ok(Stepped { per_second: ran.sent as f64 / ran.elapsed().as_secs_f64(), all, kinds })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{CHANGES, Kind, Mix, TURN, kind};
    use crate::bench::requests::Peer;
    use crate::bench::world::{Size, World};

    #[test]
    fn a_turn_adds_as_many_as_it_removes() {
        let count = |wanted| (0..TURN).filter(|call| kind(*call) == wanted).count();
        assert_eq!(Kind::ALL.map(count), [CHANGES, CHANGES, 1, 1]);
    }

    #[test]
    fn a_step_adds_whom_the_one_before_removed_and_removes_others() {
        let peer = Peer { address: ([127, 0, 0, 1], 80).into(), token: "t".to_owned() };
        let world = World::pretended(peer, Size::of(2_000, 20).unwrap());
        let mut mix = Mix { turns: 50, out: world.choose(450, 0), seed: 0 };
        let mut out: BTreeSet<_> = mix.out.iter().copied().collect();
        for _ in 0..5 {
            let step = mix.next(&world);
            let of_step: BTreeSet<_> = mix.out.iter().copied().collect();
            assert_eq!((of_step.len(), of_step.intersection(&out).count()), (450, 0));
            let mut calls = BTreeMap::<&str, usize>::new();
            for index in 0..step.requests.len() {
                let text = str::from_utf8(step.requests.get(index).unwrap()).unwrap();
                *calls.entry(text.split(' ').next().unwrap()).or_default() += 1;
            }
            assert_eq!(calls, [("DELETE", 450), ("GET", 100), ("POST", 450)].into());
            out = of_step;
        }
    }
}
