//! Rows as what they mean.

use std::sync::Arc;

use chatroom_core::{
    App, AppKey, AppState, Counters, Credentials, Event, EventClass, EventId, Origin, Outgoing, Room,
    RoomInfo, Rule, RuleId, RuleSecret, RuleSecrets, RuleState, SecretDigest, SigningKey, StorageError,
    Sweep, User,
};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::body::{decode, username};
use crate::error::corrupt;
use crate::numbers::{app_of, from_db, room_id, room_of, seq_of, small, time_of, user_of};

/// A column of a row.
pub(crate) fn get<'r, T: FromSql<'r>>(row: &'r Row, name: &str) -> Result<T, StorageError> {
    row.try_get(name).map_err(|error| corrupt("a column is not what it must be", error))
}

fn text(row: &Row, name: &str) -> Result<Box<str>, StorageError> {
    let bytes: &[u8] = get(row, name)?;
    let text = std::str::from_utf8(bytes).map_err(|error| corrupt("a text is not UTF-8", error))?;
    Ok(text.into())
}

fn bytes32(row: &Row, name: &str) -> Result<[u8; 32], StorageError> {
    let bytes: &[u8] = get(row, name)?;
    bytes.try_into().map_err(|error| corrupt("a key has not 32 bytes", error))
}

fn unknown(what: &str, number: i16) -> StorageError {
    corrupt("a row holds something that does not exist", format!("{what} {number}"))
}

pub(crate) fn user(row: &Row) -> Result<User, StorageError> {
    let nickname: Option<&[u8]> = get(row, "nickname")?;
    let nickname = nickname.map(|_| text(row, "nickname")).transpose()?.map(Arc::from);
    Ok(User {
        app: app_of(get(row, "app")?),
        id: user_of(get(row, "id")?)?,
        name: username(get(row, "name")?)?,
        nickname,
        deleted: get(row, "deleted")?,
    })
}

pub(crate) fn room(row: &Row) -> Result<Room, StorageError> {
    let info = RoomInfo {
        name: text(row, "name")?,
        description: text(row, "description")?,
        max_users: small(get(row, "max_users")?)?,
        custom: text(row, "custom")?,
    };
    let dissolved: Option<i64> = get(row, "dissolved")?;
    Ok(Room {
        key: room_of(get(row, "app")?, get(row, "id")?)?,
        owner: user_of(get(row, "owner")?)?,
        owner_name: username(get(row, "owner_name")?)?,
        info: Arc::new(info),
        created: time_of(get(row, "created")?),
        dissolved: dissolved.map(time_of),
    })
}

pub(crate) fn counters(row: &Row) -> Result<Counters, StorageError> {
    Ok(Counters { seq: seq_of(get(row, "seq")?)?, members: small(get(row, "members")?)? })
}

pub(crate) fn event(row: &Row) -> Result<Event, StorageError> {
    let id: Uuid = get(row, "id")?;
    Ok(Event {
        id: EventId(id.as_u128()),
        room: room_of(get(row, "app")?, get(row, "room")?)?,
        seq: seq_of(get(row, "seq")?)?,
        at: time_of(get(row, "at")?),
        members: small(get(row, "members")?)?,
        kind: decode(get(row, "kind")?, get(row, "body")?)?,
    })
}

pub(crate) fn app(row: &Row) -> Result<App, StorageError> {
    let credentials = Credentials {
        client_id: text(row, "client_id")?,
        secret: SecretDigest(bytes32(row, "secret")?),
        generation: small(get(row, "generation")?)?,
    };
    Ok(App {
        id: app_of(get(row, "app")?),
        key: app_key(row, "org", "name")?,
        credentials,
        signing_key: SigningKey(bytes32(row, "signing_key")?),
        origin: origin(get(row, "origin")?)?,
        state: match get(row, "state")? {
            1 => AppState::Enabled,
            2 => AppState::Disabled,
            3 => AppState::Deleted,
            other => return Err(unknown("a state of an app", other)),
        },
        created: time_of(get(row, "created")?),
    })
}

fn app_key(row: &Row, org: &str, name: &str) -> Result<AppKey, StorageError> {
    let key = AppKey::from_parts(get(row, org)?, get(row, name)?);
    key.map_err(|error| corrupt("an app key is none", error))
}

pub(crate) fn state_number(state: AppState) -> i16 {
    match state {
        AppState::Enabled => 1,
        AppState::Disabled => 2,
        AppState::Deleted => 3,
    }
}

pub(crate) fn origin_number(origin: Origin) -> i16 {
    match origin {
        Origin::Command => 1,
        Origin::Configuration => 2,
        Origin::Demo => 3,
    }
}

fn origin(number: i16) -> Result<Origin, StorageError> {
    match number {
        1 => Ok(Origin::Command),
        2 => Ok(Origin::Configuration),
        3 => Ok(Origin::Demo),
        other => Err(unknown("an origin", other)),
    }
}

pub(crate) fn rule_state_number(state: RuleState) -> i16 {
    match state {
        RuleState::Enabled => 1,
        RuleState::Disabled => 2,
        RuleState::Retired => 3,
    }
}

/// Of a rule joined with its app, whose key comes as `org` and `app_name`.
pub(crate) fn rule(row: &Row) -> Result<Rule, StorageError> {
    let id: Uuid = get(row, "id")?;
    let outgoing: Option<i64> = get(row, "outgoing_until")?;
    let outgoing = outgoing.map(|until| {
        Ok::<_, StorageError>(Outgoing {
            secret: RuleSecret::new(text(row, "outgoing_secret")?),
            until: time_of(until),
        })
    });
    let events: Option<Vec<String>> = get(row, "events")?;
    let events = events.map(|names| {
        let classes = names.iter().map(|name| EventClass::parse(name)).collect::<Result<Vec<_>, _>>();
        classes.map(|classes| classes.into_iter().flatten().collect())
    });
    let rooms: Option<Vec<i64>> = get(row, "rooms")?;
    let rooms = rooms.map(|ids| ids.into_iter().map(room_id).collect::<Result<_, _>>());
    Ok(Rule {
        id: RuleId(id.as_u128()),
        app: app_of(get(row, "app")?),
        app_key: app_key(row, "org", "app_name")?,
        name: get::<&str>(row, "name")?
            .parse()
            .map_err(|error: chatroom_core::InvalidRuleName| corrupt("a rule's name is none", error))?,
        url: get::<&str>(row, "url")?.into(),
        secrets: RuleSecrets {
            newest: RuleSecret::new(text(row, "secret")?),
            outgoing: outgoing.transpose()?,
        },
        state: match get(row, "state")? {
            1 => RuleState::Enabled,
            2 => RuleState::Disabled,
            3 => RuleState::Retired,
            other => return Err(unknown("a state of a rule", other)),
        },
        events: events.transpose().map_err(|error| corrupt("a rule's kind of event is none", error))?,
        rooms: rooms.transpose()?,
        origin: origin(get(row, "origin")?)?,
        created: time_of(get(row, "created")?),
    })
}

/// A count of the database.
pub(crate) fn count(row: &Row, name: &str) -> Result<u64, StorageError> {
    from_db(get(row, name)?)
}

pub(crate) fn sweep(row: &Row) -> Result<Sweep, StorageError> {
    let (app, subject): (Uuid, i64) = (get(row, "app")?, get(row, "subject")?);
    Ok(match get(row, "kind")? {
        1 => Sweep::Room(room_of(app, subject)?),
        2 => Sweep::User(app_of(app), user_of(subject)?),
        3 => Sweep::App(app_of(app)),
        other => return Err(unknown("a sweep", other)),
    })
}
