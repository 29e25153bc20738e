//! The body of a delivery, as it is written (contract §7.2 to §7.4).

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::security::security;

/// Who did what was done with an app token (decision 29).
pub const OPERATOR: &str = "@ppAdmin";

/// What a receiver is told. The body is the same on every attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice<'a> {
    /// The event's id: a UUID.
    pub id: &'a str,
    /// The app: `org#app`.
    pub app_key: &'a str,
    /// The room's id.
    pub room: &'a str,
    /// When it happened, in milliseconds since 1970.
    pub timestamp: i64,
    /// What happened.
    pub what: What<'a>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum What<'a> {
    /// `CREATE`: a room was made. Its members follow in a `JOIN`.
    Created(Created<'a>),
    /// `JOIN`/`DIRECT`: users were added.
    Joined {
        /// Who.
        members: &'a [&'a str],
        /// Members after that.
        count: u32,
    },
    /// `LEAVE`/`KICK`: members were removed.
    Kicked {
        /// Who.
        members: &'a [&'a str],
        /// Members after that.
        count: u32,
    },
    /// `LEAVE`/`QUIT` with `action` `user_deleted`: members are gone because the users were deleted (decision 36).
    UserDeleted {
        /// Who.
        members: &'a [&'a str],
        /// Members after that.
        count: u32,
    },
    /// `LEAVE`/`DELETE`: members are gone because the room was dissolved.
    RoomDissolved {
        /// Who.
        members: &'a [&'a str],
    },
    /// `DELETE`: the room was dissolved.
    Dissolved,
}

/// A room that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created<'a> {
    /// Its owner.
    pub owner: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Whatever the app keeps with it.
    pub custom: &'a str,
    /// How many members it may have.
    pub max_users: u32,
}

#[derive(Serialize)]
pub(super) struct Body<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    security: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload<'a>>,
    appkey: &'a str,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    event: &'static str,
    operation: &'static str,
    operator: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    member_count: Option<u32>,
    timestamp: i64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payload<'a> {
    Members {
        member: &'a [&'a str],
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<&'static str>,
        #[serde(rename = "type")]
        kind: &'static str,
    },
    Created {
        role: Owner<'a>,
        member: [&'a str; 0],
        info: Box<Info<'a>>,
    },
}

/// `{"tst":"owner"}`
struct Owner<'a>(&'a str);

impl Serialize for Owner<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry(self.0, "owner")?;
        map.end()
    }
}

/// What the vendor says of a room, mostly in strings.
#[derive(Serialize)]
struct Info<'a> {
    owner: String,
    created: String,
    custom: &'a str,
    description: &'a str,
    mute: &'static str,
    mute_duration: i32,
    avatar: &'static str,
    title: &'a str,
    max_users: String,
    invite_need_confirm: &'static str,
    public: &'static str,
    allow_user_invites: &'static str,
    disabled: &'static str,
    last_modified: String,
}

impl Notice<'_> {
    /// `{org}#{app}_{uuid}`.
    #[must_use]
    pub fn call_id(&self) -> String {
        format!("{}_{}", self.app_key, self.id)
    }

    /// The body, with its `security` made of this secret.
    ///
    /// # Errors
    /// If it cannot be written as JSON, which no text or number causes.
    pub fn to_json(&self, secret: &str) -> Result<Vec<u8>, serde_json::Error> {
        let call_id = self.call_id();
        let security = security(&call_id, secret, self.timestamp);
        serde_json::to_vec(&self.body(&call_id, &security))
    }

    pub(super) fn body<'s>(&'s self, call_id: &'s str, security: &'s str) -> Body<'s> {
        let (operation, payload, member_count) = self.parts();
        Body {
            call_id,
            security,
            payload,
            appkey: self.app_key,
            id: self.room,
            kind: "CHATROOM",
            event: "group_op_event",
            operation,
            operator: OPERATOR,
            member_count,
            timestamp: self.timestamp,
        }
    }

    fn parts(&self) -> (&'static str, Option<Payload<'_>>, Option<u32>) {
        let of = |member, action, kind| Some(Payload::Members { member, action, kind });
        match self.what {
            What::Created(room) => ("CREATE", Some(self.created(room)), None),
            What::Joined { members, count } => ("JOIN", of(members, None, "DIRECT"), Some(count)),
            What::Kicked { members, count } => ("LEAVE", of(members, None, "KICK"), Some(count)),
            What::UserDeleted { members, count } => {
                ("LEAVE", of(members, Some("user_deleted"), "QUIT"), Some(count))
            }
            What::RoomDissolved { members } => ("LEAVE", of(members, None, "DELETE"), None),
            What::Dissolved => ("DELETE", None, None),
        }
    }

    fn created<'s>(&self, room: Created<'s>) -> Payload<'s> {
        let info = Info {
            owner: format!("{}_{}", self.app_key, room.owner),
            created: self.timestamp.to_string(),
            custom: room.custom,
            description: room.description,
            mute: "false",
            mute_duration: -1,
            avatar: "",
            title: room.title,
            max_users: room.max_users.to_string(),
            invite_need_confirm: "false",
            public: "true",
            allow_user_invites: "false",
            disabled: "false",
            last_modified: self.timestamp.to_string(),
        };
        Payload::Created { role: Owner(room.owner), member: [], info: Box::new(info) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(what: What<'_>) -> String {
        let notice = Notice {
            id: "3667067f-ac06-4c11-96aa-a9a708c3b361",
            app_key: "org#app",
            room: "254636824002561",
            timestamp: 1_729_497_896_834,
            what,
        };
        String::from_utf8(notice.to_json("secret").unwrap()).unwrap()
    }

    #[test]
    fn decision_29_decision_30_a_removal_is_told_with_its_operator_and_the_members_that_are_left() {
        insta::assert_snapshot!(json(What::Kicked { members: &["user1"], count: 4 }), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","payload":{"member":["user1"],"type":"KICK"},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","member_count":4,"timestamp":1729497896834}"###);
    }

    #[test]
    fn decision_12_a_batch_is_one_body() {
        insta::assert_snapshot!(json(What::Kicked { members: &["u1", "u2"], count: 0 }), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","payload":{"member":["u1","u2"],"type":"KICK"},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","member_count":0,"timestamp":1729497896834}"###);
    }

    #[test]
    fn an_addition_is_a_join() {
        insta::assert_snapshot!(json(What::Joined { members: &["u1"], count: 5 }), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","payload":{"member":["u1"],"type":"DIRECT"},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"JOIN","operator":"@ppAdmin","member_count":5,"timestamp":1729497896834}"###);
    }

    #[test]
    fn decision_36_a_deleted_user_quits() {
        insta::assert_snapshot!(json(What::UserDeleted { members: &["u1"], count: 3 }), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","payload":{"member":["u1"],"action":"user_deleted","type":"QUIT"},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","member_count":3,"timestamp":1729497896834}"###);
    }

    #[test]
    fn a_dissolution_is_a_delete_without_a_payload_and_leaves_without_a_count() {
        insta::assert_snapshot!(json(What::Dissolved), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"DELETE","operator":"@ppAdmin","timestamp":1729497896834}"###);
        insta::assert_snapshot!(json(What::RoomDissolved { members: &["u1", "u2"] }), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","payload":{"member":["u1","u2"],"type":"DELETE"},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"LEAVE","operator":"@ppAdmin","timestamp":1729497896834}"###);
    }

    #[test]
    fn a_creation_says_of_the_room_what_the_vendor_says() {
        let room =
            Created { owner: "tst", title: "a \"room\"", description: "d", custom: "", max_users: 200 };
        insta::assert_snapshot!(json(What::Created(room)), @r###"{"callId":"org#app_3667067f-ac06-4c11-96aa-a9a708c3b361","security":"eb5809e15d9c8b471e938486e2b45946","payload":{"role":{"tst":"owner"},"member":[],"info":{"owner":"org#app_tst","created":"1729497896834","custom":"","description":"d","mute":"false","mute_duration":-1,"avatar":"","title":"a \"room\"","max_users":"200","invite_need_confirm":"false","public":"true","allow_user_invites":"false","disabled":"false","last_modified":"1729497896834"}},"appkey":"org#app","id":"254636824002561","type":"CHATROOM","event":"group_op_event","operation":"CREATE","operator":"@ppAdmin","timestamp":1729497896834}"###);
    }

    #[test]
    fn decision_37_a_body_with_a_thousand_of_the_longest_names_stays_under_100_kb() {
        let name = "x".repeat(64);
        assert!(json(What::RoomDissolved { members: &vec![name.as_str(); 1_000] }).len() < 100_000);
    }
}
