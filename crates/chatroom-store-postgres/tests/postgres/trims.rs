//! What becomes of deliveries when events are trimmed.

use std::time::Duration;

use chatroom_core::{Burial, CallbackLeases, Deliveries, LeaseRequest, Rule, Seq, Span};
use chatroom_store_postgres::Options;

use crate::database::Database;
use crate::proxy::{Proxy, Then, Way};
use crate::world::{Node, run};

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
