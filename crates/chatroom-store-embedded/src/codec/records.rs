//! The parts of records that lean on nothing: each is written and read here, side by side.

use std::sync::Arc;

use chatroom_core::{
    App, AppId, AppKey, AppState, Credentials, Event, EventId, EventKind, Leaving, Origin, RoomInfo, RoomKey,
    SecretDigest, Seq, SigningKey, Timestamp, Username,
};

use super::bytes::{Reader, put_signed, put_text, put_varint};
use super::{DecodeError, Unencodable};

pub(super) const UNKNOWN: DecodeError =
    DecodeError::Malformed("it holds something of a kind that does not exist");

pub(super) fn put_time(out: &mut Vec<u8>, at: Timestamp) {
    put_signed(out, at.as_millis());
}

pub(super) fn time(from: &mut Reader<'_>) -> Result<Timestamp, DecodeError> {
    Ok(Timestamp::from_millis(from.signed()?))
}

pub(super) fn name(from: &mut Reader<'_>) -> Result<Username, DecodeError> {
    from.text()?.parse().map_err(|_illegal| DecodeError::Malformed("it holds a name that is no username"))
}

pub(super) fn put_info(out: &mut Vec<u8>, info: &RoomInfo) {
    put_text(out, &info.name);
    put_text(out, &info.description);
    put_varint(out, info.max_users.into());
    put_text(out, &info.custom);
}

pub(super) fn info(from: &mut Reader<'_>) -> Result<Arc<RoomInfo>, DecodeError> {
    let name = from.text()?.into();
    let description = from.text()?.into();
    let max_users = from.number()?;
    let custom = from.text()?.into();
    Ok(Arc::new(RoomInfo { name, description, max_users, custom }))
}

pub(super) fn put_origin(out: &mut Vec<u8>, origin: Origin) {
    out.push(match origin {
        Origin::Command => 1,
        Origin::Configuration => 2,
        Origin::Demo => 3,
    });
}

pub(super) fn origin(from: &mut Reader<'_>) -> Result<Origin, DecodeError> {
    Ok(match from.byte()? {
        1 => Origin::Command,
        2 => Origin::Configuration,
        3 => Origin::Demo,
        _ => return Err(UNKNOWN),
    })
}

/// All of an app but its id.
pub(super) fn put_app(out: &mut Vec<u8>, app: &App) {
    put_text(out, app.key.org());
    put_text(out, app.key.app());
    put_text(out, &app.credentials.client_id);
    out.extend_from_slice(&app.credentials.secret.0);
    put_varint(out, app.credentials.generation.into());
    out.extend_from_slice(&app.signing_key.0);
    put_origin(out, app.origin);
    out.push(match app.state {
        AppState::Enabled => 1,
        AppState::Disabled => 2,
        AppState::Deleted => 3,
    });
    put_time(out, app.created);
}

pub(super) fn app(id: AppId, from: &mut Reader<'_>) -> Result<App, DecodeError> {
    let (org, app) = (from.text()?, from.text()?);
    let key = AppKey::from_parts(org, app)
        .map_err(|_illegal| DecodeError::Malformed("it holds an app key that is none"))?;
    let client_id = from.text()?.into();
    let secret = SecretDigest(from.array()?);
    let generation = from.number()?;
    let signing_key = SigningKey(from.array()?);
    let origin = origin(from)?;
    let state = match from.byte()? {
        1 => AppState::Enabled,
        2 => AppState::Disabled,
        3 => AppState::Deleted,
        _ => return Err(UNKNOWN),
    };
    let credentials = Credentials { client_id, secret, generation };
    Ok(App { id, key, credentials, signing_key, origin, state, created: time(from)? })
}

/// All of an event but its room.
pub(super) fn put_event(out: &mut Vec<u8>, event: &Event) -> Result<(), Unencodable> {
    out.extend_from_slice(&event.id.0.to_be_bytes());
    put_varint(out, event.seq.0);
    put_time(out, event.at);
    put_varint(out, event.members.into());
    match &event.kind {
        EventKind::Created { owner, info } => {
            out.push(1);
            put_text(out, owner.as_str());
            put_info(out, info);
        }
        EventKind::Joined { members } => {
            out.push(2);
            put_names(out, members);
        }
        EventKind::Left { members, why } => {
            out.push(3);
            out.push(match why {
                Leaving::Kicked => 1,
                Leaving::UserDeleted => 2,
                Leaving::RoomDissolved => 3,
                _ => return Err(Unencodable("a leaving of this kind")),
            });
            put_names(out, members);
        }
        EventKind::Dissolved => out.push(4),
        _ => return Err(Unencodable("an event of this kind")),
    }
    Ok(())
}

pub(super) fn event(room: RoomKey, from: &mut Reader<'_>) -> Result<Event, DecodeError> {
    let id = EventId(u128::from_be_bytes(from.array()?));
    let seq = Seq(from.varint()?);
    let at = time(from)?;
    let members = from.number()?;
    let kind = match from.byte()? {
        1 => EventKind::Created { owner: name(from)?, info: info(from)? },
        2 => EventKind::Joined { members: names(from)? },
        3 => {
            let why = match from.byte()? {
                1 => Leaving::Kicked,
                2 => Leaving::UserDeleted,
                3 => Leaving::RoomDissolved,
                _ => return Err(UNKNOWN),
            };
            EventKind::Left { members: names(from)?, why }
        }
        4 => EventKind::Dissolved,
        _ => return Err(UNKNOWN),
    };
    Ok(Event { id, room, seq, at, members, kind })
}

fn put_names(out: &mut Vec<u8>, names: &[Username]) {
    put_varint(out, names.len() as u64);
    for name in names {
        put_text(out, name.as_str());
    }
}

fn names(from: &mut Reader<'_>) -> Result<Vec<Username>, DecodeError> {
    let count = from.count()?;
    (0..count).map(|_| name(from)).collect()
}
