//! A rule: whom to tell what.

use std::collections::BTreeSet;
use std::fmt;

use super::class::{EventClass, Happened};
use super::name::RuleName;
use super::secret::RuleSecrets;
use crate::app::Origin;
use crate::clock::Timestamp;
use crate::event::Event;
use crate::id::{AppId, AppKey, ChatroomId, EventId};

/// The internal id of a rule, never used again: a rule that is removed and made again under its name starts anew.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u128);

/// Where events of an app go, which of them, and how they are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its internal id.
    pub id: RuleId,
    /// The app it belongs to.
    pub app: AppId,
    /// The app's name, which every body bears.
    pub app_key: AppKey,
    /// Its own name, unique in the app.
    pub name: RuleName,
    /// Where deliveries are posted: http or https.
    pub url: Box<str>,
    /// What signs them.
    pub secrets: RuleSecrets,
    /// Whether it delivers.
    pub state: RuleState,
    /// The classes of events it wants; `None`: all, also those of later versions.
    pub events: Option<BTreeSet<EventClass>>,
    /// The rooms it wants; `None`: all.
    pub rooms: Option<BTreeSet<ChatroomId>>,
    /// Who made it and may change it.
    pub origin: Origin,
    /// When it was made. It is told of what happens from then on.
    pub created: Timestamp,
}

/// Whether a rule delivers. One that does not keeps its place: what happens meanwhile waits for it as long as events
/// are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleState {
    /// It does.
    Enabled,
    /// It does not: somebody said so.
    Disabled,
    /// It does not: it was declared in a configuration that no longer names it. Commands may change it then.
    Retired,
}

impl Rule {
    /// Whether this event is for this rule. Whether it is delivered now is another matter: see [`Rule::delivers`].
    #[must_use]
    pub fn wants(&self, event: &Event) -> bool {
        self.is_for(&Happened::of(event))
    }

    /// Whether it is to be told of this as it happens: it is for this rule, and the rule was there.
    #[must_use]
    pub fn is_told_of(&self, happened: &Happened) -> bool {
        happened.at >= self.created && self.is_for(happened)
    }

    fn is_for(&self, happened: &Happened) -> bool {
        happened.room.app == self.app
            && self.rooms.as_ref().is_none_or(|rooms| rooms.contains(&happened.room.id))
            && self.events.as_ref().is_none_or(|classes| classes.contains(&happened.class))
    }

    /// Whether it delivers.
    #[must_use]
    pub fn delivers(&self) -> bool {
        self.state == RuleState::Enabled
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EventId(self.0).fmt(f)
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleId({self})")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::secret::RuleSecret;
    use super::*;
    use crate::event::{EventKind, Leaving, Seq};
    use crate::model::RoomKey;
    use crate::test_util::{HandFacts, name};

    /// A rule that wants everything of [`HandFacts::APP`].
    pub(in crate::callback) fn rule(id: u128) -> Rule {
        Rule {
            id: RuleId(id),
            app: HandFacts::APP,
            app_key: HandFacts::app_key(),
            name: format!("rule_{id}").parse().unwrap(),
            url: "https://example.com/".into(),
            secrets: RuleSecrets::one(RuleSecret::new("secret")),
            state: RuleState::Enabled,
            events: None,
            rooms: None,
            origin: Origin::Command,
            created: HandFacts::NOW,
        }
    }

    /// A removal, the event `seq` of the room with this number.
    pub(in crate::callback) fn kicked(room: u64, seq: u64) -> Event {
        let id = ChatroomId::from_number(100_000_000_000_000 + room).unwrap();
        Event {
            id: EventId(u128::from(room) << 64 | u128::from(seq)),
            room: RoomKey { app: HandFacts::APP, id },
            seq: Seq(seq),
            at: HandFacts::NOW,
            members: 1,
            kind: EventKind::Left { members: vec![name("u1")], why: Leaving::Kicked },
        }
    }

    #[test]
    fn a_rule_wants_the_classes_and_rooms_it_names_and_nothing_of_another_app() {
        let (event, mut rule) = (kicked(1, 1), rule(1));
        assert!(rule.wants(&event));
        rule.events = Some([EventClass::Kicked].into());
        assert!(rule.wants(&event));
        assert!(!rule.wants(&Event { kind: EventKind::Dissolved, ..kicked(1, 1) }));
        rule.rooms = Some([event.room.id].into());
        assert!(rule.wants(&event));
        assert!(!rule.wants(&kicked(2, 1)));
        let elsewhere = RoomKey { app: AppId(77), ..event.room };
        assert!(!rule.wants(&Event { room: elsewhere, ..event }));
    }
}
