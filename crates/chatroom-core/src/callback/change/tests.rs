use super::*;
use crate::test_util::HandFacts;

#[derive(Default)]
struct Rules {
    all: Vec<Rule>,
    now: i64,
    ids: u128,
}

impl Rules {
    fn decide(&mut self, change: &RuleChange) -> Result<RuleWrite, RuleRejection> {
        self.ids += 1;
        let (app, app_key) = (HandFacts::APP, &HandFacts::app_key());
        let of = RulesOf { app, app_key, rules: &self.all, max_rules: 4 };
        change_rule(of, RuleId(self.ids), change, Moment(Timestamp::from_millis(self.now)))
    }

    fn change(&mut self, change: &RuleChange) -> Result<(), RuleRejection> {
        match self.decide(change)? {
            RuleWrite::Keep(_) => {}
            RuleWrite::Put(rule) => {
                self.all.retain(|old| old.id != rule.id);
                self.all.push(*rule);
            }
            RuleWrite::Delete(rule) => self.all.retain(|old| old.id != rule.id),
        }
        Ok(())
    }

    fn get(&self, text: &str) -> &Rule {
        self.all.iter().find(|rule| rule.name.as_str() == text).unwrap()
    }
}

fn name(text: &str) -> RuleName {
    text.parse().unwrap()
}

fn new(text: &str, origin: Origin) -> NewRule {
    NewRule {
        name: name(text),
        url: "https://example.com".into(),
        secret: RuleSecret::new("first"),
        enabled: true,
        events: None,
        rooms: None,
        origin,
    }
}

#[test]
fn a_name_is_taken_until_its_rule_is_removed() {
    let mut rules = Rules::default();
    rules.change(&RuleChange::Add(new("a", Origin::Command))).unwrap();
    let again = rules.change(&RuleChange::Add(new("a", Origin::Command)));
    assert_eq!(again, Err(RuleRejection::Exists(name("a"))));
    rules.change(&RuleChange::Remove(name("a"))).unwrap();
    assert_eq!(rules.change(&RuleChange::Remove(name("a"))), Err(RuleRejection::NotFound(name("a"))));
    rules.change(&RuleChange::Add(new("a", Origin::Command))).unwrap();
}

#[test]
fn an_app_has_four_rules_and_those_that_are_off_count() {
    let mut rules = Rules::default();
    for text in ["a", "b", "c", "d"] {
        rules.change(&RuleChange::Add(new(text, Origin::Command))).unwrap();
    }
    rules.change(&RuleChange::Disable(name("a"))).unwrap();
    let refused = Err(RuleRejection::TooMany { limit: 4 });
    assert_eq!(rules.change(&RuleChange::Add(new("e", Origin::Command))), refused);
    assert_eq!(rules.change(&RuleChange::Declare(new("e", Origin::Configuration))), refused);
}

#[test]
fn a_rule_is_turned_off_and_on_and_keeps_its_id() {
    let mut rules = Rules::default();
    rules.change(&RuleChange::Add(new("a", Origin::Command))).unwrap();
    let id = rules.get("a").id;
    rules.change(&RuleChange::Disable(name("a"))).unwrap();
    assert!(!rules.get("a").delivers());
    rules.change(&RuleChange::Enable(name("a"))).unwrap();
    assert!(rules.get("a").delivers());
    assert_eq!(rules.get("a").id, id);
}

#[test]
fn a_rotation_ends_after_a_day_or_when_it_is_finished() {
    let mut rules = Rules::default();
    rules.change(&RuleChange::Add(new("a", Origin::Command))).unwrap();
    rules.change(&RuleChange::RotateSecret(name("a"), RuleSecret::new("second"))).unwrap();
    let until = Timestamp::from_millis(24 * 60 * 60 * 1_000);
    assert_eq!(rules.get("a").secrets.outgoing.as_ref().unwrap().until, until);
    let third = RuleChange::RotateSecret(name("a"), RuleSecret::new("third"));
    assert_eq!(rules.change(&third), Err(RuleRejection::Rotating(name("a"))));

    rules.change(&RuleChange::FinishRotation(name("a"))).unwrap();
    assert_eq!(rules.get("a").secrets, RuleSecrets::one(RuleSecret::new("second")));
    let nothing = rules.change(&RuleChange::FinishRotation(name("a")));
    assert_eq!(nothing, Err(RuleRejection::NotRotating(name("a"))));

    rules.change(&third).unwrap();
    rules.now = 24 * 60 * 60 * 1_000;
    let over = rules.change(&RuleChange::FinishRotation(name("a")));
    assert_eq!(over, Err(RuleRejection::NotRotating(name("a"))));
    rules.change(&RuleChange::RotateSecret(name("a"), RuleSecret::new("fourth"))).unwrap();
    assert_eq!(rules.get("a").secrets.outgoing.as_ref().unwrap().secret, RuleSecret::new("third"));
}

#[test]
fn a_declared_rule_is_changed_by_the_configuration_only_until_it_is_retired() {
    let mut rules = Rules::default();
    rules.change(&RuleChange::Declare(new("a", Origin::Configuration))).unwrap();
    for change in [
        RuleChange::Disable(name("a")),
        RuleChange::Remove(name("a")),
        RuleChange::RotateSecret(name("a"), RuleSecret::new("x")),
    ] {
        assert_eq!(rules.change(&change), Err(RuleRejection::Declared(name("a"))));
    }
    let same = rules.decide(&RuleChange::Declare(new("a", Origin::Configuration)));
    assert_eq!(same, Ok(RuleWrite::Keep(Box::new(rules.get("a").clone()))));

    let other = NewRule { secret: RuleSecret::new("other"), ..new("a", Origin::Configuration) };
    rules.change(&RuleChange::Declare(other)).unwrap();
    assert_eq!(rules.get("a").secrets, RuleSecrets::one(RuleSecret::new("other")));

    rules.change(&RuleChange::Retire(name("a"))).unwrap();
    assert_eq!(rules.get("a").state, RuleState::Retired);
    rules.change(&RuleChange::Enable(name("a"))).unwrap();
    assert_eq!((rules.get("a").state, rules.get("a").origin), (RuleState::Enabled, Origin::Command));
}

#[test]
fn retired_rules_take_no_place_until_they_are_taken_up_again() {
    let mut rules = Rules::default();
    for text in ["a", "b", "c", "d"] {
        rules.change(&RuleChange::Declare(new(text, Origin::Configuration))).unwrap();
    }
    rules.change(&RuleChange::Retire(name("a"))).unwrap();
    rules.change(&RuleChange::Declare(new("e", Origin::Configuration))).unwrap();
    let refused = Err(RuleRejection::TooMany { limit: 4 });
    assert_eq!(rules.change(&RuleChange::Enable(name("a"))), refused);
    assert_eq!(rules.change(&RuleChange::Declare(new("a", Origin::Configuration))), refused);
}

#[test]
fn a_configuration_takes_over_a_rule_that_a_command_made() {
    let mut rules = Rules::default();
    rules.change(&RuleChange::Add(new("a", Origin::Command))).unwrap();
    let id = rules.get("a").id;
    let declared = NewRule { enabled: false, ..new("a", Origin::Configuration) };
    rules.change(&RuleChange::Declare(declared)).unwrap();
    let rule = rules.get("a");
    assert_eq!((rule.id, rule.origin, rule.state), (id, Origin::Configuration, RuleState::Disabled));
}
