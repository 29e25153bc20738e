//! One transaction a removal, as one writes it who does not group: the room's row is locked, what decides is read, and
//! the same records are written. Statements are prepared once, connections are kept in a pool.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use chatroom_core::ChatroomId;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::world::{APP, Member};

/// More lets them only stand in each other's way, fewer leave the database idle.
const CONNECTIONS: usize = 32;

const LOCK: &str = "SELECT seq, members, at FROM logs WHERE app = $1 AND room = $2 FOR UPDATE";
const FACTS: &str = "\
    SELECT a.state, a.has_rules, r.dissolved, o.id AS owner, u.id AS member, m.joined \
    FROM rooms r JOIN apps a ON a.app = r.app \
    JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted \
    JOIN users u ON u.app = r.app AND u.name = $3 AND NOT u.deleted \
    JOIN memberships m ON m.app = r.app AND m.room = r.id AND m.member = u.id \
    WHERE r.app = $1 AND r.id = $2";
const DELETE: &str = "DELETE FROM memberships WHERE app = $1 AND room = $2 AND member = $3";
const INSERT: &str = "\
    INSERT INTO events (app, room, seq, id, at, members, kind, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const UPDATE: &str = "UPDATE logs SET seq = $3, members = $4, at = $5 WHERE app = $1 AND room = $2";
/// The newest event of a room.
const SAMPLE: &str = "SELECT kind, body FROM events WHERE app = $1 AND room = $2 ORDER BY seq DESC LIMIT 1";

pub(crate) struct Singles {
    pool: Pool,
    ids: AtomicU64,
    kind: i16,
    body: Vec<u8>,
}

impl Singles {
    /// Writes events like the newest of this room: a removal, as the store writes it.
    pub(crate) async fn open(url: &str, room: ChatroomId) -> Result<Self> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(url.parse()?, NoTls, recycling);
        let pool = Pool::builder(manager).max_size(CONNECTIONS).build()?;
        let row = pool.get().await?.query_one(SAMPLE, &[&app(), &i64::try_from(room.as_number())?]).await?;
        Ok(Self { pool, ids: AtomicU64::new(1), kind: row.get(0), body: row.get(1) })
    }

    pub(crate) async fn remove(&self, member: &Member) -> Result<()> {
        let mut client = self.pool.get().await?;
        let transaction = client.transaction().await?;
        let (app, room) = (app(), i64::try_from(member.room.as_number())?);
        let lock = transaction.prepare_cached(LOCK).await?;
        let log = transaction.query_one(&lock, &[&app, &room]).await?;
        let (seq, members, at): (i64, i64, i64) = (log.get(0), log.get(1), log.get(2));
        let facts = transaction.prepare_cached(FACTS).await?;
        let facts = transaction.query_one(&facts, &[&app, &room, &&*member.name]).await?;
        let user: i64 = facts.get("member");
        let delete = transaction.prepare_cached(DELETE).await?;
        ensure!(transaction.execute(&delete, &[&app, &room, &user]).await? == 1, "it was no member");
        let id = Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)));
        let (seq, members) = (seq + 1, members - 1);
        let insert = transaction.prepare_cached(INSERT).await?;
        let event: [&(dyn tokio_postgres::types::ToSql + Sync); 8] =
            [&app, &room, &seq, &id, &at, &members, &self.kind, &self.body];
        transaction.execute(&insert, &event).await?;
        let update = transaction.prepare_cached(UPDATE).await?;
        transaction.execute(&update, &[&app, &room, &seq, &members, &at]).await?;
        transaction.commit().await?;
        Ok(())
    }
}

fn app() -> Uuid {
    Uuid::from_u128(APP.0)
}
