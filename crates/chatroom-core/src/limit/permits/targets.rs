/// How many slots each node should hold of `limit`, for what each was asked for, in the same order.
///
/// If there is enough for all, each gets what it is asked for, and of the rest an equal part, of which one is left in
/// the pool for the next node. If there is not, each gets its part in proportion, and at least one while there are
/// enough; with more nodes that are asked than slots, some get none.
pub(super) fn targets(limit: u32, demands: &[u32]) -> Vec<u32> {
    let wanted: u64 = demands.iter().map(|demand| u64::from(*demand)).sum();
    if wanted < u64::from(limit) {
        let rest = u64::from(limit) - wanted;
        let part = u32::try_from(rest / (demands.len() as u64 + 1)).unwrap_or(u32::MAX);
        return demands.iter().map(|demand| demand + part).collect();
    }
    let exact = |demand: &u32| u64::from(limit) * u64::from(*demand);
    let mut targets: Vec<u32> =
        demands.iter().map(|demand| u32::try_from(exact(demand) / wanted.max(1)).unwrap_or(limit)).collect();
    // What rounding down left goes to those that lost most by it.
    let mut left = limit - targets.iter().sum::<u32>().min(limit);
    let mut order: Vec<usize> = (0..demands.len()).collect();
    let lost = |index: &usize| demands.get(*index).map_or(0, |demand| exact(demand) % wanted.max(1));
    order.sort_by_key(|index| std::cmp::Reverse(lost(index)));
    for index in order {
        if let Some(target) = targets.get_mut(index)
            && left > 0
        {
            *target += 1;
            left -= 1;
        }
    }
    feed(&mut targets, demands);
    targets
}

/// Gives those that are asked and have nothing one of those that have most.
fn feed(targets: &mut [u32], demands: &[u32]) {
    for index in 0..targets.len() {
        let starves = targets.get(index) == Some(&0) && demands.get(index).is_some_and(|demand| *demand > 0);
        let richest = targets.iter().copied().max().unwrap_or_default();
        if !starves || richest < 2 {
            continue;
        }
        if let Some(rich) = targets.iter_mut().find(|target| **target == richest) {
            *rich -= 1;
        }
        if let Some(poor) = targets.get_mut(index) {
            *poor = 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn where_there_is_enough_one_part_of_the_rest_stays_for_the_next_node() {
        assert_eq!(targets(100, &[1]), [50]);
        assert_eq!(targets(100, &[40, 0]), [60, 20]);
    }

    #[test]
    fn nodes_that_press_share_in_proportion() {
        assert_eq!(targets(100, &[1_000, 1_000, 1_000]), [34, 33, 33]);
        assert_eq!(targets(100, &[300, 100]), [75, 25]);
    }

    #[test]
    fn a_node_that_is_asked_little_is_not_left_without_a_slot_by_one_that_is_asked_much() {
        assert_eq!(targets(100, &[1_000_000, 1, 0]), [99, 1, 0]);
    }

    #[test]
    fn with_fewer_slots_than_nodes_that_press_some_get_none() {
        assert_eq!(targets(1, &[5, 6]).iter().sum::<u32>(), 1);
    }

    proptest! {
        #[test]
        fn targets_that_are_pressed_for_are_all_slots_and_others_never_more(
            limit in 1_u32..500,
            demands in prop::collection::vec(0_u32..2_000, 1..8),
        ) {
            let targets = targets(limit, &demands);
            let sum: u32 = targets.iter().sum();
            prop_assert!(sum <= limit);
            if demands.iter().sum::<u32>() >= limit {
                prop_assert_eq!(sum, limit);
            } else {
                prop_assert!(targets.iter().zip(&demands).all(|(target, demand)| target >= demand));
            }
        }
    }
}
