//! Who holds the slots of limits over all nodes: a roster of nodes, and one row a limit that is replaced as a whole.
//!
//! The rules are the core's, and rely on hearing of every lost connection, since behind it may be another database
//! that lacks the last writes. So this has a connection of its own, and nothing on it is repeated.

mod holders;

use async_trait::async_trait;
use chatroom_core::StorageError;
use chatroom_core::permits::{LimitKey, Look, NodeId, PermitLedger, Pulse, Seen, Shares, Stamp, Swap};
use tokio::sync::Mutex;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::deadline::Deadline;
use crate::error::{collided, not_done, unavailable};
use crate::numbers;
use crate::rows;
use crate::session::{Call, Session, call};
use crate::shared::Shared;
use crate::store::PostgresStore;

const JOIN: &str = "INSERT INTO nodes (node, beat) VALUES ($1, 0) ON CONFLICT DO NOTHING";
const BEAT: &str = "UPDATE nodes SET beat = $2 WHERE node = $1";
const SHARES: &str = "\
    SELECT p.writer, p.count, p.holders \
    FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS q (app, name, nth) \
    LEFT JOIN permits p ON p.app = q.app AND p.name = q.name ORDER BY q.nth";
const ROSTER: &str = "SELECT node, beat FROM nodes";
const REPLACE: &str = "\
    UPDATE permits p SET writer = q.writer, count = q.count, holders = q.holders, written = now() \
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::uuid[], $6::bigint[], $7::bytea[]) \
        AS q (app, name, writer_before, count_before, writer, count, holders) \
    WHERE p.app = q.app AND p.name = q.name AND p.writer = q.writer_before AND p.count = q.count_before \
    RETURNING p.app, p.name";
const MAKE: &str = "\
    INSERT INTO permits (app, name, writer, count, holders) \
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bytea[]) \
    ON CONFLICT DO NOTHING RETURNING app, name";
const REMOVE: &str = "\
    DELETE FROM nodes n USING unnest($1::uuid[], $2::bigint[]) AS q (node, beat) \
    WHERE n.node = q.node AND n.beat = q.beat";

/// The connection. It is gone while one is under way, so that a call which is dropped takes it with it.
#[derive(Default)]
pub(crate) struct Permits(Mutex<Option<Session>>);

impl Permits {
    /// Runs statements, each a transaction of its own, in this order and in one go.
    async fn run(&self, shared: &Shared, calls: Vec<Call>) -> Result<Vec<Answer>, StorageError> {
        let deadline = Deadline::after(shared.options.patience);
        let mut place = deadline.hold(self.0.lock()).await?;
        let mut session = match place.take() {
            Some(session) if session.is_closed() => {
                return Err(unavailable("the connection for permits was lost"));
            }
            Some(session) => session,
            None => deadline.hold(shared.connector.connect()).await?.map_err(not_done)?,
        };
        let answers = deadline.hold(async {
            session.prepare(&calls).await.map_err(not_done)?;
            Ok::<_, StorageError>(session.send(&[], calls, &[]).await.calls)
        });
        let answers = answers.await??.into_iter().map(answer).collect::<Result<_, _>>()?;
        *place = Some(session);
        Ok(answers)
    }
}

/// The rows of a statement; `None` if somebody else was in the way, so that it did nothing.
type Answer = Option<Vec<Row>>;

fn answer(rows: Result<Vec<Row>, tokio_postgres::Error>) -> Result<Answer, StorageError> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error) if collided(&error) => Ok(None),
        Err(error) => Err(not_done(error)),
    }
}

/// The rows of a statement that nobody can be in the way of.
fn rows_of(answer: Option<Answer>) -> Result<Vec<Row>, StorageError> {
    answer.flatten().ok_or_else(|| unavailable("an answer is missing"))
}

#[async_trait]
impl PermitLedger for PostgresStore {
    async fn join(&self, node: NodeId) -> Result<(), StorageError> {
        self.permits.run(&self.shared, vec![call!(JOIN, id(node))]).await.map(drop)
    }

    async fn look(&self, look: &Look) -> Result<Seen, StorageError> {
        let (apps, names): (Vec<Uuid>, Vec<&str>) = look.keys.iter().map(columns).unzip();
        let beat = look.beat.map(|pulse| call!(BEAT, id(pulse.node), numbers::to_db(pulse.beat)));
        let calls = beat.into_iter().chain([call!(SHARES, apps, names), call!(ROSTER)]);
        let mut answers = self.permits.run(&self.shared, calls.collect()).await?;
        let roster = rows_of(answers.pop())?.iter().map(pulse).collect::<Result<_, _>>()?;
        let shares = rows_of(answers.pop())?.iter().map(shares).collect::<Result<_, _>>()?;
        Ok(Seen { shares, roster })
    }

    async fn swap(&self, swaps: &[Swap]) -> Result<Vec<bool>, StorageError> {
        // In one order, so that nodes which replace the same ones wait for each other and not in a circle.
        let mut sorted: Vec<&Swap> = swaps.iter().collect();
        sorted.sort_by_key(|swap| swap.key);
        let (old, new): (Vec<&Swap>, Vec<&Swap>) = sorted.into_iter().partition(|swap| swap.from.is_some());
        let mut calls = Vec::new();
        if !old.is_empty() {
            let (before, counts): (Vec<Uuid>, Vec<i64>) =
                old.iter().filter_map(|swap| swap.from).map(stamp_columns).unzip();
            let Written { apps, names, writers, counts: written, holders } = Written::of(&old);
            calls.push(call!(REPLACE, apps, names, before, counts, writers, written, holders));
        }
        if !new.is_empty() {
            let Written { apps, names, writers, counts, holders } = Written::of(&new);
            calls.push(call!(MAKE, apps, names, writers, counts, holders));
        }
        let mut made = Vec::new();
        for row in self.permits.run(&self.shared, calls).await?.into_iter().flatten().flatten() {
            made.push((rows::get::<Uuid>(&row, "app")?, rows::get::<String>(&row, "name")?));
        }
        let is_made = |swap: &Swap| {
            let (app, name) = columns(&swap.key);
            made.iter().any(|(other, written)| *other == app && written == name)
        };
        Ok(swaps.iter().map(is_made).collect())
    }

    async fn remove(&self, dead: &[Pulse]) -> Result<(), StorageError> {
        let (nodes, beats): (Vec<Uuid>, Vec<i64>) =
            dead.iter().map(|pulse| (id(pulse.node), numbers::to_db(pulse.beat))).unzip();
        self.permits.run(&self.shared, vec![call!(REMOVE, nodes, beats)]).await.map(drop)
    }
}

/// What swaps write, by columns.
struct Written {
    apps: Vec<Uuid>,
    names: Vec<&'static str>,
    writers: Vec<Uuid>,
    counts: Vec<i64>,
    holders: Vec<Vec<u8>>,
}

impl Written {
    fn of(swaps: &[&Swap]) -> Self {
        let (apps, names) = swaps.iter().map(|swap| columns(&swap.key)).unzip();
        // The core stamps every write; one without a stamp would be refused by the table.
        let stamps = swaps.iter().filter_map(|swap| swap.to.stamp).map(stamp_columns);
        let (writers, counts) = stamps.unzip();
        let holders = swaps.iter().map(|swap| holders::encode(&swap.to.holders)).collect();
        Self { apps, names, writers, counts, holders }
    }
}

fn id(node: NodeId) -> Uuid {
    Uuid::from_u128(node.0)
}

fn columns(key: &LimitKey) -> (Uuid, &'static str) {
    (numbers::app(key.app), key.name)
}

fn stamp_columns(stamp: Stamp) -> (Uuid, i64) {
    (id(stamp.node), numbers::to_db(stamp.count))
}

fn pulse(row: &Row) -> Result<Pulse, StorageError> {
    let node: Uuid = rows::get(row, "node")?;
    Ok(Pulse { node: NodeId(node.as_u128()), beat: numbers::from_db(rows::get(row, "beat")?)? })
}

fn shares(row: &Row) -> Result<Shares, StorageError> {
    let Some(writer) = rows::get::<Option<Uuid>>(row, "writer")? else { return Ok(Shares::default()) };
    let count = numbers::from_db(rows::get(row, "count")?)?;
    Ok(Shares {
        stamp: Some(Stamp { node: NodeId(writer.as_u128()), count }),
        holders: holders::decode(rows::get(row, "holders")?)?,
    })
}
