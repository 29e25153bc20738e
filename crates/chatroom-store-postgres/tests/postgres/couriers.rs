//! Who delivers, of several nodes.

use std::time::{Duration, Instant};

use chatroom_core::{
    Burial, CallbackLeases, Deliveries, Lease, LeaseRequest, Progress, RuleHealth, Seq, Settled, Settlement,
    Span,
};

use crate::database::{Database, connect};
use crate::world::{APP, Node, key, run};

const ALL: LeaseRequest = LeaseRequest { leases: 9, events: 9 };

async fn two() -> (Database, Node, Node) {
    let database = Database::new();
    let one = Node::of(&database, "one").await;
    one.make_app().await;
    let two = Node::of(&database, "two").await;
    (database, one, two)
}

async fn lease(node: &Node) -> Vec<Lease> {
    node.store.lease(ALL).await.expect("leases").leases
}

fn seqs(leases: &[Lease]) -> Vec<u64> {
    leases.iter().flat_map(|lease| &lease.events).map(|event| event.seq.0).collect()
}

fn took(lease: &Lease, events: usize) -> Settlement {
    let through = lease.events.iter().take(events).next_back().map(|event| event.seq);
    Settlement { lease: lease.id, through, taken: 1, then: Progress::Go }
}

async fn settle(node: &Node, settlement: Settlement) -> Settled {
    node.store.settle(vec![settlement]).await.expect("an answer")[0]
}

#[test]
fn what_one_node_writes_another_delivers_and_only_one_does() {
    run(async {
        let (_database, one, two) = two().await;
        one.rule("rule").await;
        let room = one.room("owner", &["a", "b"]).await;
        assert_eq!(seqs(&lease(&one).await), [0; 0], "the first that asks delivers the app");
        two.remove(room, "a").await.expect("a removal");
        assert_eq!(seqs(&lease(&two).await), [0; 0], "so the other does not");
        let held = lease(&one).await;
        assert_eq!(seqs(&held), [3]);
        assert_eq!(settle(&one, took(&held[0], 1)).await, Settled::Noted);
        two.remove(room, "b").await.expect("a removal");
        assert_eq!(seqs(&lease(&one).await), [4]);
    });
}

#[test]
fn when_a_courier_is_not_heard_of_another_goes_on_where_it_stood() {
    run(async {
        let (database, one, two) = two().await;
        one.rule("rule").await;
        let room = one.room("owner", &["a", "b", "c"]).await;
        for member in ["a", "b", "c"] {
            one.remove(room, member).await.expect("a removal");
        }
        let held = lease(&one).await;
        assert_eq!(seqs(&held), [3, 4, 5]);
        assert_eq!(settle(&one, took(&held[0], 1)).await, Settled::Noted);
        let held = lease(&one).await;
        assert_eq!(seqs(&held), [4, 5], "in hand when it falls silent");
        assert_eq!(seqs(&lease(&two).await), [0; 0], "its lease lasts");
        database.end_leases().await;
        let taken_over = lease(&two).await;
        assert_eq!(seqs(&taken_over), [4, 5]);
        assert_eq!(settle(&one, took(&held[0], 2)).await, Settled::Lost, "it is another's by now");
        assert_eq!(seqs(&lease(&one).await), [0; 0]);
        assert_eq!(settle(&two, took(&taken_over[0], 2)).await, Settled::Noted);
        assert_eq!(seqs(&lease(&two).await), [0; 0]);
    });
}

#[test]
fn what_retention_took_meanwhile_is_known_as_lost_also_if_taking_over_fails_at_first() {
    run(async {
        let (database, one, two) = two().await;
        let rule = one.rule("rule").await;
        let room = one.room("owner", &["a", "b"]).await;
        for member in ["a", "b"] {
            one.remove(room, member).await.expect("a removal");
        }
        assert_eq!(seqs(&lease(&one).await), [3, 4]);
        one.store.maintain().await.expect("where the room stands is stored");
        database.end_leases().await;
        database.execute("DELETE FROM events WHERE seq <= 3").await;
        let beside = connect(&database.url("beside")).await;
        beside.batch_execute("BEGIN; LOCK TABLE events").await.expect("a lock");
        two.store.lease(ALL).await.expect_err("the beginnings of logs cannot be read");
        beside.batch_execute("COMMIT").await.expect("the lock's end");
        // Long before the lease ends that it has by now.
        let taken_over = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let held = lease(&two).await;
                if !held.is_empty() {
                    break held;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert_eq!(seqs(&taken_over.await.expect("leases")), [4]);
        let lost = two.store.dead_letters(rule.id, None, 9).await.expect("dead letters");
        let lost: Vec<_> = lost.iter().map(|letter| (letter.span, letter.why.clone())).collect();
        assert_eq!(lost, [(Span { first: Seq(3), last: Seq(3) }, Burial::Trimmed)]);
    });
}

#[test]
fn a_lease_lasts_as_long_as_it_says_and_no_longer() {
    run(async {
        let (database, one, two) = two().await;
        one.rule("rule").await;
        let room = one.room("owner", &["a"]).await;
        one.remove(room, "a").await.expect("a removal");
        assert_eq!(seqs(&lease(&one).await), [3]);
        let left = Duration::from_millis(600);
        let since = Instant::now();
        database.execute("UPDATE couriers SET until = clock_timestamp() + interval '600 milliseconds'").await;
        while seqs(&lease(&two).await) != [3] {
            assert!(since.elapsed() < Duration::from_secs(20), "it never ends");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(since.elapsed() >= left, "taken {:?} after it had {left:?} left", since.elapsed());
        assert_eq!(seqs(&lease(&one).await), [0; 0], "whose lease ended, has lost it");
    });
}

#[test]
fn a_node_that_stops_leaves_its_apps_to_the_others_at_once() {
    run(async {
        let (_database, one, two) = two().await;
        one.rule("rule").await;
        let room = one.room("owner", &["a"]).await;
        one.remove(room, "a").await.expect("a removal");
        assert_eq!(seqs(&lease(&one).await), [3]);
        one.store.close().await;
        tokio::time::timeout(Duration::from_secs(5), async {
            while seqs(&lease(&two).await) != [3] {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("the app is free");
    });
}

#[test]
fn a_node_that_does_not_deliver_shows_how_deliveries_are_doing_and_takes_replays() {
    run(async {
        let (_database, one, two) = two().await;
        let rule = one.rule("rule").await;
        let room = one.room("owner", &["a", "b"]).await;
        one.remove(room, "a").await.expect("a removal");
        let held = lease(&one).await;
        assert_eq!(settle(&one, took(&held[0], 1)).await, Settled::Noted);
        one.remove(room, "b").await.expect("a removal");
        let dispatcher = tokio::spawn({
            let one = one.clone();
            async move {
                // It asks, and hands out nothing: the room that is behind stays behind.
                loop {
                    one.store.lease(LeaseRequest { leases: 0, events: 1 }).await.expect("an answer");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        tokio::time::timeout(Duration::from_secs(5), async {
            loop {
                let statuses = two.store.statuses(APP).await.expect("statuses");
                let status = statuses.first().expect("a status");
                assert_eq!((status.rule.id, status.health), (rule.id, RuleHealth::Delivering));
                if status.events_behind == 1 && status.last_success.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("the other node learns of it");
        let run = Span { first: Seq(1), last: Seq(9) };
        let again = two.store.replay(rule.id, vec![(key(room), run)]).await.expect("a replay");
        assert_eq!(again, 3, "what was told or passed over; the fourth is not told yet");
        dispatcher.abort();
        assert_eq!(seqs(&lease(&one).await), [1, 2, 3]);
    });
}
