//! The body of a delivery, as it is read.

use serde::Deserialize;
use serde_json::Value;

use super::event::Event;
use super::security::is_security;

/// A delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Callback {
    /// `{org}#{app}_{uuid}`: the same on every attempt.
    pub call_id: String,
    /// The vendor's signature.
    pub security: String,
    /// The app: `org#app`. Empty if it was not said.
    pub app_key: String,
    /// The id of the room or group. Empty if it was not said.
    pub room: String,
    /// `CHATROOM` or `GROUP`; empty in deliveries of other kinds.
    pub kind: String,
    /// The operation: `LEAVE`, `JOIN`, … Empty in deliveries of other kinds.
    pub operation: String,
    /// Who did it: a username, or `@ppAdmin`.
    pub operator: String,
    /// Members after the change, where that is told.
    pub member_count: Option<u64>,
    /// When it happened, in milliseconds since 1970.
    pub timestamp: i64,
    /// What happened.
    pub event: Event,
    /// The whole body.
    pub raw: Value,
}

/// Why a body is no delivery.
#[derive(Debug, thiserror::Error)]
#[error("the body is no callback: it needs `callId`, `security` and `timestamp`")]
pub struct InvalidCallback(#[source] serde_json::Error);

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "callId")]
    call_id: String,
    security: String,
    timestamp: i64,
    #[serde(default)]
    appkey: String,
    id: Option<String>,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    operation: String,
    #[serde(default)]
    operator: String,
    member_count: Option<u64>,
}

impl Callback {
    /// Reads a body of any kind. Signatures are not checked: see [`Receiver`](super::Receiver).
    ///
    /// # Errors
    /// [`InvalidCallback`] if it is not JSON, or has not what all deliveries have.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidCallback> {
        let raw: Value = serde_json::from_slice(body).map_err(InvalidCallback)?;
        let wire = Wire::deserialize(&raw).map_err(InvalidCallback)?;
        let event = Event::read(&wire.operation, raw.get("payload"));
        Ok(Self {
            call_id: wire.call_id,
            security: wire.security,
            app_key: wire.appkey,
            room: wire.id.unwrap_or_default(),
            kind: wire.kind,
            operation: wire.operation,
            operator: wire.operator,
            member_count: wire.member_count,
            timestamp: wire.timestamp,
            event,
            raw,
        })
    }

    /// The event's id, the same on every attempt: what to know duplicates by.
    #[must_use]
    pub fn event_id(&self) -> &str {
        self.call_id.rsplit('_').next().unwrap_or(&self.call_id)
    }

    /// Whether [`Callback::security`] was made with this secret. Takes the same time whatever is wrong.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        is_security(&self.security, &self.call_id, secret, self.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event::{Change, Joined, Left};
    use super::*;

    fn parse(operation: &str, payload: &str) -> Event {
        let text = format!(
            r#"{{"callId":"org#app_1","security":"x","payload":{payload},"appkey":"org#app","id":"1",
                "type":"CHATROOM","event":"group_op_event","operation":"{operation}","operator":"@ppAdmin",
                "member_count":4,"timestamp":1729497896834}}"#
        );
        Callback::parse(text.as_bytes()).unwrap().event
    }

    fn members(of: &[&str]) -> Vec<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_way_to_leave_is_read() {
        for (payload, why) in [
            (r#"{"member":["a"],"type":"KICK"}"#, Left::Kicked),
            (
                r#"{"member":["a"],"action":"user_quit","type":"QUIT"}"#,
                Left::Quit { action: Some("user_quit".into()) },
            ),
            (r#"{"member":["a"],"type":"BLOCK"}"#, Left::Blocked),
            (r#"{"member":["a"],"type":"DELETE"}"#, Left::RoomDissolved),
            (r#"{"member":["a"],"type":"EVAPORATE"}"#, Left::Other("EVAPORATE".into())),
        ] {
            assert_eq!(parse("LEAVE", payload), Event::Left { members: members(&["a"]), why });
        }
    }

    #[test]
    fn every_other_operation_of_the_contract_is_read() {
        let joined = Event::Joined { members: members(&["a"]), how: Joined::Direct, ext: Some("1".into()) };
        assert_eq!(parse("JOIN", r#"{"member":["a"],"options":{"ext":"1"},"type":"DIRECT"}"#), joined);
        let created = parse("CREATE", r#"{"role":{"a":"owner"},"member":[],"info":{"mute_duration":-1}}"#);
        assert!(matches!(&created, Event::Created { roles, .. } if roles["a"] == "owner"), "{created:?}");
        assert_eq!(parse("DELETE", "null"), Event::Dissolved);
        let owner = parse("UPDATE", r#"{"owner":"a","new_owner":"b","type":"OWNER"}"#);
        assert_eq!(owner, Event::OwnerChanged { from: "a".into(), to: "b".into() });
        assert_eq!(parse("UPDATE", r#"{"type":"ANNOUNCEMENT"}"#), Event::AnnouncementChanged(None));
        assert_eq!(parse("UPDATE", r#"{"mute":true,"type":"MUTE"}"#), Event::AllMuted(true));
        assert!(matches!(parse("UPDATE", r#"{"type":"INFO","info":{}}"#), Event::InfoChanged(_)));
        let change = |added, expires| Change { added, users: members(&["a"]), expires };
        assert_eq!(parse("ADMIN", r#"{"admin":["a"],"type":"ADD"}"#), Event::Admins(change(true, None)));
        let muted = parse("MUTE", r#"{"member":["a"],"expire_timestamp":7,"type":"ADD"}"#);
        assert_eq!(muted, Event::Muted(change(true, Some(7))));
        let blocked = parse("BLOCK", r#"{"member":["a"],"type":"REMOVE"}"#);
        assert_eq!(blocked, Event::Blocked(change(false, None)));
        assert_eq!(parse("WHITE", r#"{"member":["a"],"type":"ADD"}"#), Event::Allowed(change(true, None)));
        let super_admins = parse("ROOM_SUPER_ADMIN", r#"{"admin":["a"],"type":"ADD"}"#);
        assert_eq!(super_admins, Event::SuperAdmins(change(true, None)));
    }

    #[test]
    fn what_is_not_known_is_other_and_kept_as_it_came() {
        for (operation, payload) in
            [("VANISH", "{}"), ("LEAVE", r#"{"member":7}"#), ("UPDATE", r#"{"type":"X"}"#), ("LEAVE", "[]")]
        {
            assert_eq!(parse(operation, payload), Event::Other, "{operation} {payload}");
        }
        let old = br#"{"chat_type":"muc","callId":"org#app_976453352206371172","security":"x",
            "payload":{"operation":"kick"},"group_id":"1","eventType":"chat","timestamp":1644913062505}"#;
        let callback = Callback::parse(old).unwrap();
        assert_eq!(callback.event, Event::Other);
        assert_eq!(callback.raw["payload"]["operation"], "kick");
        assert_eq!(callback.event_id(), "976453352206371172");
    }

    #[test]
    fn what_has_not_the_fields_of_all_deliveries_is_an_error() {
        for bad in ["", "[]", "{}", r#"{"callId":"a","security":"b"}"#] {
            assert!(Callback::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
