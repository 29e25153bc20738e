//! What a receiver was told over many lives of a server, held against the logs.

use std::collections::HashMap;

use chatroom_core::EventId;
use uuid::Uuid;

use crate::support::Receiver;

/// A receiver that outlives the servers that deliver to it.
pub(crate) struct Told {
    receiver: Receiver,
}

impl Told {
    pub(crate) async fn start() -> Self {
        Self { receiver: Receiver::start().await }
    }

    pub(crate) fn url(&self) -> &str {
        &self.receiver.url
    }

    /// Waits until every event of the logs has arrived. Each room's must have come in its order, and what came again
    /// must say the same. Answers how many there were, and how many came more than once.
    pub(crate) async fn check(&mut self, logs: &[Vec<EventId>]) -> (usize, usize) {
        let place = |(room, log): (usize, &Vec<EventId>)| -> Vec<(String, (usize, usize))> {
            let id = |id: &EventId| Uuid::from_u128(id.0).to_string();
            log.iter().enumerate().map(|(at, event)| (id(event), (room, at))).collect()
        };
        let places: HashMap<String, (usize, usize)> = logs.iter().enumerate().flat_map(place).collect();
        let mut next = vec![0; logs.len()];
        let mut payloads: HashMap<String, serde_json::Value> = HashMap::new();
        let mut repeated = 0;
        while payloads.len() < places.len() {
            let delivery = self.receiver.next().await;
            let (id, payload) = (delivery.header("webhook-id"), delivery.json()["payload"].take());
            // A room that nobody was told to look at: none is made here.
            let (room, at) = places[id];
            match payloads.get(id) {
                Some(before) => {
                    assert_eq!(*before, payload, "{id} said something else before");
                    repeated += 1;
                }
                None => {
                    assert_eq!(at, next[room], "an event of room {room} came before its turn");
                    next[room] += 1;
                    payloads.insert(id.to_owned(), payload);
                }
            }
        }
        (payloads.len(), repeated)
    }
}
