//! What a group decided, as statements: one for what every removal does, and one more for each other kind of thing.

mod registry;
pub(super) mod removals;

use chatroom_core::{AppId, Change, Key, Plan, Record, Room, RoomKey, StorageError, Sweep, User, UserId};
use foldhash::HashSet;
use uuid::Uuid;

use super::load::Spots;
use crate::body::encode;
use crate::error::corrupt;
use crate::numbers;
use crate::session::{Call, Value, call};
use crate::spot::Spot;

/// Memberships go, events come, and the rooms' logs end there. A log that was all noticed begins to have news.
///
/// Memberships are found where they lay when they were read: finding them by key again is a sixth of the work, and
/// they lie there still, because their rooms are guarded.
const CHANGE_ROOMS: &str = "\
    WITH gone AS ( \
        DELETE FROM memberships WHERE ctid = ANY($15::tid[]) \
    ), told AS ( \
        INSERT INTO events (app, room, seq, id, at, members, kind, body) \
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::bigint[], \
            $7::smallint[], $8::bytea[]) \
    ) \
    UPDATE logs l SET seq = e.seq, members = e.members, at = e.at, news = l.news OR e.news, \
        noticed = CASE WHEN e.news AND NOT l.news THEN l.seq ELSE l.noticed END, oldest = coalesce(l.oldest, e.at) \
    FROM unnest($9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::boolean[]) \
        AS e (app, room, seq, members, at, news) \
    WHERE l.app = e.app AND l.room = e.room";
const INSERT_ROOMS: &str = "\
    WITH made AS ( \
        INSERT INTO rooms (app, id, owner, owner_name, name, description, max_users, custom, created, dissolved) \
        SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], \
            $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[]) \
    ) \
    INSERT INTO logs (app, room, seq, members, at, noticed, news) \
    SELECT app, room, 0, 0, 0, 0, false FROM unnest($1::uuid[], $2::bigint[]) AS n (app, room)";
const UPDATE_ROOMS: &str = "\
    UPDATE rooms r SET owner = n.owner, owner_name = n.owner_name, name = n.name, description = n.description, \
        max_users = n.max_users, custom = n.custom, created = n.created, dissolved = n.dissolved \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bigint[], \
        $8::bytea[], $9::bigint[], $10::bigint[]) \
        AS n (app, id, owner, owner_name, name, description, max_users, custom, created, dissolved) \
    WHERE r.app = n.app AND r.id = n.id";
const DELETE_ROOMS: &str = "\
    WITH gone AS ( \
        DELETE FROM rooms r USING unnest($1::uuid[], $2::bigint[]) AS d (app, id) \
        WHERE r.app = d.app AND r.id = d.id \
    ) \
    DELETE FROM logs l USING unnest($1::uuid[], $2::bigint[]) AS d (app, room) \
    WHERE l.app = d.app AND l.room = d.room";
const INSERT_MEMBERSHIPS: &str = "\
    INSERT INTO memberships (app, room, member, joined) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])";
const UPDATE_MEMBERSHIPS: &str = "\
    UPDATE memberships m SET joined = n.joined \
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (app, room, member, joined) \
    WHERE m.app = n.app AND m.room = n.room AND m.member = n.member";
const INSERT_USERS: &str = "\
    INSERT INTO users (app, id, name, nickname, deleted) \
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::boolean[])";
const UPDATE_USERS: &str = "\
    UPDATE users u SET name = n.name, nickname = n.nickname, deleted = n.deleted \
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::boolean[]) \
        AS n (app, id, name, nickname, deleted) \
    WHERE u.app = n.app AND u.id = n.id";
const DELETE_USERS: &str = "\
    DELETE FROM users u USING unnest($1::uuid[], $2::bigint[]) AS d (app, id) WHERE u.app = d.app AND u.id = d.id";
const INSERT_SWEEPS: &str = "\
    INSERT INTO sweeps (app, kind, subject) SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[]) \
    ON CONFLICT DO NOTHING";
const DELETE_SWEEPS: &str = "\
    DELETE FROM sweeps s USING unnest($1::uuid[], $2::smallint[], $3::bigint[]) AS d (app, kind, subject) \
    WHERE s.app = d.app AND s.kind = d.kind AND s.subject = d.subject";
pub(crate) const MARK_RULES: &str = "\
    UPDATE apps SET has_rules = EXISTS (SELECT FROM rules WHERE rules.app = $1) WHERE app = $1";
pub(crate) const REGISTRY: &str = "UPDATE registry SET version = version + 1";
const MARK: &str = "INSERT INTO marks (app, operation) VALUES ($1, $2)";

#[derive(Default)]
struct Members {
    apps: Vec<Uuid>,
    rooms: Vec<i64>,
    users: Vec<i64>,
    joined: Vec<i64>,
}

#[derive(Default)]
struct Rooms {
    rooms: Vec<Room>,
}

#[derive(Default)]
struct Users {
    users: Vec<User>,
}

#[derive(Default)]
struct Sweeps {
    apps: Vec<Uuid>,
    kinds: Vec<i16>,
    subjects: Vec<i64>,
}

/// The changes by what becomes of them.
#[derive(Default)]
struct Sorted {
    members_gone: Vec<(RoomKey, UserId)>,
    members_new: Members,
    members_moved: Members,
    rooms_new: Rooms,
    rooms_changed: Rooms,
    rooms_gone: Vec<RoomKey>,
    users_new: Users,
    users_changed: Users,
    users_gone: Vec<(Uuid, i64)>,
    sweeps_new: Sweeps,
    sweeps_gone: Sweeps,
    others: Vec<Call>,
    /// Apps whose rules changed.
    rules_of: HashSet<AppId>,
    registry: bool,
}

/// The calls that write a plan. `mark` is the operation that a group is found again by when it writes no event.
pub(crate) fn calls(
    plan: &Plan,
    told: &HashSet<AppId>,
    spots: &Spots,
    mark: Option<(Uuid, Uuid)>,
) -> Result<Vec<Call>, StorageError> {
    let mut sorted = Sorted::default();
    for (key, change) in &plan.changes {
        sorted.add(key, change);
    }
    let mut calls = sorted.before_rooms();
    if !plan.events.is_empty() || !sorted.members_gone.is_empty() {
        let mut values = log_values(plan, told)?;
        values.push(Box::new(sorted.spots(spots)?));
        calls.push(Call { sql: CHANGE_ROOMS, values });
    }
    calls.extend(sorted.behind_rooms());
    calls.extend(mark.map(|(app, operation)| call!(MARK, app, operation)));
    Ok(calls)
}

/// What is appended to logs, and where they end then: the first values of the two statements that change rooms.
fn log_values(plan: &Plan, told: &HashSet<AppId>) -> Result<Vec<Value>, StorageError> {
    let (mut apps, mut rooms, mut seqs) = (Vec::<Uuid>::new(), Vec::<i64>::new(), Vec::<i64>::new());
    let (mut ids, mut times, mut members) = (Vec::<Uuid>::new(), Vec::<i64>::new(), Vec::<i64>::new());
    let (mut kinds, mut bodies) = (Vec::<i16>::new(), Vec::<Vec<u8>>::new());
    for event in &plan.events {
        let (kind, body) = encode(&event.kind)?;
        apps.push(numbers::app(event.room.app));
        rooms.push(numbers::room(event.room.id));
        seqs.push(numbers::seq(event.seq));
        ids.push(numbers::event(event.id));
        times.push(event.at.as_millis());
        members.push(event.members.into());
        kinds.push(kind);
        bodies.push(body);
    }
    let ends = &plan.ends;
    let end_apps: Vec<Uuid> = ends.keys().map(|room| numbers::app(room.app)).collect();
    let end_rooms: Vec<i64> = ends.keys().map(|room| numbers::room(room.id)).collect();
    let end_seqs: Vec<i64> = ends.values().map(|end| numbers::seq(end.counters.seq)).collect();
    let end_members: Vec<i64> = ends.values().map(|end| end.counters.members.into()).collect();
    let end_times: Vec<i64> = ends.values().map(|end| end.at.as_millis()).collect();
    let news: Vec<bool> = ends.keys().map(|room| told.contains(&room.app)).collect();
    Ok(vec![
        Box::new(apps),
        Box::new(rooms),
        Box::new(seqs),
        Box::new(ids),
        Box::new(times),
        Box::new(members),
        Box::new(kinds),
        Box::new(bodies),
        Box::new(end_apps),
        Box::new(end_rooms),
        Box::new(end_seqs),
        Box::new(end_members),
        Box::new(end_times),
        Box::new(news),
    ])
}

impl Members {
    fn push(&mut self, room: &RoomKey, user: i64, joined: i64) {
        self.apps.push(numbers::app(room.app));
        self.rooms.push(numbers::room(room.id));
        self.users.push(user);
        self.joined.push(joined);
    }

    fn call(self, sql: &'static str) -> Option<Call> {
        (!self.apps.is_empty()).then(|| call!(sql, self.apps, self.rooms, self.users, self.joined))
    }
}

impl Rooms {
    fn call(self, sql: &'static str) -> Option<Call> {
        if self.rooms.is_empty() {
            return None;
        }
        let column = |value: fn(&Room) -> i64| self.rooms.iter().map(value).collect::<Vec<i64>>();
        let bytes = |value: fn(&Room) -> &str| {
            self.rooms.iter().map(|room| value(room).as_bytes().to_vec()).collect::<Vec<_>>()
        };
        let apps: Vec<Uuid> = self.rooms.iter().map(|room| numbers::app(room.key.app)).collect();
        let owner_names: Vec<String> =
            self.rooms.iter().map(|room| room.owner_name.as_str().to_owned()).collect();
        let dissolved: Vec<Option<i64>> =
            self.rooms.iter().map(|room| room.dissolved.map(chatroom_core::Timestamp::as_millis)).collect();
        Some(call!(
            sql,
            apps,
            column(|room| numbers::room(room.key.id)),
            column(|room| numbers::user(room.owner)),
            owner_names,
            bytes(|room| &room.info.name),
            bytes(|room| &room.info.description),
            column(|room| room.info.max_users.into()),
            bytes(|room| &room.info.custom),
            column(|room| room.created.as_millis()),
            dissolved,
        ))
    }
}

impl Users {
    fn call(mut self, sql: &'static str) -> Option<Call> {
        if self.users.is_empty() {
            return None;
        }
        // Two groups that take the same names take them in the same order.
        self.users.sort_by(|a, b| (a.app, &a.name).cmp(&(b.app, &b.name)));
        let apps: Vec<Uuid> = self.users.iter().map(|user| numbers::app(user.app)).collect();
        let ids: Vec<i64> = self.users.iter().map(|user| numbers::user(user.id)).collect();
        let names: Vec<String> = self.users.iter().map(|user| user.name.as_str().to_owned()).collect();
        let nicknames: Vec<Option<Vec<u8>>> = self
            .users
            .iter()
            .map(|user| user.nickname.as_ref().map(|text| text.as_bytes().to_vec()))
            .collect();
        let deleted: Vec<bool> = self.users.iter().map(|user| user.deleted).collect();
        Some(call!(sql, apps, ids, names, nicknames, deleted))
    }
}

impl Sweeps {
    fn push(&mut self, sweep: Sweep) {
        let (kind, subject) = match sweep {
            Sweep::Room(room) => (1, numbers::room(room.id)),
            Sweep::User(_, user) => (2, numbers::user(user)),
            Sweep::App(_) => (3, 0),
        };
        self.apps.push(numbers::app(sweep.app()));
        self.kinds.push(kind);
        self.subjects.push(subject);
    }

    fn call(self, sql: &'static str) -> Option<Call> {
        (!self.apps.is_empty()).then(|| call!(sql, self.apps, self.kinds, self.subjects))
    }
}

impl Sorted {
    fn add(&mut self, key: &Key, change: &Change) {
        let new = !change.was_there;
        match (key, &change.now) {
            (Key::Membership(room, _), Some(Record::Membership(membership))) => {
                let into = if new { &mut self.members_new } else { &mut self.members_moved };
                into.push(room, numbers::user(membership.user), numbers::joined(membership.joined));
            }
            (Key::Membership(room, user), _) => self.members_gone.push((*room, *user)),
            (Key::Room(_), Some(Record::Room(room))) => {
                let into = if new { &mut self.rooms_new } else { &mut self.rooms_changed };
                into.rooms.push(room.clone());
            }
            (Key::Room(room), _) => self.rooms_gone.push(*room),
            (Key::User(..), Some(Record::User(user))) => {
                let into = if new { &mut self.users_new } else { &mut self.users_changed };
                into.users.push(user.clone());
            }
            (Key::User(app, user), _) => self.users_gone.push((numbers::app(*app), numbers::user(*user))),
            (Key::Sweep(sweep), Some(_)) => self.sweeps_new.push(*sweep),
            (Key::Sweep(sweep), None) => self.sweeps_gone.push(*sweep),
            (Key::App(_), Some(Record::App(app))) => {
                self.registry = true;
                self.others.push(registry::put_app(app, new));
            }
            (Key::App(app), _) => {
                self.registry = true;
                self.others.push(registry::delete_app(*app));
            }
            (Key::Rule(..), Some(Record::Rule(rule))) => {
                self.rules_of.insert(rule.app);
                self.others.push(registry::put_rule(rule));
            }
            (Key::Rule(app, rule), _) => {
                self.rules_of.insert(*app);
                self.others.push(registry::delete_rule(*app, *rule));
            }
        }
    }

    /// What must be there before events are.
    fn before_rooms(&mut self) -> Vec<Call> {
        let take = std::mem::take::<Rooms>;
        let calls =
            [take(&mut self.rooms_new).call(INSERT_ROOMS), take(&mut self.rooms_changed).call(UPDATE_ROOMS)];
        calls.into_iter().flatten().collect()
    }

    /// Where the memberships lay that go.
    fn spots(&self, read: &Spots) -> Result<Vec<Spot>, StorageError> {
        let unread = || corrupt("a membership is to go", "and was not read");
        self.members_gone.iter().map(|key| read.get(key).copied().ok_or_else(unread)).collect()
    }

    fn behind_rooms(self) -> Vec<Call> {
        let mut calls = Vec::new();
        calls.extend(self.members_new.call(INSERT_MEMBERSHIPS));
        calls.extend(self.members_moved.call(UPDATE_MEMBERSHIPS));
        // A name may be given up and taken again in one group.
        calls.extend(self.users_changed.call(UPDATE_USERS));
        calls.extend(self.users_new.call(INSERT_USERS));
        calls.extend(self.sweeps_new.call(INSERT_SWEEPS));
        calls.extend(self.sweeps_gone.call(DELETE_SWEEPS));
        if !self.rooms_gone.is_empty() {
            let (apps, ids): (Vec<Uuid>, Vec<i64>) =
                self.rooms_gone.iter().map(|key| (numbers::app(key.app), numbers::room(key.id))).unzip();
            calls.push(call!(DELETE_ROOMS, apps, ids));
        }
        if !self.users_gone.is_empty() {
            let (apps, ids): (Vec<Uuid>, Vec<i64>) = self.users_gone.into_iter().unzip();
            calls.push(call!(DELETE_USERS, apps, ids));
        }
        calls.extend(self.others);
        for app in &self.rules_of {
            calls.push(call!(MARK_RULES, numbers::app(*app)));
        }
        if self.registry || !self.rules_of.is_empty() {
            calls.push(call!(REGISTRY));
        }
        calls
    }
}
