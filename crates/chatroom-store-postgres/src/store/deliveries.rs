//! What is to be delivered, how that is doing, and how to tell something again.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::{
    AppId, CallbackLeases, ChatroomId, DeadLetter, Deliveries, LeaseRequest, Leased, RoomKey, Rule, RuleId,
    RuleStatus, Seq, Settled, Settlement, Span, StorageError,
};
use uuid::Uuid;

use super::PostgresStore;
use crate::deadline::Deadline;
use crate::delivery::{decode_status, letter};
use crate::error::unavailable;
use crate::numbers;
use crate::rows;

/// How soon a node looks for what others wrote.
const LOOK: Duration = Duration::from_millis(250);
/// How soon who waits for a replay looks whether it is noted.
const ASK: Duration = Duration::from_millis(50);

const STATUSES: &str = "\
    SELECT r.app, r.id, r.name, r.url, r.secret, r.outgoing_secret, r.outgoing_until, r.state, r.events, r.rooms, \
        r.origin, r.created, a.org, a.name AS app_name, s.state AS said \
    FROM rules r JOIN apps a ON a.app = r.app AND a.state <> 3 \
    LEFT JOIN rule_states s ON s.app = r.app AND s.rule = r.id \
    WHERE r.app = $1 ORDER BY r.created, r.id";
const LETTERS: &str = "\
    SELECT l.app, l.rule, l.room, l.first, l.last, l.why, l.at \
    FROM rules r JOIN dead_letters l ON l.app = r.app AND l.rule = r.id \
    WHERE r.id = $1 AND (l.room, l.first) > ($2, $3) AND l.at >= $4 ORDER BY l.app, l.rule, l.room, l.first LIMIT $5";
const LOSSES: &str = "\
    SELECT l.rule, l.room, l.first, l.last, l.why, l.at, \
        r.app, r.id, r.name, r.url, r.secret, r.outgoing_secret, r.outgoing_until, r.state, r.events, r.rooms, \
        r.origin, r.created, a.org, a.name AS app_name \
    FROM rules r JOIN apps a ON a.app = r.app AND a.state <> 3 \
    JOIN dead_letters l ON l.app = r.app AND l.rule = r.id \
    WHERE l.why IS NULL AND l.at >= $1 ORDER BY r.app, r.id, l.room, l.first LIMIT $2";
const APP_OF: &str = "SELECT app FROM rules WHERE id = $1";
const ASK_REPLAY: &str = "\
    INSERT INTO replays (app, rule, id, rooms, firsts, lasts) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const REPLAYED: &str = "SELECT events FROM replays WHERE app = $1 AND rule = $2 AND id = $3";

#[async_trait]
impl CallbackLeases for PostgresStore {
    async fn lease(&self, ask: LeaseRequest) -> Result<Leased, StorageError> {
        self.courier.lease(&self.shared, ask).await
    }

    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
        self.courier.settle(&self.shared, done).await
    }

    async fn more(&self) {
        tokio::select! {
            () = self.shared.news.notified() => {}
            () = self.shared.registry.told.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

#[async_trait]
impl Deliveries for PostgresStore {
    async fn statuses(&self, app: AppId) -> Result<Vec<RuleStatus>, StorageError> {
        if let Some(statuses) = self.courier.statuses(&self.shared, app).await? {
            return Ok(statuses);
        }
        let found = self.query(STATUSES, &[&numbers::app(app)]).await?;
        found.iter().map(|row| decode_status(rows::rule(row)?, rows::get(row, "said")?)).collect()
    }

    async fn dead_letters(
        &self,
        rule: RuleId,
        after: Option<(ChatroomId, Seq)>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StorageError> {
        let (room, first) =
            after.map_or((-1, -1), |(room, first)| (numbers::room(room), numbers::seq(first)));
        let (rule, oldest, limit) = (numbers::rule(rule), self.oldest_letter(), numbers::limit(limit));
        let found = self.query(LETTERS, &[&rule, &room, &first, &oldest, &limit]).await?;
        found.iter().map(letter).collect()
    }

    async fn losses(&self, limit: usize) -> Result<Vec<(Arc<Rule>, DeadLetter)>, StorageError> {
        let found = self.query(LOSSES, &[&self.oldest_letter(), &numbers::limit(limit)]).await?;
        found.iter().map(|row| Ok((Arc::new(rows::rule(row)?), letter(row)?))).collect()
    }

    async fn replay(&self, rule: RuleId, runs: Vec<(RoomKey, Span)>) -> Result<u64, StorageError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| unavailable(format!("no random numbers: {error}")))?;
        let (id, rule) = (Uuid::from_bytes(id), numbers::rule(rule));
        let found = self.query(APP_OF, &[&rule]).await?;
        let Some(row) = found.first() else { return Ok(0) };
        let app: Uuid = rows::get(row, "app")?;
        let runs: Vec<_> = runs.into_iter().filter(|(room, _)| numbers::app(room.app) == app).collect();
        let rooms: Vec<i64> = runs.iter().map(|(room, _)| numbers::room(room.id)).collect();
        let firsts: Vec<i64> = runs.iter().map(|(_, span)| numbers::seq(span.first)).collect();
        let lasts: Vec<i64> = runs.iter().map(|(_, span)| numbers::seq(span.last)).collect();
        self.query(ASK_REPLAY, &[&app, &rule, &id, &rooms, &firsts, &lasts]).await?;
        let deadline = Deadline::after(self.shared.options.patience);
        while !deadline.is_over() {
            // Done at once if this node delivers the app, or nobody does.
            self.courier.look(&self.shared).await?;
            let found = self.query(REPLAYED, &[&app, &rule, &id]).await?;
            let events: Option<i64> = found.first().map_or(Ok(None), |row| rows::get(row, "events"))?;
            if let Some(events) = events {
                self.shared.news.notify_one();
                return numbers::from_db(events);
            }
            tokio::time::sleep(ASK).await;
        }
        Err(unavailable("the node that delivers has not noted it yet; it will"))
    }
}

impl PostgresStore {
    /// Dead letters go when they have lain for as long as events are kept.
    fn oldest_letter(&self) -> i64 {
        self.shared.clock.now().minus(self.shared.options.keep).as_millis()
    }
}
