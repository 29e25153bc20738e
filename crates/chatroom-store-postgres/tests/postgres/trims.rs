//! What becomes of deliveries when events are trimmed.

use std::time::Duration;

use chatroom_core::{Burial, CallbackLeases, CallbackOutbox, Deliveries, LeaseRequest, Rule, Seq, Span};
use chatroom_store_postgres::Options;

use crate::database::Database;
use crate::proxy::{Proxy, Then, Way};
use crate::world::{Node, key, run};

const ALL: LeaseRequest = LeaseRequest { leases: 9, events: 9 };

/// A node that keeps events for 100 seconds.
async fn forgetful(url: String) -> Node {
    let mut options = Options::new(url);
    options.keep = Duration::from_secs(100);
    Node::open(options).await
}

/// How many events the node hands out.
async fn leased(node: &Node) -> usize {
    let leases = node.store.lease(ALL).await.expect("leases").leases;
    leases.iter().map(|lease| lease.events.len()).sum()
}

/// What the rule's receiver will never be told.
async fn lost(node: &Node, rule: &Rule) -> Vec<Span> {
    let letters = node.store.dead_letters(rule.id, None, 9).await.expect("dead letters");
    letters.iter().filter(|letter| letter.why == Burial::Trimmed).map(|letter| letter.span).collect()
}

#[test]
fn what_was_trimmed_is_known_as_lost_also_if_the_answer_to_that_is_lost() {
    run(async {
        let database = Database::new();
        let proxy = Proxy::to(database.cluster()).await;
        let node = forgetful(database.url_by(proxy.url(), "cut")).await;
        node.make_app().await;
        let rule = node.rule("rule").await;
        let room = node.room("owner", &["a", "b"]).await;
        for member in ["a", "b"] {
            node.remove(room, member).await.expect("a removal");
        }
        assert_eq!(leased(&node).await, 2);
        node.store.maintain().await.expect("where the room stands is stored");
        node.clock.advance(120_000);
        // The only commit that there is anything left for.
        proxy.set(Way::LoseAnswer(Then::Open));
        node.store.maintain().await.expect_err("nobody knows");
        assert_eq!(database.number("SELECT count(*) FROM events").await, 0, "it was done");
        let all = Span { first: Seq(3), last: Seq(4) };
        let told = tokio::time::timeout(Duration::from_secs(5), async {
            while lost(&node, &rule).await != [all] {
                assert_eq!(leased(&node).await, 0);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        told.await.expect("it is known");
    });
}

#[test]
fn a_node_that_lost_an_app_takes_nothing_from_who_delivers_it_now() {
    run(async {
        let database = Database::new();
        let (one, two) = (forgetful(database.url("one")).await, forgetful(database.url("two")).await);
        one.make_app().await;
        let rule = one.rule("rule").await;
        let room = one.room("owner", &["a", "b"]).await;
        for member in ["a", "b"] {
            one.remove(room, member).await.expect("a removal");
        }
        assert_eq!(leased(&one).await, 2);
        one.store.maintain().await.expect("where the room stands is stored");
        database.end_leases().await;
        assert_eq!(leased(&two).await, 2);
        one.clock.advance(120_000);
        one.store.maintain().await.expect("retention");
        let left = one.store.events(&key(room), Seq(0), 9).await.expect("a log");
        assert_eq!(left.len(), 4, "it learns that it has lost the app before it takes anything");
        two.clock.advance(120_000);
        two.store.maintain().await.expect("retention");
        assert_eq!(two.store.events(&key(room), Seq(0), 9).await.expect("a log"), []);
        // It was in hand, so it is lost when nobody is waited for any more, and that is stored a turn later.
        for _ in 0..2 {
            assert_eq!(leased(&two).await, 0);
        }
        two.store.maintain().await.expect("retention");
        assert_eq!(lost(&two, &rule).await, [Span { first: Seq(3), last: Seq(4) }]);
    });
}

#[test]
fn who_asks_for_leases_does_not_wait_until_all_is_trimmed() {
    run(async {
        let database = Database::new();
        let node = forgetful(database.url("node")).await;
        node.make_app().await;
        node.room("owner", &["a"]).await;
        // Eight commits, of half a second each.
        let more = "INSERT INTO events \
                    SELECT app, room, seq + n, gen_random_uuid(), at, members, kind, body \
                    FROM events CROSS JOIN generate_series(1, 7500) n WHERE seq = 2; \
                    UPDATE logs SET seq = seq + 7500; \
                    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql \
                        AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$; \
                    CREATE TRIGGER dawdle AFTER DELETE ON events EXECUTE FUNCTION dawdle()";
        database.execute(more).await;
        let all = database.number("SELECT count(*) FROM events").await;
        node.clock.advance(120_000);
        let trims = tokio::spawn({
            let node = node.clone();
            async move { node.store.maintain().await.expect("retention") }
        });
        let left = async || database.number("SELECT count(*) FROM events").await;
        let mut is_answered_meanwhile = false;
        while !trims.is_finished() {
            let has_begun = left().await < all;
            assert_eq!(leased(&node).await, 0);
            is_answered_meanwhile |= has_begun && left().await > 0;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(is_answered_meanwhile, "who asked waited until all was trimmed");
        assert_eq!(left().await, 0);
    });
}
