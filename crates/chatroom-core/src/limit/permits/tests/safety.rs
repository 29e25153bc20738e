//! Never more than the limit in any rolling second, whatever happens.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::LEASE;
use super::check::most;
use super::network::{LOST, Trouble, World};
use super::node::Node;

#[derive(Debug, Clone)]
enum Event {
    Start { rate: u64 },
    Kill(usize),
    Leave(usize),
    Press { node: usize, rate: u64 },
    Stall { node: usize, millis: u64 },
    FailOver { lost: u64, down: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    let (node, rate) = (0_usize..4, 0_u64..300);
    prop_oneof![
        2 => rate.clone().prop_map(|rate| Event::Start { rate }),
        2 => node.clone().prop_map(Event::Kill),
        1 => node.clone().prop_map(Event::Leave),
        4 => (node.clone(), rate).prop_map(|(node, rate)| Event::Press { node, rate }),
        2 => (node, 0_u64..6_000).prop_map(|(node, millis)| Event::Stall { node, millis }),
        2 => (0_u64..=LOST, 1_u64..5_000).prop_map(|(lost, down)| Event::FailOver { lost, down }),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let seldom = || prop_oneof![Just(0_u32), 1_u32..100];
    (seldom(), seldom(), seldom(), 0_u64..150).prop_map(|(lost, unheard, late, slow)| Trouble {
        lost,
        unheard,
        late,
        slow,
    })
}

/// Plays it, and answers the calls that were admitted.
async fn play(seed: u64, slots: u32, trouble: Trouble, events: &[(u64, Event)]) -> Vec<u64> {
    let world = World::new(seed, trouble);
    let mut nodes: Vec<_> = (1..=3).map(|id| Node::start(&world, id, slots, 150)).collect();
    let (mut id, mut settled) = (3, Instant::now());
    for (wait, event) in events {
        sleep(Duration::from_millis(*wait)).await;
        match event {
            Event::Start { rate } => {
                // A node that starts just after a failover that lost writes cannot know of it.
                sleep_until(settled).await;
                id += 1;
                nodes.push(Node::start(&world, id, slots, *rate));
            }
            Event::Kill(node) if *node < nodes.len() => drop(nodes.swap_remove(*node)),
            Event::Leave(node) if *node < nodes.len() => nodes.swap_remove(*node).leave().await,
            Event::Press { node, rate } if *node < nodes.len() => nodes[*node].press(*rate),
            Event::Stall { node, millis } if *node < nodes.len() => nodes[*node].stall(*millis),
            Event::FailOver { lost, down } => {
                settled = Instant::now() + LEASE + Duration::from_secs(1);
                world.fail_over(*lost, *down).await;
            }
            Event::Kill(_) | Event::Leave(_) | Event::Press { .. } | Event::Stall { .. } => {}
        }
    }
    sleep(Duration::from_secs(3)).await;
    world.admitted.lock().unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decision_18_no_rolling_second_admits_more_than_its_slots_over_all_nodes(
        seed in any::<u64>(),
        slots in prop_oneof![Just(1_u32), 2_u32..20, Just(100_u32)],
        trouble in trouble(),
        events in prop::collection::vec((0_u64..3_000, event()), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let admitted = runtime.block_on(play(seed, slots, trouble, &events));
        // Clocks of the nodes may be fast by 500 parts in a million.
        let most = most(&admitted, 999_000);
        prop_assert!(most <= slots as usize, "{most} of {slots}");
    }
}

#[test]
fn a_node_that_was_taken_for_dead_before_a_failover_forgot_it_does_not_go_on_with_what_it_held() {
    let trouble = Trouble { slow: 62, ..Trouble::default() };
    let events = [
        (115, Event::FailOver { lost: 114, down: 718 }),
        (718, Event::Press { node: 0, rate: 114 }),
        (69, Event::Stall { node: 1, millis: 3_680 }),
        (1_769, Event::Press { node: 2, rate: 7 }),
        (1_934, Event::FailOver { lost: 691, down: 1_288 }),
    ];
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let admitted = runtime.block_on(play(1_703_149_025_643_818_961, 1, trouble, &events));
    assert_eq!(most(&admitted, 999_000), 1);
}
