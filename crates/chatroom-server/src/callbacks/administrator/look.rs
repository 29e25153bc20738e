//! What is shown of rules and of their deliveries.

use chatroom_core::{
    Burial, DeadLetter, Failing, Origin, Rule, RuleHealth, RuleName, RuleState, RuleStatus, Seq, Timestamp,
};

use super::AppCallbacks;
use crate::admin::{
    AdminError, CallbackReply, FailureView, HealthView, LetterPlace, LetterView, RuleSecretsView, RuleView,
    Shown, StateView, StatusView,
};

/// How many dead letters are shown at once.
pub(super) const LETTERS: usize = 200;

impl AppCallbacks<'_> {
    pub(super) async fn list(&self) -> Result<CallbackReply, AdminError> {
        let now = self.callbacks.clock.now();
        Ok(CallbackReply::Rules(self.rules().await?.iter().map(|rule| view(rule, now)).collect()))
    }

    pub(super) async fn show(
        &self,
        name: &RuleName,
        with_secrets: bool,
    ) -> Result<CallbackReply, AdminError> {
        let now = self.callbacks.clock.now();
        let rule = self.find(name).await?;
        let shown = |secret: &chatroom_core::RuleSecret| Shown::new(secret.expose().to_owned().into());
        let secrets = with_secrets.then(|| RuleSecretsView {
            newest: shown(&rule.secrets.newest),
            outgoing: rule.secrets.outgoing_at(now).map(shown),
        });
        Ok(CallbackReply::Rule { rule: view(&rule, now), secrets })
    }

    pub(super) async fn status(&self, name: Option<&RuleName>) -> Result<CallbackReply, AdminError> {
        if let Some(name) = name {
            self.find(name).await?;
        }
        let statuses = self.callbacks.deliveries.statuses(self.app.id).await.map_err(AdminError::failed)?;
        let now = self.callbacks.clock.now();
        let wanted = statuses.iter().filter(|status| name.is_none_or(|name| status.rule.name == *name));
        let rules = wanted.map(|status| status_view(status, now)).collect();
        Ok(CallbackReply::Statuses { now: now.as_millis(), rules })
    }

    /// The dead letters of one rule, or of all, oldest rule first. A page ends with its rule.
    pub(super) async fn dead_letters(
        &self,
        name: Option<&RuleName>,
        after: Option<LetterPlace>,
    ) -> Result<CallbackReply, AdminError> {
        let mut rules = self.rules().await?;
        if let Some(name) = name {
            rules = vec![self.find(name).await?];
        }
        if let Some(place) = &after {
            // Where to go on cannot be said if the rule was removed meanwhile.
            let begun = rules.iter().position(|rule| rule.name == place.rule);
            rules.drain(..begun.ok_or_else(|| self.no_such_rule(&place.rule, &rules))?);
        }
        let mut letters = Vec::new();
        let mut next = None;
        for rule in rules {
            let behind = after.as_ref().filter(|place| place.rule == rule.name);
            let behind = behind.map(|place| (place.room, Seq(place.first)));
            let room = LETTERS - letters.len();
            let found = self.callbacks.deliveries.dead_letters(rule.id, behind, room).await;
            let found = found.map_err(AdminError::failed)?;
            letters.extend(found.iter().map(|letter| letter_view(&rule, letter)));
            if letters.len() >= LETTERS {
                next = letters.last().map(LetterView::place);
                break;
            }
        }
        Ok(CallbackReply::DeadLetters { letters, next })
    }
}

impl LetterView {
    fn place(&self) -> LetterPlace {
        LetterPlace { rule: self.rule.clone(), room: self.room, first: self.first }
    }
}

pub(super) fn view(rule: &Rule, now: Timestamp) -> RuleView {
    let outgoing = rule.secrets.outgoing.as_ref().filter(|outgoing| now < outgoing.until);
    RuleView {
        name: rule.name.clone(),
        url: rule.url.to_string(),
        state: match rule.state {
            RuleState::Enabled => StateView::Enabled,
            RuleState::Disabled => StateView::Disabled,
            RuleState::Retired => StateView::Retired,
        },
        declared: rule.origin == Origin::Configuration,
        events: rule.events.as_ref().map(|set| set.iter().map(ToString::to_string).collect()),
        rooms: rule.rooms.as_ref().map(|set| set.iter().map(ToString::to_string).collect()),
        created: rule.created.as_millis(),
        rotating_until: outgoing.map(|outgoing| outgoing.until.as_millis()),
    }
}

fn status_view(status: &RuleStatus, now: Timestamp) -> StatusView {
    let failure =
        |failing: &Failing| FailureView { at: failing.at.as_millis(), words: failing.words.to_string() };
    StatusView {
        rule: view(&status.rule, now),
        health: match status.health {
            RuleHealth::Delivering => HealthView::Delivering,
            RuleHealth::Paused { since, next_probe } => {
                HealthView::Paused { since: since.as_millis(), next_probe: next_probe.as_millis() }
            }
            RuleHealth::Off => HealthView::Off,
        },
        rooms_behind: status.rooms_behind,
        events_behind: status.events_behind,
        behind_since: status.behind_since.map(Timestamp::as_millis),
        failures_in_a_row: status.failures_in_a_row,
        last_failure: status.last_failure.as_ref().map(failure),
        last_success: status.last_success.map(Timestamp::as_millis),
        dead_letters: status.dead_letters,
        lost: status.lost,
    }
}

fn letter_view(rule: &Rule, letter: &DeadLetter) -> LetterView {
    LetterView {
        rule: rule.name.clone(),
        room: letter.room.id,
        first: letter.span.first.0,
        last: letter.span.last.0,
        at: letter.at.as_millis(),
        failure: match &letter.why {
            Burial::GivenUp(words) => Some(words.to_string()),
            Burial::Trimmed => None,
        },
    }
}
