//! An event in the vendor's words.

use chatroom_core::{AppKey, Event, EventKind, Leaving, Rule, Username};
use chatroom_protocol::callbacks::events::Listed;
use chatroom_protocol::callbacks::{Created, Notice, What};

/// The body for this event, with its `security` made of `secret`; `None` if the vendor has no words for it.
pub(crate) fn body(rule: &Rule, event: &Event, id: &str, secret: &str) -> Option<Vec<u8>> {
    told(&rule.app_key, event, id, |notice| notice.to_json(secret).ok())?
}

/// This event of an app as a list of events holds it; `None` if the vendor has no words for it.
#[must_use]
pub fn listed(app_key: &AppKey, event: &Event) -> Option<Listed> {
    told(app_key, event, &event.id.to_string(), |notice| Listed::new(event.seq.0, notice).ok())?
}

fn told<T>(app_key: &AppKey, event: &Event, id: &str, tell: impl FnOnce(&Notice<'_>) -> T) -> Option<T> {
    let names: Vec<&str> = match &event.kind {
        EventKind::Joined { members } | EventKind::Left { members, .. } => {
            members.iter().map(Username::as_str).collect()
        }
        _ => Vec::new(),
    };
    let (members, count) = (names.as_slice(), event.members);
    let what = match &event.kind {
        EventKind::Created { owner, info } => What::Created(Created {
            owner: owner.as_str(),
            title: &info.name,
            description: &info.description,
            custom: &info.custom,
            max_users: info.max_users,
        }),
        EventKind::Joined { .. } => What::Joined { members, count },
        EventKind::Left { why: Leaving::Kicked, .. } => What::Kicked { members, count },
        EventKind::Left { why: Leaving::UserDeleted, .. } => What::UserDeleted { members, count },
        EventKind::Left { why: Leaving::RoomDissolved, .. } => What::RoomDissolved { members },
        EventKind::Dissolved => What::Dissolved,
        _ => return None,
    };
    let (app_key, room) = (app_key.to_string(), event.room.id.to_string());
    Some(tell(&Notice { id, app_key: &app_key, room: &room, timestamp: event.at.as_millis(), what }))
}
