//! What a receiver is told, as it is read (contract §7.4).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What happened. More will: match what you need and pass over the rest.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// `LEAVE`: members are gone.
    Left {
        /// Who.
        members: Vec<String>,
        /// Why.
        why: Left,
    },
    /// `JOIN`: members came.
    Joined {
        /// Who.
        members: Vec<String>,
        /// How.
        how: Joined,
        /// What a client said when it joined.
        ext: Option<String>,
    },
    /// `CREATE`: a room was made.
    Created {
        /// Roles by user: `owner`, `admin`.
        roles: BTreeMap<String, String>,
        /// Its members, as far as they are told here.
        members: Vec<String>,
        /// What is known of the room.
        info: BTreeMap<String, Value>,
    },
    /// `DELETE`: the room was dissolved.
    Dissolved,
    /// `UPDATE`/`INFO`: what is known of the room was changed.
    InfoChanged(BTreeMap<String, Value>),
    /// `UPDATE`/`ANNOUNCEMENT`: none if it was cleared.
    AnnouncementChanged(Option<String>),
    /// `UPDATE`/`OWNER`.
    OwnerChanged {
        /// Who was.
        from: String,
        /// Who is.
        to: String,
    },
    /// `UPDATE`/`MUTE`: whether everybody is muted.
    AllMuted(bool),
    /// `ADMIN`.
    Admins(Change),
    /// `MUTE`.
    Muted(Change),
    /// `BLOCK`.
    Blocked(Change),
    /// `WHITE`: the list of those whom no mute concerns.
    Allowed(Change),
    /// `ROOM_SUPER_ADMIN`.
    SuperAdmins(Change),
    /// Something else: see [`Callback::raw`](super::Callback::raw).
    Other,
}

/// Why members are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Left {
    /// They were removed: `KICK`.
    Kicked,
    /// `QUIT`: they left (`user_quit`), went offline (`user_offline`), or were deleted (`user_deleted`).
    Quit {
        /// Which.
        action: Option<String>,
    },
    /// They were put on the block list: `BLOCK`.
    Blocked,
    /// The room was dissolved: `DELETE`.
    RoomDissolved,
    /// Another type.
    Other(String),
}

/// How members came.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Joined {
    /// They were added, or entered: `DIRECT`.
    Direct,
    /// They asked and were let in: `APPLY`.
    Applied,
    /// Another type.
    Other(String),
}

/// A change to a list of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Whether they were put on it, or taken off.
    pub added: bool,
    /// Who.
    pub users: Vec<String>,
    /// Until when, in milliseconds since 1970.
    pub expires: Option<i64>,
}

/// All that payloads hold.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Payload {
    #[serde(rename = "type")]
    kind: Option<String>,
    member: Option<Vec<String>>,
    admin: Option<Vec<String>>,
    action: Option<String>,
    options: Option<Options>,
    role: Option<BTreeMap<String, String>>,
    info: Option<BTreeMap<String, Value>>,
    announcement: Option<String>,
    owner: Option<String>,
    new_owner: Option<String>,
    mute: Option<bool>,
    expire_timestamp: Option<i64>,
}

#[derive(Deserialize, Default)]
struct Options {
    ext: Option<String>,
}

impl Event {
    /// Reads a payload. What is not as expected is [`Event::Other`], never an error.
    pub(super) fn read(operation: &str, payload: Option<&Value>) -> Self {
        if operation == "DELETE" {
            return Self::Dissolved;
        }
        let payload = payload.and_then(|payload| Payload::deserialize(payload).ok());
        payload.and_then(|payload| payload.event(operation)).unwrap_or(Self::Other)
    }
}

impl Payload {
    fn event(self, operation: &str) -> Option<Event> {
        let kind = self.kind.as_deref().unwrap_or_default();
        Some(match (operation, kind) {
            ("LEAVE", kind) => {
                let why = match kind {
                    "KICK" => Left::Kicked,
                    "QUIT" => Left::Quit { action: self.action },
                    "BLOCK" => Left::Blocked,
                    "DELETE" => Left::RoomDissolved,
                    other => Left::Other(other.to_owned()),
                };
                Event::Left { members: self.member?, why }
            }
            ("JOIN", kind) => {
                let how = match kind {
                    "DIRECT" => Joined::Direct,
                    "APPLY" => Joined::Applied,
                    other => Joined::Other(other.to_owned()),
                };
                let ext = self.options.and_then(|options| options.ext);
                Event::Joined { members: self.member?, how, ext }
            }
            ("CREATE", _) => Event::Created {
                roles: self.role.unwrap_or_default(),
                members: self.member.unwrap_or_default(),
                info: self.info?,
            },
            ("UPDATE", "INFO") => Event::InfoChanged(self.info?),
            ("UPDATE", "ANNOUNCEMENT") => Event::AnnouncementChanged(self.announcement),
            ("UPDATE", "OWNER") => Event::OwnerChanged { from: self.owner?, to: self.new_owner? },
            ("UPDATE", "MUTE") => Event::AllMuted(self.mute?),
            ("ADMIN", _) => Event::Admins(self.change(self.admin.clone())?),
            ("MUTE", _) => Event::Muted(self.change(self.member.clone())?),
            ("BLOCK", _) => Event::Blocked(self.change(self.member.clone())?),
            ("WHITE", _) => Event::Allowed(self.change(self.member.clone())?),
            ("ROOM_SUPER_ADMIN", _) => Event::SuperAdmins(self.change(self.admin.clone())?),
            _ => return None,
        })
    }

    fn change(&self, users: Option<Vec<String>>) -> Option<Change> {
        let added = match self.kind.as_deref() {
            Some("ADD") => true,
            Some("REMOVE") => false,
            _ => return None,
        };
        Some(Change { added, users: users?, expires: self.expire_timestamp })
    }
}
