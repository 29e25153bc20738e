//! Ids as JSON says them: texts, since a number of 64 bits does not survive every reader.

use std::borrow::Cow;
use std::fmt;

use chatroom_core::{AppId, ChatroomId, EventId, RoomKey, RuleId, UserId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// 128 bits, written as a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Id(pub(in super::super) u128);

/// 64 bits, written as decimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits(u64);

/// The id of a room: decimal digits, as everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomId(ChatroomId);

/// 32 bytes that nobody may see, in hexadecimal digits.
#[derive(Clone, Copy)]
pub(super) struct Bytes(pub(super) [u8; 32]);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&Uuid::from_u128(self.0).hyphenated())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        Uuid::try_parse(&text).map(|id| Self(id.as_u128())).map_err(D::Error::custom)
    }
}

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digits {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for RoomId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RoomId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        // What is wrong is not shown: it may be most of a secret.
        let wrong = || D::Error::custom("a digest or a key is 64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; 32];
        for (n, byte) in bytes.iter_mut().enumerate() {
            let hex = text.get(2 * n..2 * n + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            *byte = hex.ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }
}

impl From<AppId> for Id {
    fn from(id: AppId) -> Self {
        Self(id.0)
    }
}

impl From<RuleId> for Id {
    fn from(id: RuleId) -> Self {
        Self(id.0)
    }
}

impl From<EventId> for Id {
    fn from(id: EventId) -> Self {
        Self(id.0)
    }
}

impl From<UserId> for Digits {
    fn from(id: UserId) -> Self {
        Self(id.0)
    }
}

impl From<Digits> for UserId {
    fn from(digits: Digits) -> Self {
        Self(digits.0)
    }
}

impl From<ChatroomId> for RoomId {
    fn from(id: ChatroomId) -> Self {
        Self(id)
    }
}

impl From<RoomId> for ChatroomId {
    fn from(id: RoomId) -> Self {
        id.0
    }
}

/// The name of a room for the whole service.
pub(super) fn room_key(app: Id, room: RoomId) -> RoomKey {
    RoomKey { app: AppId(app.0), id: room.0 }
}
