//! A rule of callbacks with its secrets.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chatroom_core::{
    AppId, EventClass, Origin, Outgoing, Rule, RuleId, RuleSecret, RuleSecrets, RuleState, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Invalid;
use super::app::OriginName;
use super::ids::{Id, RoomId};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RuleLine<'a> {
    app: Id,
    id: Id,
    app_key: Cow<'a, str>,
    name: Cow<'a, str>,
    url: Cow<'a, str>,
    secret: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    outgoing: Option<OutgoingLine<'a>>,
    #[serde(with = "StateName")]
    state: RuleState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Cow<'a, str>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rooms: Option<Vec<RoomId>>,
    #[serde(with = "OriginName")]
    origin: Origin,
    created: i64,
}

/// A secret on its way out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutgoingLine<'a> {
    secret: Cow<'a, str>,
    until: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RuleState", rename_all = "snake_case")]
enum StateName {
    Enabled,
    Disabled,
    Retired,
}

impl<'a> RuleLine<'a> {
    pub(super) fn of(rule: &'a Rule) -> Self {
        let outgoing = |Outgoing { secret, until }: &'a Outgoing| OutgoingLine {
            secret: secret.expose().into(),
            until: until.as_millis(),
        };
        let names =
            |classes: &BTreeSet<EventClass>| classes.iter().map(|class| class.as_str().into()).collect();
        Self {
            app: rule.app.into(),
            id: rule.id.into(),
            app_key: rule.app_key.to_string().into(),
            name: rule.name.as_str().into(),
            url: Cow::Borrowed(&rule.url),
            secret: rule.secrets.newest.expose().into(),
            outgoing: rule.secrets.outgoing.as_ref().map(outgoing),
            state: rule.state,
            events: rule.events.as_ref().map(names),
            rooms: rule.rooms.as_ref().map(|rooms| rooms.iter().copied().map(RoomId::from).collect()),
            origin: rule.origin,
            created: rule.created.as_millis(),
        }
    }

    pub(super) fn into_rule(self) -> Result<Rule, Invalid> {
        let secret = |text: Cow<'_, str>| RuleSecret::new(text.into_owned());
        let outgoing = |OutgoingLine { secret: text, until }| Outgoing {
            secret: secret(text),
            until: Timestamp::from_millis(until),
        };
        Ok(Rule {
            id: RuleId(self.id.0),
            app: AppId(self.app.0),
            app_key: self.app_key.parse().map_err(Invalid::because)?,
            name: self.name.parse().map_err(Invalid::because)?,
            url: self.url.into(),
            secrets: RuleSecrets { newest: secret(self.secret), outgoing: self.outgoing.map(outgoing) },
            state: self.state,
            events: self.events.map(|names| classes(&names)).transpose()?,
            rooms: self.rooms.map(|rooms| rooms.into_iter().map(Into::into).collect()),
            origin: self.origin,
            created: Timestamp::from_millis(self.created),
        })
    }
}

fn classes(names: &[Cow<'_, str>]) -> Result<BTreeSet<EventClass>, Invalid> {
    let mut classes = BTreeSet::new();
    for name in names {
        classes.extend(EventClass::parse(name).map_err(Invalid::because)?);
    }
    Ok(classes)
}
