//! Make, change and remove rules of callbacks: [`change_rule`] on what is stored.

use super::{At, Outcome, Undecided};
use crate::app::AppState;
use crate::callback::{RuleChange, RuleId, RuleWrite, RulesOf, change_rule};
use crate::error::Rejection;
use crate::facts::Facts;
use crate::record::{Decision, Key, Record, Write};

/// Change a rule of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRule {
    /// What is to be changed.
    pub change: RuleChange,
    /// How many rules the app may have; retired ones do not count.
    pub max_rules: usize,
}

impl ChangeRule {
    /// An app that is disabled has rules too: what waits is delivered, and a configuration retires them.
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        let app = facts.app_by_id(at.app).filter(|app| app.state != AppState::Deleted);
        let app = app.ok_or(Rejection::AppGone)?;
        let rules = facts.rules(at.app);
        let of = RulesOf { app: app.id, app_key: &app.key, rules: &rules, max_rules: self.max_rules };
        let id = RuleId(at.operation.event(0).0);
        let written = change_rule(of, id, &self.change, at.moment).map_err(Rejection::from)?;
        let (write, rule) = match written {
            RuleWrite::Keep(rule) => (None, rule),
            RuleWrite::Put(rule) => (Some(Write::Put(Record::Rule(rule.clone()))), rule),
            RuleWrite::Delete(rule) => (Some(Write::Delete(Key::Rule(rule.app, rule.id))), rule),
        };
        let outcome = Outcome::RuleChanged(rule);
        Ok(Decision { writes: write.into_iter().collect(), events: Vec::new(), outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{AppChange, Origin};
    use crate::callback::{NewRule, RuleRejection, RuleSecret};
    use crate::operation::Action;
    use crate::test_util::{HandFacts, decide};

    fn add(name: &str) -> Action {
        let change = RuleChange::Add(NewRule {
            name: name.parse().unwrap(),
            url: "https://example.com/".into(),
            secret: RuleSecret::new("secret"),
            enabled: true,
            events: None,
            rooms: None,
            origin: Origin::Command,
        });
        Action::ChangeRule(ChangeRule { change, max_rules: 1 })
    }

    #[test]
    fn a_rule_is_one_record_with_an_id_of_its_operation() {
        let mut facts = HandFacts::with_users(&[]);
        let decision = decide(&facts, add("a")).unwrap();
        assert_eq!(decision.records(), 1);
        facts.apply(decision);
        let rules = facts.rules(HandFacts::APP);
        assert_eq!((rules.len(), &rules[0].app_key), (1, &HandFacts::app_key()));
        let refused = decide(&facts, add("b")).unwrap_err();
        assert_eq!(refused, Undecided::Rejected(RuleRejection::TooMany { limit: 1 }.into()));
        let gone = RuleChange::Remove("a".parse().unwrap());
        facts.apply(decide(&facts, Action::ChangeRule(ChangeRule { change: gone, max_rules: 1 })).unwrap());
        assert_eq!(facts.rules(HandFacts::APP), []);
    }

    #[test]
    fn the_rules_of_an_app_go_with_it() {
        let mut facts = HandFacts::with_users(&[]);
        facts.apply(decide(&facts, add("a")).unwrap());
        let delete = Action::ChangeApp(AppChange::Delete(HandFacts::app_key()));
        facts.apply(decide(&facts, delete).unwrap());
        assert_eq!(facts.rules(HandFacts::APP), []);
        assert_eq!(decide(&facts, add("a")), Err(Rejection::AppGone.into()));
    }
}
