use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use chatroom_core::ChatroomId;
use chatroom_protocol::path;

/// The id of a room on any server: a [`ChatroomId`] where this project's server made it, another text where the
/// vendor's cloud did (14 digits, or an id that the app chose).
///
/// Methods take anything that becomes one: a [`ChatroomId`], a [`RoomId`], or a reference to either.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(Arc<str>);

/// Why a text is no room id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a room id: 1 to 64 bytes that can stand in a path, without a comma")]
pub struct InvalidRoomId(String);

const LONGEST: usize = 64;

impl RoomId {
    /// The id as it stands in a path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as one that this project's server makes, if it has that form.
    #[must_use]
    pub fn chatroom_id(&self) -> Option<ChatroomId> {
        self.0.parse().ok()
    }
}

impl FromStr for RoomId {
    type Err = InvalidRoomId;

    fn from_str(text: &str) -> Result<Self, InvalidRoomId> {
        // A comma would name several rooms.
        if text.len() > LONGEST || text.contains(',') || path::encode(&[text]).is_err() {
            return Err(InvalidRoomId(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl From<ChatroomId> for RoomId {
    fn from(id: ChatroomId) -> Self {
        Self(id.to_string().into())
    }
}

impl From<&ChatroomId> for RoomId {
    fn from(id: &ChatroomId) -> Self {
        Self::from(*id)
    }
}

impl From<&RoomId> for RoomId {
    fn from(id: &RoomId) -> Self {
        id.clone()
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RoomId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_of_the_vendors_cloud_has_an_id_too() {
        let room: RoomId = "66021836783617".parse().unwrap();
        assert_eq!(room.chatroom_id(), None);
        let ours: ChatroomId = "181234567890123".parse().unwrap();
        assert_eq!(RoomId::from(ours).chatroom_id(), Some(ours));
    }

    #[test]
    fn what_cannot_stand_in_a_path_is_no_room_id() {
        for bad in ["", ".", "..", "a/b", "1,2", "a\0", &"1".repeat(65)] {
            assert!(bad.parse::<RoomId>().is_err(), "{bad:?}");
        }
    }
}
