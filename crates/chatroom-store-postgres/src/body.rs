//! What an event tells, as bytes: a version, then names one a line, or JSON.

use std::sync::Arc;

use chatroom_core::{EventClass, EventKind, Leaving, RoomInfo, StorageError, StorageErrorKind, Username};
use serde_json::{Value, json};

use crate::error::corrupt;

/// The newest version that this code writes and reads.
const VERSION: u8 = 1;

const CREATED: i16 = 1;
const JOINED: i16 = 2;
const KICKED: i16 = 3;
const QUIT: i16 = 4;
const ROOM_DISSOLVED: i16 = 5;
const DISSOLVED: i16 = 6;

/// The kind's number, and the rest of it.
pub(crate) fn encode(kind: &EventKind) -> Result<(i16, Vec<u8>), StorageError> {
    Ok(match kind {
        EventKind::Created { owner, info } => {
            let fields = json!([owner.as_str(), info.name, info.description, info.max_users, info.custom]);
            let mut body = vec![VERSION];
            body.extend_from_slice(fields.to_string().as_bytes());
            (CREATED, body)
        }
        EventKind::Joined { members } => (JOINED, names(members)),
        EventKind::Left { members, why } => {
            let number = match why {
                Leaving::Kicked => KICKED,
                Leaving::UserDeleted => QUIT,
                Leaving::RoomDissolved => ROOM_DISSOLVED,
                _ => return Err(unknown("a leaving of this kind")),
            };
            (number, names(members))
        }
        EventKind::Dissolved => (DISSOLVED, vec![VERSION]),
        _ => return Err(unknown("an event of this kind")),
    })
}

fn unknown(what: &str) -> StorageError {
    StorageError::new(StorageErrorKind::Corrupt, format!("the database has no format for {what}"))
}

fn names(members: &[Username]) -> Vec<u8> {
    let mut body = vec![VERSION];
    for (index, name) in members.iter().enumerate() {
        if index > 0 {
            body.push(b'\n');
        }
        body.extend_from_slice(name.as_str().as_bytes());
    }
    body
}

/// The kind of this number.
pub(crate) fn decode(number: i16, body: &[u8]) -> Result<EventKind, StorageError> {
    let (version, rest) = body.split_first().ok_or_else(|| unknown("an event without a version"))?;
    if *version != VERSION {
        return Err(unknown(&format!("events of version {version}: a newer version wrote it")));
    }
    let left = |why| Ok(EventKind::Left { members: members(rest)?, why });
    match number {
        CREATED => created(rest),
        JOINED => Ok(EventKind::Joined { members: members(rest)? }),
        KICKED => left(Leaving::Kicked),
        QUIT => left(Leaving::UserDeleted),
        ROOM_DISSOLVED => left(Leaving::RoomDissolved),
        DISSOLVED => Ok(EventKind::Dissolved),
        _ => Err(unknown("an event of this number: a newer version wrote it")),
    }
}

fn created(body: &[u8]) -> Result<EventKind, StorageError> {
    let fields: [Value; 5] =
        serde_json::from_slice(body).map_err(|error| corrupt("an event is not readable", error))?;
    let text =
        |value: &Value| value.as_str().map(Box::<str>::from).ok_or_else(|| unknown("a text that is none"));
    let [owner, name, description, max_users, custom] = &fields;
    let max_users = max_users.as_u64().and_then(|number| u32::try_from(number).ok());
    let info = RoomInfo {
        name: text(name)?,
        description: text(description)?,
        max_users: max_users.ok_or_else(|| unknown("a bound that is none"))?,
        custom: text(custom)?,
    };
    Ok(EventKind::Created { owner: username(&text(owner)?)?, info: Arc::new(info) })
}

fn members(body: &[u8]) -> Result<Vec<Username>, StorageError> {
    let text = std::str::from_utf8(body).map_err(|error| corrupt("an event is not text", error))?;
    text.split('\n').map(username).collect()
}

/// The class of the kind of this number.
pub(crate) fn class(number: i16) -> Result<EventClass, StorageError> {
    match number {
        CREATED => Ok(EventClass::Created),
        JOINED => Ok(EventClass::Joined),
        KICKED => Ok(EventClass::Kicked),
        QUIT => Ok(EventClass::Quit),
        ROOM_DISSOLVED => Ok(EventClass::RoomDissolved),
        DISSOLVED => Ok(EventClass::Dissolved),
        _ => Err(unknown("an event of this number: a newer version wrote it")),
    }
}

/// A username as it is stored.
pub(crate) fn username(text: &str) -> Result<Username, StorageError> {
    text.parse().map_err(|error: chatroom_core::InvalidUsername| corrupt("a username is none", error))
}

#[cfg(test)]
mod tests {
    use chatroom_core::test_util::name;

    use super::*;

    #[test]
    fn every_kind_is_read_as_it_was_written() {
        let info = RoomInfo {
            name: "聊天\u{0}室".into(),
            description: "\"\\\n".into(),
            max_users: u32::MAX,
            custom: "{}".into(),
        };
        let members = vec![name("a"), name("b-1.c")];
        let left = |why| EventKind::Left { members: members.clone(), why };
        let kinds = [
            EventKind::Created { owner: name("o"), info: Arc::new(info) },
            EventKind::Joined { members: members.clone() },
            left(Leaving::Kicked),
            left(Leaving::UserDeleted),
            left(Leaving::RoomDissolved),
            EventKind::Dissolved,
        ];
        for kind in kinds {
            let (number, body) = encode(&kind).unwrap();
            assert_eq!(body.first(), Some(&VERSION));
            assert_eq!(class(number).unwrap(), EventClass::of(&kind));
            assert_eq!(decode(number, &body).unwrap(), kind);
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_an_error() {
        assert!(decode(DISSOLVED, &[VERSION + 1]).is_err());
        assert!(decode(99, &[VERSION]).is_err());
        assert!(decode(DISSOLVED, &[]).is_err());
    }
}
