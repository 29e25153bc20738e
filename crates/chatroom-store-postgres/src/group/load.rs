//! Loads the facts of a group.

use chatroom_core::{
    AppId, Capacity, Counters, List, Loaded, LoadedRoom, Membership, Operation, ReadSet, RoomKey,
    StorageError, Strength, Timestamp, UserId,
};
use foldhash::{HashMap, HashSet};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{Trouble, lock};
use crate::body::username;
use crate::numbers;
use crate::rows;
use crate::session::{Call, Session, call};
use crate::spot::Spot;

const APPS: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created, has_rules \
    FROM apps WHERE app = ANY($1)";
/// Rooms, and whether their owners live.
const ROOMS: &str = "\
    SELECT r.app, r.id, r.owner, r.owner_name, r.name, r.description, r.max_users, r.custom, r.created, r.dissolved, \
        o.id IS NOT NULL AS owner_lives \
    FROM unnest($1::uuid[], $2::bigint[]) AS q (app, id) \
    JOIN rooms r ON r.app = q.app AND r.id = q.id \
    LEFT JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted";
const NAMES: &str = "\
    SELECT u.app, u.id, u.name, u.nickname, u.deleted FROM unnest($1::uuid[], $2::text[]) AS q (app, name) \
    JOIN users u ON u.app = q.app AND u.name = q.name AND NOT u.deleted";
const USERS: &str = "\
    SELECT u.app, u.id, u.name, u.nickname, u.deleted FROM unnest($1::uuid[], $2::bigint[]) AS q (app, id) \
    JOIN users u ON u.app = q.app AND u.id = q.id";
/// Users by name, each with its place in a room. `OFFSET 0` keeps what is looked for in a room together: without it, a
/// plan that was made while the table was empty compared all members of the room with each name.
const PLACES: &str = "\
    SELECT u.app, u.id, u.name, u.nickname, u.deleted, q.room, m.joined, m.spot \
    FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS q (app, room, name) \
    JOIN users u ON u.app = q.app AND u.name = q.name AND NOT u.deleted \
    LEFT JOIN LATERAL ( \
        SELECT joined, ctid AS spot FROM memberships \
        WHERE app = q.app AND room = q.room AND member = u.id OFFSET 0) m ON true";
const RULES: &str = "\
    SELECT r.app, r.id, r.name, r.url, r.secret, r.outgoing_secret, r.outgoing_until, r.state, r.events, r.rooms, \
        r.origin, r.created, a.org, a.name AS app_name \
    FROM rules r JOIN apps a ON a.app = r.app WHERE r.app = ANY($1)";
const MEMBERS: &str = "\
    SELECT m.app, m.room, m.member, m.joined, m.ctid AS spot, u.name \
    FROM unnest($1::uuid[], $2::bigint[]) AS q (app, room) \
    JOIN memberships m ON m.app = q.app AND m.room = q.room \
    JOIN users u ON u.app = m.app AND u.id = m.member \
    ORDER BY m.app, m.room, m.joined LIMIT $3";
const ROOMS_OF: &str = "\
    SELECT app, room, ctid AS spot FROM memberships WHERE app = $1 AND member = $2 \
    ORDER BY app, member, room LIMIT $3";
const OWNED_BY: &str = "\
    SELECT app, id AS room FROM rooms WHERE app = $1 AND owner = $2 AND dissolved IS NULL ORDER BY id LIMIT $3";
const ROOMS_IN: &str = "SELECT app, id AS room FROM rooms WHERE app = $1 ORDER BY app, id LIMIT $2";
const USERS_IN: &str = "SELECT id FROM users WHERE app = $1 ORDER BY app, id LIMIT $2";
const CAPACITY: &str = "SELECT coalesce(sum(members), 0)::bigint AS used FROM logs";

/// Where the logs of the rooms ended that are guarded, or are compared later.
pub(crate) type Logs = HashMap<RoomKey, (Counters, Timestamp)>;

/// Where the memberships that were read lay. As long as their rooms are guarded they stay there.
pub(crate) type Spots = HashMap<(RoomKey, UserId), Spot>;

/// The facts of a group, under its locks or as a look found them.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) loaded: Loaded,
    /// Apps somebody of which is told.
    pub(super) told: HashSet<AppId>,
    pub(super) spots: Spots,
    pub(super) logs: Logs,
    /// The version of the registry that apps are of, if that is compared later.
    pub(super) registry: Option<i64>,
}

#[derive(Clone, Copy)]
enum Kind {
    Apps,
    Rooms,
    Users,
    Places,
    Rules,
    Members,
    RoomList(List),
    UserList(List),
    Capacity,
}

/// Begins a transaction, locks and loads. All of it is sent at once.
pub(super) async fn begin(
    session: &mut Session,
    reads: &ReadSet,
    max_members: Option<u64>,
) -> Result<Facts, Trouble> {
    let (locks, mut sent): (Vec<_>, Vec<_>) = lock::calls(reads, max_members.is_some()).into_iter().unzip();
    let (kinds, loads): (Vec<_>, Vec<_>) = calls(reads, max_members.is_some()).into_iter().unzip();
    sent.extend(loads);
    session.prepare(&sent).await?;
    let mut answers = session.send(&["BEGIN"], sent, &[]).await.rows()?.into_iter();
    let mut facts = Facts::default();
    for (kind, rows) in locks.into_iter().zip(answers.by_ref()) {
        lock::take(kind, &rows, &mut facts)?;
    }
    for (kind, rows) in kinds.into_iter().zip(answers) {
        take(kind, &rows, reads, max_members, &mut facts)?;
    }
    Ok(facts)
}

/// What an operation that reads in two rounds reads in all. The first round is read in a transaction of its own; what
/// it names is locked by that which commits, and looked at again.
pub(super) async fn all_reads(
    session: &mut Session,
    operation: &Operation,
    mut reads: ReadSet,
) -> Result<ReadSet, Trouble> {
    let (kinds, sent): (Vec<_>, Vec<_>) = calls(&reads, false).into_iter().unzip();
    let (locks, mut all): (Vec<_>, Vec<_>) = lock::calls(&reads, false).into_iter().unzip();
    all.extend(sent);
    session.prepare(&all).await?;
    let mut answers = session.send(&["BEGIN"], all, &["ROLLBACK"]).await.rows()?.into_iter();
    let mut facts = Facts::default();
    for (kind, rows) in locks.into_iter().zip(answers.by_ref()) {
        lock::take(kind, &rows, &mut facts)?;
    }
    for (kind, rows) in kinds.into_iter().zip(answers) {
        take(kind, &rows, &reads, None, &mut facts)?;
    }
    reads.merge(operation.reads_more(&facts.loaded));
    Ok(reads)
}

fn calls(reads: &ReadSet, bounded: bool) -> Vec<(Kind, Call)> {
    let mut calls = Vec::new();
    if reads.apps.values().any(|strength| *strength == Strength::Peek) {
        let apps: Vec<Uuid> = of_strength(&reads.apps, Strength::Peek).map(|id| numbers::app(*id)).collect();
        calls.push((Kind::Apps, call!(APPS, apps)));
    }
    if !reads.rooms.is_empty() {
        let (apps, ids) = room_keys(reads.rooms.keys());
        calls.push((Kind::Rooms, call!(ROOMS, apps, ids)));
    }
    let placed: HashSet<_> = reads.places.iter().map(|(room, name)| (room.app, name)).collect();
    let names =
        of_strength(&reads.names, Strength::Peek).filter(|(app, name)| !placed.contains(&(*app, name)));
    let (apps, names): (Vec<Uuid>, Vec<String>) =
        names.map(|(app, name)| (numbers::app(*app), name.as_str().to_owned())).unzip();
    if !names.is_empty() {
        calls.push((Kind::Users, names_call(apps, names)));
    }
    if !reads.users.is_empty() {
        let (apps, ids): (Vec<Uuid>, Vec<i64>) =
            reads.users.iter().map(|(app, id)| (numbers::app(*app), numbers::user(*id))).unzip();
        calls.push((Kind::Users, call!(USERS, apps, ids)));
    }
    if !reads.places.is_empty() {
        calls.push((Kind::Places, places_call(reads)));
    }
    if !reads.rules.is_empty() {
        let apps: Vec<Uuid> = reads.rules.iter().map(|id| numbers::app(*id)).collect();
        calls.push((Kind::Rules, call!(RULES, apps)));
    }
    calls.extend(reads.lists.iter().map(|list| list_call(*list, reads)));
    if reads.capacity && bounded {
        calls.push((Kind::Capacity, call!(CAPACITY)));
    }
    calls
}

fn of_strength<K>(
    of: &std::collections::BTreeMap<K, Strength>,
    strength: Strength,
) -> impl Iterator<Item = &K> {
    of.iter().filter(move |(_, held)| **held == strength).map(|(key, _)| key)
}

/// Users by name, each with its place in a room.
pub(super) fn places_call(reads: &ReadSet) -> Call {
    let (apps, rooms) = room_keys(reads.places.iter().map(|(room, _)| room));
    let names: Vec<String> = reads.places.iter().map(|(_, name)| name.as_str().to_owned()).collect();
    call!(PLACES, apps, rooms, names)
}

/// Users by name.
pub(super) fn names_call(apps: Vec<Uuid>, names: Vec<String>) -> Call {
    call!(NAMES, apps, names)
}

pub(super) fn room_keys<'k>(rooms: impl Iterator<Item = &'k RoomKey>) -> (Vec<Uuid>, Vec<i64>) {
    rooms.map(|key| (numbers::app(key.app), numbers::room(key.id))).unzip()
}

fn list_call(list: List, reads: &ReadSet) -> (Kind, Call) {
    let limit = numbers::limit(list.limit());
    match list {
        List::Members(_) => {
            let (apps, ids) = room_keys(reads.rooms.keys());
            (Kind::Members, call!(MEMBERS, apps, ids, limit))
        }
        List::RoomsOf(app, user, _) => {
            (Kind::RoomList(list), call!(ROOMS_OF, numbers::app(app), numbers::user(user), limit))
        }
        List::OwnedBy(app, user, _) => {
            (Kind::RoomList(list), call!(OWNED_BY, numbers::app(app), numbers::user(user), limit))
        }
        List::RoomsIn(app, _) => (Kind::RoomList(list), call!(ROOMS_IN, numbers::app(app), limit)),
        List::UsersIn(app, _) => (Kind::UserList(list), call!(USERS_IN, numbers::app(app), limit)),
    }
}

fn take(
    kind: Kind,
    found: &[Row],
    reads: &ReadSet,
    max_members: Option<u64>,
    facts: &mut Facts,
) -> Result<(), StorageError> {
    match kind {
        Kind::RoomList(list) => {
            let key = |row: &Row| numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?);
            let rooms = found.iter().map(key).collect::<Result<Vec<_>, StorageError>>()?;
            if let List::RoomsOf(_, user, _) = list {
                for (room, row) in rooms.iter().zip(found) {
                    facts.spots.insert((*room, user), rows::get(row, "spot")?);
                }
            }
            facts.loaded.list_rooms(list, rooms);
        }
        Kind::UserList(list) => {
            let id = |row: &Row| numbers::user_of(rows::get(row, "id")?);
            facts.loaded.list_users(list, found.iter().map(id).collect::<Result<_, StorageError>>()?);
        }
        Kind::Capacity => {
            let used = found.first().map_or(Ok(0), |row| rows::count(row, "used"))?;
            facts.loaded.load_capacity(Capacity { used, limit: max_members });
        }
        _ => {}
    }
    for row in found {
        match kind {
            Kind::Apps => facts.app(row)?,
            Kind::Rooms => facts.room(row)?,
            Kind::Users => facts.loaded.load_user(rows::user(row)?),
            Kind::Places => facts.place(row, reads)?,
            Kind::Rules => facts.loaded.load_rule(rows::rule(row)?),
            Kind::Members => {
                let name = username(rows::get(row, "name")?)?;
                let membership = facts.membership(row, numbers::user_of(rows::get(row, "member")?)?)?;
                facts.loaded.list_member(membership, name);
            }
            Kind::RoomList(_) | Kind::UserList(_) | Kind::Capacity => {}
        }
    }
    Ok(())
}

impl Facts {
    pub(super) fn app(&mut self, row: &Row) -> Result<(), StorageError> {
        let app = rows::app(row)?;
        if rows::get(row, "has_rules")? {
            self.told.insert(app.id);
        }
        self.loaded.load_app(app);
        Ok(())
    }

    /// A room, whose log is known if it is guarded.
    fn room(&mut self, row: &Row) -> Result<(), StorageError> {
        let room = rows::room(row)?;
        // One that is not guarded is looked at only to see that it is there.
        let (counters, at) = self.logs.get(&room.key).copied().unwrap_or_default();
        self.loaded.load_room(LoadedRoom { room, counters, at, owner_lives: rows::get(row, "owner_lives")? });
        Ok(())
    }

    /// A user and where it is a member.
    pub(super) fn place(&mut self, row: &Row, reads: &ReadSet) -> Result<(), StorageError> {
        let user = rows::user(row)?;
        let joined: Option<i64> = rows::get(row, "joined")?;
        if joined.is_some() {
            let membership = self.membership(row, user.id)?;
            self.loaded.load_membership(membership);
        }
        // Who must stay was read when it was locked. One who took the name since then is not guarded.
        if reads.names.get(&(user.app, user.name.clone())) == Some(&Strength::Peek) {
            self.loaded.load_user(user);
        }
        Ok(())
    }

    fn membership(&mut self, row: &Row, user: UserId) -> Result<Membership, StorageError> {
        let room = numbers::room_of(rows::get(row, "app")?, rows::get(row, "room")?)?;
        self.spots.insert((room, user), rows::get(row, "spot")?);
        Ok(Membership { room, user, joined: numbers::joined_of(rows::get(row, "joined")?)? })
    }
}
