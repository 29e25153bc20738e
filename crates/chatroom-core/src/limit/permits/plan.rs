use std::cmp::Reverse;

use super::targets::targets;
use super::{Holder, NodeId};

/// What a node knows of itself when it plans.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mine {
    pub(super) node: NodeId,
    /// The slots of the limit.
    pub(super) limit: u32,
    /// Calls in about a second.
    pub(super) demand: u32,
    /// Calls since the last look that found no slot.
    pub(super) unmet: u32,
    /// Slots that it counts on, and how many of them are cold.
    pub(super) held: u32,
    pub(super) cold: u32,
    /// Whether it may have more than it counts on now.
    pub(super) grows: bool,
    /// Whether it has seen no slots go from one node to another for a second.
    pub(super) gives: bool,
    /// Whether there were no calls for long.
    pub(super) idle: bool,
}

/// What a record becomes, and what that means for the slots of who writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Plan {
    pub(super) holders: Vec<Holder>,
    /// Taken from the pool.
    pub(super) cold: u32,
    /// The writer's since a write of which it did not know whether it was made.
    pub(super) claim: u32,
    /// Given by others.
    pub(super) given: u32,
    /// Back to the pool: cold ones.
    pub(super) release: u32,
    /// Given to others, who wait a second.
    pub(super) give: u32,
    /// What the pool has after that.
    pub(super) pool: u32,
}

/// The part of a limit that nodes give in a second while calls press. What is on its way is used by nobody for as
/// long as a look takes, so this bounds what moving costs.
const MOVED: u32 = 25;
/// A part of a limit that is not worth a write.
const SMALL: u32 = 20;

/// Plans what to write. `alive` are the holders that are in the roster. What the `dead` held is cold, but not what
/// they were given: who may, takes that in their place. Answers what the record becomes, and whether writing it is
/// worth while.
pub(super) fn plan(mine: &Mine, alive: &[Holder], dead: &[Holder]) -> (Plan, bool) {
    let before = alive.iter().find(|holder| holder.node == mine.node).copied();
    let was = before.unwrap_or(Holder { node: mine.node, ..NOBODY });
    let mut others: Vec<Holder> = alive.iter().filter(|holder| holder.node != mine.node).copied().collect();
    let orphans: u32 = dead.iter().map(|holder| holder.given).sum();
    let inherits = mine.grows && !mine.idle;
    let mut next = Plan::default();
    if mine.idle && mine.cold == mine.held && have(&was) == mine.held {
        (next.release, next.holders) = (mine.held, others);
    } else {
        let mut me = Holder { demand: if is_news(mine, &was) { mine.demand } else { was.demand }, ..was };
        if mine.grows {
            next.claim = was.share - was.share.min(mine.held);
            next.given = was.given + if inherits { orphans } else { 0 };
            (me.share, me.given, me.rested) = (was.share + next.given, 0, 0);
        }
        let place = others.partition_point(|other| other.node < me.node);
        others.insert(place, me);
        let left = if inherits { 0 } else { orphans };
        let mut table = Table::of(mine.limit, others, place, left);
        table.take(mine, &mut next);
        table.let_go(mine, &mut next);
        next.holders = table.holders;
    }
    if !inherits {
        let given = dead.iter().filter(|holder| holder.given > 0);
        next.holders.extend(given.map(|holder| Holder { share: 0, demand: 0, ..*holder }));
        next.holders.sort_by_key(|holder| holder.node);
    }
    next.pool = mine.limit.saturating_sub(next.holders.iter().map(have).sum());
    let moved = next.cold + next.claim + next.given + next.release + next.give > 0;
    let after = next.holders.iter().find(|holder| holder.node == mine.node);
    let write = moved || after.map(|me| me.demand) != before.map(|was| was.demand);
    (next, write)
}

/// Who has what, and who should.
struct Table {
    holders: Vec<Holder>,
    targets: Vec<u32>,
    /// Where this node stands.
    place: usize,
    pool: u32,
    pressed: bool,
}

impl Table {
    fn of(limit: u32, holders: Vec<Holder>, place: usize, elsewhere: u32) -> Self {
        let demands: Vec<u32> = holders.iter().map(|holder| holder.demand).collect();
        let all = holders.iter().map(have).sum::<u32>() + elsewhere;
        Self {
            targets: targets(limit, &demands),
            pressed: demands.iter().sum::<u32>() >= limit,
            pool: limit.saturating_sub(all),
            holders,
            place,
        }
    }

    /// How much more than it has each node should have.
    fn lacking(&self) -> Vec<u32> {
        let each = self.holders.iter().zip(&self.targets);
        each.map(|(holder, target)| target.saturating_sub(have(holder))).collect()
    }

    fn me(&self) -> Holder {
        self.holders.get(self.place).copied().unwrap_or(NOBODY)
    }

    fn change(&mut self, change: impl FnMut(&mut Holder)) {
        self.holders.get_mut(self.place).into_iter().for_each(change);
    }

    /// Takes what this node should have from the pool; for calls that found nothing, what the others do not need, too.
    fn take(&mut self, mine: &Mine, next: &mut Plan) {
        let lacking = self.lacking();
        let lack = lacking.get(self.place).copied().unwrap_or_default();
        let wants = lack > mine.limit / SMALL || self.pressed || mine.unmet > 0 || self.me().share == 0;
        if !mine.grows || !wants {
            return;
        }
        let spare = self.pool.saturating_sub(lacking.iter().sum::<u32>() - lack);
        next.cold = self.pool.min(lack.max(mine.unmet.min(spare)));
        self.pool -= next.cold;
        self.change(|me| me.share += next.cold);
    }

    /// Lets go of what this node has too much: cold slots to the pool, hot ones to those who lack some.
    fn let_go(&mut self, mine: &Mine, next: &mut Plan) {
        let (me, lacking) = (self.me(), self.lacking());
        let target = self.targets.get(self.place).copied().unwrap_or_default();
        // What was just added cannot be let go of.
        let surplus = have(&me).saturating_sub(target).min(mine.held);
        let needed = lacking.iter().sum::<u32>().saturating_sub(self.pool);
        if next.cold > 0 || surplus <= self.worth_while(mine, needed) {
            return;
        }
        let may_give = self.may_give(mine);
        // Where calls press, a cold slot is one that the next call uses.
        let presses = mine.demand >= mine.held;
        next.release = surplus.min(if presses { mine.cold.min(may_give) } else { mine.cold });
        let may_give = if presses { may_give - next.release } else { may_give };
        let give = (surplus - next.release).min(needed.saturating_sub(next.release));
        next.give = self.hand_out(give.min(may_give), &lacking);
        self.change(|me| me.share -= next.release + next.give);
    }

    /// The surplus that is not worth a write.
    fn worth_while(&self, mine: &Mine, needed: u32) -> u32 {
        let others = self.holders.iter().enumerate().filter(|(index, _)| *index != self.place);
        match needed {
            0 => mine.limit / 8,
            _ if others.map(|(_, other)| have(other)).min() == Some(0) => 0,
            _ => mine.limit / SMALL,
        }
    }

    /// How many slots that may be hot may go now, of who has most too many: it is one at a time who gives.
    fn may_give(&self, mine: &Mine) -> u32 {
        let each = self.holders.iter().zip(&self.targets);
        let surplus = each.map(|(holder, target)| have(holder).saturating_sub(*target));
        let most = surplus.enumerate().max_by_key(|(index, surplus)| (*surplus, Reverse(*index)));
        if !mine.gives || most.is_none_or(|(index, _)| index != self.place) {
            return 0;
        }
        let moving: u32 = self.holders.iter().map(|holder| holder.given).sum();
        (mine.limit / MOVED).max(1).saturating_sub(moving)
    }

    /// Gives to who lacks most, and answers how many were given.
    fn hand_out(&mut self, most: u32, lacking: &[u32]) -> u32 {
        let mut left = most;
        let mut order: Vec<usize> = (0..self.holders.len()).filter(|index| *index != self.place).collect();
        order.sort_by_key(|index| Reverse(lacking.get(*index).copied()));
        for index in order {
            if let (Some(holder), Some(lack)) = (self.holders.get_mut(index), lacking.get(index)) {
                let part = left.min(*lack);
                holder.given += part;
                left -= part;
            }
        }
        most - left
    }
}

const NOBODY: Holder = Holder { node: NodeId(0), share: 0, given: 0, rested: 0, demand: 0 };

/// What a node has, with what it was given.
fn have(holder: &Holder) -> u32 {
    holder.share + holder.given
}

/// Whether the others should hear of a new demand.
fn is_news(mine: &Mine, was: &Holder) -> bool {
    let small = (was.demand / 8).max(mine.limit / SMALL).max(1);
    mine.demand.abs_diff(was.demand) > small || (was.demand == 0 && mine.demand > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId(1 << 16);
    const B: NodeId = NodeId(2 << 16);

    fn holder(node: NodeId, share: u32, given: u32, demand: u32) -> Holder {
        Holder { node, share, given, rested: 0, demand }
    }

    fn plan(mine: &Mine, alive: &[Holder]) -> (Plan, bool) {
        super::plan(mine, alive, &[])
    }

    fn mine(demand: u32, held: u32, cold: u32) -> Mine {
        Mine { node: A, limit: 100, demand, unmet: 0, held, cold, grows: true, gives: true, idle: false }
    }

    #[test]
    fn the_first_call_takes_half_and_leaves_half_for_the_next_node() {
        let (next, write) = plan(&mine(1, 0, 0), &[]);
        assert!(write);
        assert_eq!((next.holders, next.cold, next.pool), (vec![holder(A, 50, 0, 1)], 50, 50));
    }

    #[test]
    fn calls_that_found_nothing_take_what_nobody_else_needs() {
        let unmet = Mine { unmet: 90, ..mine(90, 50, 0) };
        let (next, _) = plan(&unmet, &[holder(A, 50, 0, 10), holder(B, 10, 0, 5)]);
        assert_eq!((next.cold, next.pool), (40, 0));
        let (next, _) = plan(&unmet, &[holder(A, 50, 0, 10), holder(B, 10, 0, 80)]);
        assert_eq!(next.cold, 3, "in proportion: 53 and 47");
    }

    #[test]
    fn what_was_given_is_added_and_is_hot() {
        let (next, write) = plan(&mine(100, 40, 0), &[holder(A, 40, 6, 100), holder(B, 54, 0, 100)]);
        assert!(write);
        assert_eq!((next.given, next.claim, next.cold), (6, 0, 0));
        assert_eq!(next.holders, [holder(A, 46, 0, 100), holder(B, 54, 0, 100)]);
    }

    #[test]
    fn what_a_dead_node_was_given_is_as_hot_as_when_it_was_given() {
        let (dead, alive) = ([holder(B, 20, 5, 100)], [holder(A, 75, 0, 100)]);
        let (next, _) = super::plan(&mine(100, 75, 0), &alive, &dead);
        assert_eq!((next.given, next.cold, next.pool), (5, 20, 0));
        assert_eq!(next.holders, [holder(A, 100, 0, 100)]);
        let wary = Mine { grows: false, ..mine(200, 75, 0) };
        let (next, _) = super::plan(&wary, &alive, &dead);
        assert_eq!((next.given, next.pool), (0, 20));
        assert_eq!(next.holders, [holder(A, 75, 0, 200), holder(B, 0, 5, 0)]);
    }

    #[test]
    fn a_share_that_is_more_than_counted_on_is_written_again_before_it_is_used() {
        let (next, write) = plan(&mine(100, 40, 0), &[holder(A, 50, 0, 100), holder(B, 50, 0, 100)]);
        assert!(write);
        assert_eq!((next.claim, next.holders.first()), (10, Some(&holder(A, 50, 0, 100))));
    }

    #[test]
    fn a_node_that_may_not_grow_takes_nothing_and_adds_nothing() {
        let wary = Mine { grows: false, unmet: 9, ..mine(100, 30, 0) };
        let (next, write) = plan(&wary, &[holder(A, 40, 6, 100)]);
        assert!(!write);
        assert_eq!((next.claim, next.given, next.cold), (0, 0, 0));
    }

    #[test]
    fn hot_slots_are_given_a_few_at_a_time() {
        let others = [holder(A, 100, 0, 100), holder(B, 0, 0, 100)];
        let (next, _) = plan(&mine(100, 100, 0), &others);
        assert_eq!((next.give, next.holders), (4, vec![holder(A, 96, 0, 100), holder(B, 0, 4, 100)]));
        let others = [holder(A, 96, 0, 100), holder(B, 0, 4, 100)];
        let (next, write) = plan(&mine(100, 96, 0), &others);
        assert!(!write && next.give == 0, "four are on their way");
        let waits = Mine { gives: false, ..mine(100, 96, 0) };
        assert_eq!(plan(&waits, &[holder(A, 96, 0, 100), holder(B, 4, 0, 100)]).0.give, 0);
    }

    #[test]
    fn who_has_most_too_many_gives_and_nobody_else() {
        let other = NodeId(3 << 16);
        let holders = |a, b| [holder(A, a, 0, 100), holder(B, b, 0, 100), holder(other, 0, 0, 200)];
        assert_eq!(plan(&mine(100, 60, 0), &holders(60, 40)).0.give, 4);
        assert_eq!(plan(&mine(100, 40, 0), &holders(40, 60)).0.give, 0);
    }

    #[test]
    fn cold_slots_that_others_need_go_to_the_pool() {
        let (next, _) = plan(&mine(10, 50, 40), &[holder(A, 50, 0, 10), holder(B, 50, 0, 200)]);
        assert_eq!((next.release, next.give, next.pool), (40, 4, 40));
        let (next, write) = plan(&mine(10, 36, 26), &[holder(A, 36, 0, 10), holder(B, 56, 0, 40)]);
        assert!(!write && next.release == 0, "nobody needs them");
    }

    #[test]
    fn one_slot_is_enough_for_a_node_that_has_none() {
        let (next, _) = plan(&mine(100, 100, 0), &[holder(A, 100, 0, 100), holder(B, 0, 0, 1)]);
        assert_eq!(next.give, 1);
    }

    #[test]
    fn a_limit_without_calls_goes_back_to_the_pool_when_it_is_cold() {
        let idle = Mine { idle: true, ..mine(0, 50, 50) };
        let (next, write) = plan(&idle, &[holder(A, 50, 0, 3)]);
        assert!(write);
        assert_eq!((next.holders, next.release, next.pool), (vec![], 50, 100));
        let hot = Mine { cold: 49, ..idle };
        assert_ne!(plan(&hot, &[holder(A, 50, 0, 3)]).0.release, 50);
    }

    #[test]
    fn a_small_change_is_not_written() {
        let (_, write) = plan(&mine(104, 50, 0), &[holder(A, 50, 0, 100), holder(B, 50, 0, 100)]);
        assert!(!write);
    }
}
