use async_trait::async_trait;
use chatroom_core::{
    AppId, ChatroomId, ChatroomRepository, From, JoinOrder, Member, MembersRequest, MembersSlice, Operation,
    Order, Outcome, RoomKey, RoomView, StorageError, Sweep, TransactError, User, UserId, Username,
};
use tokio_postgres::Row;

use super::PostgresStore;
use crate::body::username;
use crate::numbers;
use crate::rows;

const USER: &str = "\
    SELECT u.app, u.id, u.name, u.nickname, u.deleted FROM users u JOIN apps a ON a.app = u.app AND a.state <> 3 \
    WHERE u.app = $1 AND u.name = $2 AND NOT u.deleted";
const USERS: &str = "\
    SELECT u.app, u.id, u.name, u.nickname, u.deleted FROM users u JOIN apps a ON a.app = u.app AND a.state <> 3 \
    WHERE u.app = $1 AND u.id > $2 AND NOT u.deleted ORDER BY u.app, u.id LIMIT $3";
const ROOM: &str = "\
    SELECT r.app, r.id, r.owner, r.owner_name, r.name, r.description, r.max_users, r.custom, r.created, r.dissolved, \
        l.seq, l.members \
    FROM rooms r JOIN logs l ON l.app = r.app AND l.room = r.id \
    JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted \
    JOIN apps a ON a.app = r.app AND a.state <> 3 \
    WHERE r.app = $1 AND r.id = $2 AND r.dissolved IS NULL";
const ROOMS: &str = "\
    SELECT r.app, r.id, r.owner, r.owner_name, r.name, r.description, r.max_users, r.custom, r.created, r.dissolved, \
        l.seq, l.members \
    FROM rooms r JOIN logs l ON l.app = r.app AND l.room = r.id \
    JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted \
    JOIN apps a ON a.app = r.app AND a.state <> 3 \
    WHERE r.app = $1 AND r.id > $2 AND r.dissolved IS NULL ORDER BY r.app, r.id OFFSET $3 LIMIT $4";
const SWEEPS: &str = "SELECT app, kind, subject FROM sweeps ORDER BY app, kind, subject LIMIT $1";

/// A page of members in one statement, so that it is of one moment. One row at least if the room is there.
macro_rules! members {
    ($compare:literal, $order:literal) => {
        concat!(
            "SELECT r.owner_name, \
                EXISTS (SELECT FROM memberships m WHERE m.app = r.app AND m.room = r.id AND m.member = r.owner) \
                    AS owner_is_member, \
                CASE WHEN $4 = 0 THEN 0 ELSE (SELECT count(*) FROM ( \
                    SELECT FROM memberships m JOIN users u ON u.app = m.app AND u.id = m.member AND NOT u.deleted \
                    WHERE m.app = r.app AND m.room = r.id AND m.member <> r.owner LIMIT $4) s) END AS skipped, \
                p.name, p.joined \
            FROM rooms r \
            JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted \
            JOIN apps a ON a.app = r.app AND a.state <> 3 \
            LEFT JOIN LATERAL ( \
                SELECT u.name, m.joined FROM memberships m \
                JOIN users u ON u.app = m.app AND u.id = m.member AND NOT u.deleted \
                WHERE m.app = r.app AND m.room = r.id AND m.joined ",
            $compare,
            " $3 AND m.member <> r.owner ORDER BY m.app ",
            $order,
            ", m.room ",
            $order,
            ", m.joined ",
            $order,
            " OFFSET $4 LIMIT $5) p ON true \
            WHERE r.app = $1 AND r.id = $2 AND r.dissolved IS NULL"
        )
    };
}
const MEMBERS_UP: &str = members!(">", "ASC");
const MEMBERS_DOWN: &str = members!("<", "DESC");

fn view(row: &Row) -> Result<RoomView, StorageError> {
    Ok(RoomView { room: rows::room(row)?, members: rows::counters(row)?.members })
}

#[async_trait]
impl ChatroomRepository for PostgresStore {
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError> {
        self.run(operation).await
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        let found = self.query(USER, &[&numbers::app(app), &name.as_str()]).await?;
        found.first().map(rows::user).transpose()
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        let after = after.map_or(-1, numbers::user);
        let found = self.query(USERS, &[&numbers::app(app), &after, &numbers::limit(limit)]).await?;
        found.iter().map(rows::user).collect()
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        let found = self.query(ROOM, &[&numbers::app(key.app), &numbers::room(key.id)]).await?;
        found.first().map(view).transpose()
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        let after = after.map_or(-1, numbers::room);
        let (skip, limit) = (numbers::limit(skip), numbers::limit(limit));
        let found = self.query(ROOMS, &[&numbers::app(app), &after, &skip, &limit]).await?;
        found.iter().map(view).collect()
    }

    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        let (sql, edge) = match request.order {
            Order::Ascending => (MEMBERS_UP, -1),
            Order::Descending => (MEMBERS_DOWN, i64::MAX),
        };
        let (after, skip) = match request.from {
            From::Start => (edge, 0),
            From::After(joined) => (numbers::joined(joined), 0),
            From::Skip(skip) => (edge, numbers::limit(skip)),
        };
        let (app, room) = (numbers::app(key.app), numbers::room(key.id));
        // One more than asked for says whether more follow.
        let limit = numbers::limit(request.limit.saturating_add(1));
        let found = self.query(sql, &[&app, &room, &after, &skip, &limit]).await?;
        let Some(first) = found.first() else { return Ok(None) };
        let mut members = Vec::with_capacity(found.len());
        for row in &found {
            let (Some(name), Some(joined)) = (rows::get(row, "name")?, rows::get(row, "joined")?) else {
                continue;
            };
            let (name, joined): (&str, JoinOrder) = (name, numbers::joined_of(joined)?);
            members.push(Member { name: username(name)?, joined });
        }
        let more = members.len() > request.limit;
        members.truncate(request.limit);
        Ok(Some(MembersSlice {
            owner: username(rows::get(first, "owner_name")?)?,
            owner_is_member: rows::get(first, "owner_is_member")?,
            skipped: usize::try_from(rows::count(first, "skipped")?).unwrap_or(usize::MAX),
            members,
            more,
        }))
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        self.query(SWEEPS, &[&numbers::limit(limit)]).await?.iter().map(rows::sweep).collect()
    }
}
