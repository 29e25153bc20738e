//! Removals lock nothing: what they rely on is compared when they write (ADR 11). They read only what is not known, or,
//! where that was not enough, everything (ADR 12).

use std::sync::Arc;

use chatroom_core::{
    Action, Facts as _, JoinOrder, LoadedRoom, Membership, Operation, ReadSet, RoomFact, StorageError,
};
use tokio_postgres::Row;
use uuid::Uuid;

use super::Trouble;
use super::load::{self, Facts};
use crate::known::{Known, KnownApp};
use crate::numbers;
use crate::rows;
use crate::session::{Call, Session, call};

/// Apps, and the version of the registry that they are of.
const APPS: &str = "\
    SELECT app, org, name, client_id, secret, generation, signing_key, origin, state, created, has_rules, \
        (SELECT version FROM registry) AS version \
    FROM apps WHERE app = ANY($1)";
/// Rooms, where their logs end, and whether their owners live.
const ROOMS: &str = "\
    SELECT r.app, r.id, r.owner, r.owner_name, r.name, r.description, r.max_users, r.custom, r.created, r.dissolved, \
        o.id IS NOT NULL AS owner_lives, l.seq, l.members, l.at \
    FROM unnest($1::uuid[], $2::bigint[]) AS q (app, id) \
    JOIN rooms r ON r.app = q.app AND r.id = q.id \
    JOIN logs l ON l.app = q.app AND l.room = q.id \
    LEFT JOIN users o ON o.app = r.app AND o.id = r.owner AND NOT o.deleted";

/// How a look learns of what removals are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// By what this process knows; the rest it reads. Whether those who are to go are members is presumed: deleting
    /// them says whether it is so. Nobody may be refused by that.
    Known,
    /// It reads everything.
    Read,
}

enum Kind {
    Apps,
    Rooms,
    Users,
    Places,
}

/// Whether all of these are removals of members, which need nothing but their rooms to stand.
pub(super) fn is_enough_for(operations: &[&Operation]) -> bool {
    operations.iter().all(|operation| matches!(operation.action, Action::RemoveMembers(_)))
}

/// Gathers what removals are about, and locks nothing. Rooms are read before the memberships in them.
pub(super) async fn look(
    session: &mut Session,
    known: &Known,
    reads: &ReadSet,
    how: Look,
) -> Result<Facts, Trouble> {
    let mut facts = Facts::default();
    let asked = match how {
        Look::Known => missing(known, reads, &mut facts),
        Look::Read => {
            known.forget(reads);
            everything(reads)
        }
    };
    let (kinds, calls): (Vec<Kind>, Vec<Call>) = asked.into_iter().unzip();
    if !calls.is_empty() {
        session.prepare(&calls).await?;
        let found = session.send(&[], calls, &[]).await.rows()?;
        for (kind, rows) in kinds.iter().zip(&found) {
            for row in rows {
                facts.learn(kind, row, reads, known)?;
            }
        }
    }
    if how == Look::Known {
        facts.presume_memberships(reads);
    }
    Ok(facts)
}

fn everything(reads: &ReadSet) -> Vec<(Kind, Call)> {
    let (apps, ids) = load::room_keys(reads.rooms.keys());
    let rooms = call!(ROOMS, apps, ids);
    vec![(Kind::Apps, apps_call(reads)), (Kind::Rooms, rooms), (Kind::Places, load::places_call(reads))]
}

/// Takes what is known, and says what is to be asked for.
fn missing(known: &Known, reads: &ReadSet, facts: &mut Facts) -> Vec<(Kind, Call)> {
    let mut calls = Vec::new();
    match known.apps(reads.apps.keys()) {
        Some(apps) => apps.iter().for_each(|app| facts.know_app(app)),
        None => calls.push((Kind::Apps, apps_call(reads))),
    }
    let mut unknown = Vec::new();
    for key in reads.rooms.keys() {
        match known.room(key) {
            Some(room) => facts.know_room(room),
            None => unknown.push(key),
        }
    }
    if !unknown.is_empty() {
        let (apps, ids) = load::room_keys(unknown.into_iter());
        calls.push((Kind::Rooms, call!(ROOMS, apps, ids)));
    }
    let (mut apps, mut names) = (Vec::<Uuid>::new(), Vec::<String>::new());
    for name in reads.names.keys() {
        match known.user(name) {
            Some(user) => facts.loaded.load_user(user),
            None => {
                apps.push(numbers::app(name.0));
                names.push(name.1.as_str().to_owned());
            }
        }
    }
    if !names.is_empty() {
        calls.push((Kind::Users, load::names_call(apps, names)));
    }
    calls
}

fn apps_call(reads: &ReadSet) -> Call {
    let apps: Vec<Uuid> = reads.apps.keys().map(|app| numbers::app(*app)).collect();
    call!(APPS, apps)
}

impl Facts {
    fn learn(&mut self, kind: &Kind, row: &Row, reads: &ReadSet, known: &Known) -> Result<(), StorageError> {
        match kind {
            Kind::Apps => {
                let (told, version) = (rows::get(row, "has_rules")?, rows::get(row, "version")?);
                let app = Arc::new(KnownApp { app: rows::app(row)?, told, version });
                self.know_app(&app);
                if app.app.answers() {
                    known.learn_app(app);
                }
            }
            Kind::Rooms => {
                let room = LoadedRoom {
                    room: rows::room(row)?,
                    counters: rows::counters(row)?,
                    at: numbers::time_of(rows::get(row, "at")?),
                    owner_lives: rows::get(row, "owner_lives")?,
                };
                self.know_room(room.clone());
                if self.loaded.room(&room.room.key).as_ref().is_some_and(RoomFact::exists) {
                    known.learn_room(room);
                }
            }
            Kind::Users => {
                let user = rows::user(row)?;
                self.loaded.load_user(user.clone());
                known.learn_user(user);
            }
            Kind::Places => {
                self.place(row, reads)?;
                known.learn_user(rows::user(row)?);
            }
        }
        Ok(())
    }

    fn know_app(&mut self, known: &KnownApp) {
        if known.told {
            self.told.insert(known.app.id);
        }
        self.registry = Some(known.version);
        self.loaded.load_app(known.app.clone());
    }

    fn know_room(&mut self, room: LoadedRoom) {
        self.logs.insert(room.room.key, (room.counters, room.at));
        self.loaded.load_room(room);
    }

    /// Everybody who is to go is a member, until deleting the memberships says otherwise. Where they stand in the order
    /// of joining no removal asks.
    fn presume_memberships(&mut self, reads: &ReadSet) {
        for (room, name) in &reads.places {
            if let Some(user) = self.loaded.user(room.app, name) {
                let joined = JoinOrder(0);
                self.loaded.load_membership(Membership { room: *room, user: user.id, joined });
            }
        }
    }
}
