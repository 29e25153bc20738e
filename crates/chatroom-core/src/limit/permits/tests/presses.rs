//! Never less than nine tenths of the limit while calls press.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::sleep;

use super::super::LEASE;
use super::check::{fewest, most};
use super::network::{Trouble, World};
use super::node::Node;

const SLOTS: u32 = 100;

fn world(slow: u64) -> Arc<World> {
    World::new(7, Trouble { slow, ..Trouble::default() })
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

/// Microseconds of these seconds.
fn span(seconds: Range<u64>) -> Range<u64> {
    seconds.start * 1_000_000..seconds.end * 1_000_000
}

#[track_caller]
fn presses(world: &World, during: Range<u64>) {
    presses_for(SLOTS, world, during);
}

#[track_caller]
fn presses_for(slots: u32, world: &World, during: Range<u64>) {
    let admitted = world.admitted.lock().unwrap();
    // Clocks of the nodes may be fast by 500 parts in a million.
    assert!(most(&admitted, 999_000) <= slots as usize, "more than the limit");
    let (count, from) = fewest(&admitted, during);
    assert!(count * 10 >= slots as usize * 9, "only {count} of {slots} in the second from {from}");
}

/// When the slots of a node that died now are used by others, at the latest: a lease and a second later.
fn after_its_lease(world: &World) -> u64 {
    world.time() + u64::try_from((LEASE + Duration::from_secs(1)).as_micros()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn three_nodes_that_press_evenly_have_the_whole_limit_from_the_first_second_on() {
    let world = world(20);
    let _nodes = [1, 2, 3].map(|id| Node::start(&world, id, SLOTS, 200));
    seconds(20).await;
    presses(&world, span(1..20));
}

#[tokio::test(start_paused = true)]
async fn three_nodes_that_press_unevenly_have_the_whole_limit() {
    let world = world(20);
    let _nodes = [(1, 30), (2, 100), (3, 2_000)].map(|(id, rate)| Node::start(&world, id, SLOTS, rate));
    seconds(20).await;
    presses(&world, span(2..20));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_comes_gets_its_part_and_the_limit_is_used_meanwhile() {
    let world = world(20);
    let one = Node::start(&world, 1, SLOTS, 300);
    seconds(5).await;
    let other = Node::start(&world, 2, SLOTS, 300);
    seconds(14).await;
    presses(&world, span(1..19));
    let before = world.admitted.lock().unwrap().len();
    drop(one);
    sleep(Duration::from_secs(1)).await;
    let part = world.admitted.lock().unwrap().len() - before;
    assert!((40..=60).contains(&part), "it had {part} of 100 when it was left alone");
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn when_calls_move_to_another_node_the_slots_follow() {
    let world = world(20);
    let [one, other, _third] = [1, 2, 3].map(|id| Node::start(&world, id, SLOTS, 300));
    seconds(5).await;
    one.press(0);
    other.press(600);
    seconds(5).await;
    presses(&world, span(1..5));
    presses(&world, span(7..10));
}

#[tokio::test(start_paused = true)]
async fn the_slots_of_a_dead_node_are_used_a_lease_and_a_second_after_it_died() {
    let world = world(20);
    let mut nodes: Vec<_> = (1..=3).map(|id| Node::start(&world, id, SLOTS, 200)).collect();
    sleep(Duration::from_millis(5_321)).await;
    drop(nodes.pop());
    let (died, again) = (world.time(), after_its_lease(&world));
    seconds(10).await;
    presses(&world, 1_000_000..died);
    presses(&world, again..world.time());
}

#[tokio::test(start_paused = true)]
async fn the_slots_of_a_node_that_left_are_used_at_once() {
    let world = world(20);
    let mut nodes: Vec<_> = (1..=3).map(|id| Node::start(&world, id, SLOTS, 200)).collect();
    seconds(5).await;
    nodes.pop().unwrap().leave().await;
    let left = world.time();
    seconds(5).await;
    assert!(left < 6_100_000, "it waits a second for its slots to be cold");
    presses(&world, left + 500_000..world.time());
}

#[tokio::test(start_paused = true)]
async fn a_failover_that_loses_nothing_takes_nobody_a_slot() {
    let world = world(20);
    let nodes = [1, 2, 3].map(|id| Node::start(&world, id, SLOTS, 200));
    seconds(5).await;
    world.fail_over(0, 1_500).await;
    seconds(10).await;
    presses(&world, span(1..16));
    assert_eq!(nodes.iter().map(Node::unknown).sum::<u64>(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nodes_that_press_have_nine_tenths_of_the_limit_whatever_their_parts_and_whichever_of_them_dies(
        seed in any::<u64>(),
        slots in 30_u32..300,
        parts in prop::collection::vec(1_u64..20, 2..6),
        slow in 0_u64..40,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let world = World::new(seed, Trouble { slow, ..Trouble::default() });
            // Whoever is left still presses.
            let whole: u64 = parts.iter().skip(1).sum();
            let rate = |part: u64| u64::from(slots) * 6 * part / whole + 2;
            let start = |(id, part): (usize, &u64)| Node::start(&world, id as u128 + 1, slots, rate(*part));
            let mut nodes: Vec<_> = parts.iter().enumerate().map(start).collect();
            seconds(6).await;
            drop(nodes.swap_remove(0));
            let (died, again) = (world.time(), after_its_lease(&world));
            seconds(8).await;
            presses_for(slots, &world, 2_000_000..died);
            presses_for(slots, &world, again..world.time());
        });
    }
}
