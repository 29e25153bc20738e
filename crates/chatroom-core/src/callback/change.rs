//! Make, change and remove the rules of an app.

use std::collections::BTreeSet;

use super::class::EventClass;
use super::name::RuleName;
use super::rule::{Rule, RuleId, RuleState};
use super::secret::{Outgoing, ROTATION, RuleSecret, RuleSecrets};
use super::time::later;
use crate::app::Origin;
use crate::clock::{Moment, Timestamp};
use crate::id::{AppId, AppKey, ChatroomId};

/// What is needed to make a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// Its name.
    pub name: RuleName,
    /// Where it delivers to; checked by the address guard before.
    pub url: Box<str>,
    /// What signs.
    pub secret: RuleSecret,
    /// Whether it delivers.
    pub enabled: bool,
    /// The classes of events it wants; `None`: all.
    pub events: Option<BTreeSet<EventClass>>,
    /// The rooms it wants; `None`: all.
    pub rooms: Option<BTreeSet<ChatroomId>>,
    /// Who makes it.
    pub origin: Origin,
}

/// A change to the rules of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleChange {
    /// Make a rule. Rejected if its name is taken.
    Add(NewRule),
    /// Make a rule or make it like this, and take it into the configuration's hands. Another secret replaces the old
    /// one at once: who wants a rotation uses the command.
    Declare(NewRule),
    /// Stop a rule that the configuration declared and no longer names.
    Retire(RuleName),
    /// Let it deliver.
    Enable(RuleName),
    /// Let it deliver no more. It keeps its place.
    Disable(RuleName),
    /// Remove it and all that it has.
    Remove(RuleName),
    /// Begin a rotation: the new secret signs from now on, the old one for [`ROTATION`] more.
    RotateSecret(RuleName, RuleSecret),
    /// End the rotation now.
    FinishRotation(RuleName),
}

/// What becomes of the rule that a change names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a write that is not applied is lost"]
pub enum RuleWrite {
    /// It stays as it is.
    Keep(Box<Rule>),
    /// It is like this from now on.
    Put(Box<Rule>),
    /// It is gone, with its cursors and dead letters. This is how it was.
    Delete(Box<Rule>),
}

/// The rules of an app, as a change finds them.
#[derive(Debug, Clone, Copy)]
pub struct RulesOf<'a> {
    /// The app's id.
    pub app: AppId,
    /// The app's name.
    pub app_key: &'a AppKey,
    /// All that there are, retired ones too.
    pub rules: &'a [Rule],
    /// How many it may have; retired ones do not count.
    pub max_rules: usize,
}

/// A no of the rules about rules. Codes are stable: never renumbered, never used again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleRejection {
    /// The name is taken.
    #[error("the app has a rule named {0}")]
    Exists(RuleName),
    /// There is no such rule.
    #[error("the app has no rule named {0}")]
    NotFound(RuleName),
    /// The rule is declared in the configuration, which owns it.
    #[error("rule {0} is declared in the configuration: change it there")]
    Declared(RuleName),
    /// The app has as many rules as it may.
    #[error("the app has {limit} rules, as many as `callback.max_rules` allows")]
    TooMany {
        /// The limit in force.
        limit: usize,
    },
    /// Two secrets are live already.
    #[error("a rotation of rule {0} is under way: finish it first")]
    Rotating(RuleName),
    /// There is no rotation to finish.
    #[error("no rotation of rule {0} is under way")]
    NotRotating(RuleName),
}

impl RuleRejection {
    /// The stable code: `C` and a number.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "C001",
            Self::NotFound(_) => "C002",
            Self::Declared(_) => "C003",
            Self::TooMany { .. } => "C004",
            Self::Rotating(_) => "C005",
            Self::NotRotating(_) => "C006",
        }
    }
}

/// Decides a change. A rule that is new gets this id.
///
/// # Errors
/// [`RuleRejection`]: a rule says no.
pub fn change_rule(
    app: RulesOf<'_>,
    id: RuleId,
    change: &RuleChange,
    moment: Moment,
) -> Result<RuleWrite, RuleRejection> {
    let now = moment.0;
    match change {
        RuleChange::Add(new) if app.find(&new.name).is_ok() => Err(RuleRejection::Exists(new.name.clone())),
        RuleChange::Add(new) => app.make(id, new, now),
        RuleChange::Declare(new) => app.declare(id, new, now),
        RuleChange::Retire(name) => app.switch(app.find(name)?, RuleState::Retired),
        RuleChange::Enable(name) => app.switch(app.changeable(name)?, RuleState::Enabled),
        RuleChange::Disable(name) => app.switch(app.changeable(name)?, RuleState::Disabled),
        RuleChange::Remove(name) => Ok(RuleWrite::Delete(Box::new(app.changeable(name)?.clone()))),
        RuleChange::RotateSecret(name, secret) => rotate(app.changeable(name)?, secret, now),
        RuleChange::FinishRotation(name) => finish(app.changeable(name)?, now),
    }
}

impl<'a> RulesOf<'a> {
    fn find(&self, name: &RuleName) -> Result<&'a Rule, RuleRejection> {
        let found = self.rules.iter().find(|rule| rule.name == *name);
        found.ok_or_else(|| RuleRejection::NotFound(name.clone()))
    }

    /// The rule, if commands may change it: the configuration owns what it declares as long as it does.
    fn changeable(&self, name: &RuleName) -> Result<&'a Rule, RuleRejection> {
        let rule = self.find(name)?;
        if rule.origin == Origin::Configuration && rule.state != RuleState::Retired {
            return Err(RuleRejection::Declared(name.clone()));
        }
        Ok(rule)
    }

    /// Whether one more rule may be there, which is not counted now.
    fn check_place(&self) -> Result<(), RuleRejection> {
        let taken = self.rules.iter().filter(|rule| rule.state != RuleState::Retired).count();
        if taken < self.max_rules { Ok(()) } else { Err(RuleRejection::TooMany { limit: self.max_rules }) }
    }

    fn make(&self, id: RuleId, new: &NewRule, now: Timestamp) -> Result<RuleWrite, RuleRejection> {
        self.check_place()?;
        Ok(put(Rule {
            id,
            app: self.app,
            app_key: self.app_key.clone(),
            name: new.name.clone(),
            url: new.url.clone(),
            secrets: RuleSecrets::one(new.secret.clone()),
            state: state(new.enabled),
            events: new.events.clone(),
            rooms: new.rooms.clone(),
            origin: new.origin,
            created: now,
        }))
    }

    fn declare(&self, id: RuleId, new: &NewRule, now: Timestamp) -> Result<RuleWrite, RuleRejection> {
        let Ok(rule) = self.find(&new.name) else { return self.make(id, new, now) };
        if rule.state == RuleState::Retired {
            self.check_place()?;
        }
        let same_secret = rule.secrets.newest == new.secret;
        let secrets = if same_secret { rule.secrets.clone() } else { RuleSecrets::one(new.secret.clone()) };
        let declared = Rule {
            app_key: self.app_key.clone(),
            url: new.url.clone(),
            secrets,
            state: state(new.enabled),
            events: new.events.clone(),
            rooms: new.rooms.clone(),
            origin: new.origin,
            ..rule.clone()
        };
        Ok(if declared == *rule { keep(rule) } else { put(declared) })
    }

    fn switch(&self, rule: &Rule, state: RuleState) -> Result<RuleWrite, RuleRejection> {
        if rule.state == state {
            return Ok(keep(rule));
        }
        if rule.state == RuleState::Retired {
            self.check_place()?;
        }
        // A retired rule that a command takes up is the command's from then on.
        let taken_up = rule.state == RuleState::Retired && rule.origin == Origin::Configuration;
        let origin = if taken_up { Origin::Command } else { rule.origin };
        Ok(put(Rule { state, origin, ..rule.clone() }))
    }
}

fn rotate(rule: &Rule, secret: &RuleSecret, now: Timestamp) -> Result<RuleWrite, RuleRejection> {
    if rule.secrets.outgoing_at(now).is_some() {
        return Err(RuleRejection::Rotating(rule.name.clone()));
    }
    let outgoing = Outgoing { secret: rule.secrets.newest.clone(), until: later(now, ROTATION) };
    let secrets = RuleSecrets { newest: secret.clone(), outgoing: Some(outgoing) };
    Ok(put(Rule { secrets, ..rule.clone() }))
}

fn finish(rule: &Rule, now: Timestamp) -> Result<RuleWrite, RuleRejection> {
    if rule.secrets.outgoing_at(now).is_none() {
        return Err(RuleRejection::NotRotating(rule.name.clone()));
    }
    let secrets = RuleSecrets::one(rule.secrets.newest.clone());
    Ok(put(Rule { secrets, ..rule.clone() }))
}

fn state(enabled: bool) -> RuleState {
    if enabled { RuleState::Enabled } else { RuleState::Disabled }
}

fn keep(rule: &Rule) -> RuleWrite {
    RuleWrite::Keep(Box::new(rule.clone()))
}

fn put(rule: Rule) -> RuleWrite {
    RuleWrite::Put(Box::new(rule))
}

#[cfg(test)]
mod tests;
