//! Everything that the database holds, as it was at one moment: in one transaction that sees nothing of what comes
//! behind it. Nodes go on meanwhile.

use std::collections::VecDeque;

use async_trait::async_trait;
use chatroom_core::{
    AppId, Backlog, BacklogPlace, CursorWrite, Membership, PORTABLE_AT_ONCE, Picture, Portable, StorageError,
    Timestamp,
};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connect::Connector;
use crate::error::{OpenError, not_done};
use crate::options::Options;
use crate::session::{Call, Session, call};
use crate::{config, delivery, import, migrate, numbers, rows, tls};

/// Whoever reads an export may be slow.
const BEGIN: &str = "\
    SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
    BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

const APPS: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created FROM apps ORDER BY app";
const USERS: &str = "\
    SELECT app, id, name, nickname, deleted FROM users WHERE (app, id) > ($1, $2) ORDER BY app, id LIMIT $3";
const ROOMS: &str = "\
    SELECT r.app, r.id, r.owner, r.owner_name, r.name, r.description, r.max_users, r.custom, r.created, r.dissolved, \
        l.seq, l.members \
    FROM rooms r JOIN logs l ON l.app = r.app AND l.room = r.id \
    WHERE (r.app, r.id) > ($1, $2) ORDER BY r.app, r.id LIMIT $3";
const MEMBERSHIPS: &str = "\
    SELECT app, room, member, joined FROM memberships WHERE (app, room, member) > ($1, $2, $3) \
    ORDER BY app, room, member LIMIT $4";
const SWEEPS: &str = "SELECT app, kind, subject FROM sweeps ORDER BY app, kind, subject";
/// Events of a room that is gone are not kept.
const EVENTS: &str = "\
    SELECT e.app, e.room, e.seq, e.id, e.at, e.members, e.kind, e.body \
    FROM events e JOIN logs l ON l.app = e.app AND l.room = e.room \
    WHERE (e.app, e.room, e.seq) > ($1, $2, $3) ORDER BY e.app, e.room, e.seq LIMIT $4";

/// Everything that a database held when this was opened.
///
/// Rows that are changed or deleted meanwhile are kept in the database until this is dropped.
pub struct PostgresPicture {
    session: Session,
    now: Timestamp,
    apps: Vec<AppId>,
    /// What comes next; `None` at the end.
    stage: Option<Stage>,
    /// What is to be told before that.
    ready: VecDeque<Portable>,
}

enum Stage {
    Apps,
    /// Behind this one; so for the others.
    Users(Uuid, i64),
    Rooms(Uuid, i64),
    Memberships(Uuid, i64, i64),
    Sweeps,
    Events(Uuid, i64, i64),
    Rules,
    Deliveries(Box<Backlog>, Option<BacklogPlace>),
}

/// Before every key.
const FIRST: (Uuid, i64) = (Uuid::nil(), i64::MIN);

impl PostgresPicture {
    /// Connects, and looks at the database as it is. `now` is what waits of deliveries are told by.
    ///
    /// # Errors
    /// [`OpenError`]: the URL is none, the database cannot be reached or says no, its schema is another one than this
    /// version needs, or it holds a part of an import.
    pub async fn open(options: &Options, now: Timestamp) -> Result<Self, OpenError> {
        let (picture, unfinished) = Self::read(options, now).await?;
        if unfinished { Err(OpenError::Unfinished) } else { Ok(picture) }
    }

    /// The same of a part of an import, too. Answers whether it is one.
    pub(crate) async fn read(options: &Options, now: Timestamp) -> Result<(Self, bool), OpenError> {
        let config = config::parse(options)?;
        let connector = Connector { config, tls: tls::connector(options.tls_ca.as_deref())? };
        let session = connector.connect().await.map_err(|error| migrate::unreachable(&connector, error))?;
        migrate::ready(session.client(), false).await?;
        let failed = |error| migrate::database("beginning to read it", error);
        session.client().batch_execute(BEGIN).await.map_err(failed)?;
        // The first look decides which moment it is.
        let unfinished = import::is_unfinished(session.client()).await?;
        let (apps, stage, ready) = (Vec::new(), Some(Stage::Apps), VecDeque::new());
        Ok((Self { session, now, apps, stage, ready }, unfinished))
    }

    async fn rows(&mut self, call: Call) -> Result<Vec<Row>, StorageError> {
        let calls = vec![call];
        self.session.prepare(&calls).await.map_err(not_done)?;
        let mut rows = self.session.send(&[], calls, &[]).await.rows().map_err(not_done)?;
        Ok(rows.pop().unwrap_or_default())
    }

    /// Adds what these rows hold. Answers the last of them.
    fn add<T>(
        &mut self,
        rows: &[Row],
        of: impl Fn(&Row) -> Result<(Portable, T), StorageError>,
    ) -> Result<Option<T>, StorageError> {
        let mut last = None;
        for row in rows {
            let (portable, key) = of(row)?;
            self.ready.push_back(portable);
            last = Some(key);
        }
        Ok(last)
    }

    /// Adds some of this stage, and answers what comes behind it.
    async fn fill(&mut self, stage: Stage) -> Result<Option<Stage>, StorageError> {
        let limit = numbers::limit(PORTABLE_AT_ONCE);
        let (app, id) = FIRST;
        Ok(Some(match stage {
            Stage::Apps => {
                let found = self.rows(call!(APPS)).await?;
                self.add(&found, |row| Ok((Portable::App(Box::new(rows::app(row)?)), ())))?;
                for row in &found {
                    self.apps.push(numbers::app_of(rows::get(row, "app")?));
                }
                Stage::Users(app, id)
            }
            Stage::Users(after, user) => {
                let found = self.rows(call!(USERS, after, user, limit)).await?;
                let last = self.add(&found, |row| Ok((Portable::User(rows::user(row)?), key(row, "id")?)))?;
                last.map_or(Stage::Rooms(app, id), |(app, id)| Stage::Users(app, id))
            }
            Stage::Rooms(after, room) => {
                let found = self.rows(call!(ROOMS, after, room, limit)).await?;
                let last = self.add(&found, |row| {
                    Ok((Portable::Room(rows::room(row)?, rows::counters(row)?), key(row, "id")?))
                })?;
                last.map_or(Stage::Memberships(app, id, id), |(app, id)| Stage::Rooms(app, id))
            }
            Stage::Memberships(after, room, member) => {
                let found = self.rows(call!(MEMBERSHIPS, after, room, member, limit)).await?;
                let last = self.add(&found, |row| {
                    let (app, room) = key(row, "room")?;
                    let member: i64 = rows::get(row, "member")?;
                    let membership = Membership {
                        room: numbers::room_of(app, room)?,
                        user: numbers::user_of(member)?,
                        joined: numbers::joined_of(rows::get(row, "joined")?)?,
                    };
                    Ok((Portable::Membership(membership), (app, room, member)))
                })?;
                last.map_or(Stage::Sweeps, |(app, room, member)| Stage::Memberships(app, room, member))
            }
            Stage::Sweeps => {
                let found = self.rows(call!(SWEEPS)).await?;
                self.add(&found, |row| Ok((Portable::Sweep(rows::sweep(row)?), ())))?;
                Stage::Events(app, id, id)
            }
            Stage::Events(after, room, seq) => {
                let found = self.rows(call!(EVENTS, after, room, seq, limit)).await?;
                let last = self.add(&found, |row| {
                    let (app, room) = key(row, "room")?;
                    Ok((Portable::Event(rows::event(row)?), (app, room, rows::get(row, "seq")?)))
                })?;
                last.map_or(Stage::Rules, |(app, room, seq)| Stage::Events(app, room, seq))
            }
            Stage::Rules => {
                let backlog = delivery::stored(&mut self.session, &self.apps, self.now).await?;
                let rules = self.apps.iter().flat_map(|app| backlog.rules_of(*app));
                self.ready.extend(rules.map(|rule| Portable::Rule(Box::new((**rule).clone()))));
                Stage::Deliveries(Box::new(backlog), None)
            }
            Stage::Deliveries(backlog, from) => {
                let (part, next) = backlog.dump(from, PORTABLE_AT_ONCE, self.now);
                self.ready.extend(part.into_iter().filter_map(|write| match write {
                    CursorWrite::Put(cursor) => Some(Portable::Cursor(cursor)),
                    CursorWrite::Bury(letter) => Some(Portable::DeadLetter(letter)),
                    CursorWrite::Done { .. } | CursorWrite::Unbury { .. } => None,
                }));
                return Ok(next.map(|next| Stage::Deliveries(backlog, Some(next))));
            }
        }))
    }
}

/// The first two parts of a row's key.
fn key(row: &Row, second: &str) -> Result<(Uuid, i64), StorageError> {
    Ok((rows::get(row, "app")?, rows::get(row, second)?))
}

#[async_trait]
impl Picture for PostgresPicture {
    async fn next(&mut self) -> Result<Vec<Portable>, StorageError> {
        while self.ready.is_empty()
            && let Some(stage) = self.stage.take()
        {
            self.stage = self.fill(stage).await?;
        }
        let part = self.ready.len().min(PORTABLE_AT_ONCE);
        Ok(self.ready.drain(..part).collect())
    }
}
