//! Make, change and delete apps.

use super::{At, Outcome, Undecided};
use crate::app::{App, AppChange, AppState, Credentials, NewApp, Origin, SecretDigest};
use crate::error::Rejection;
use crate::facts::Facts;
use crate::id::AppKey;
use crate::record::{Decision, Key, Record, Sweep, Write};

pub(super) fn decide(change: &AppChange, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
    match change {
        AppChange::Create(new) => create(new, facts, at),
        AppChange::Declare(new) => declare(new, facts, at),
        AppChange::Retire(key) => Ok(retire(find(facts, key)?)),
        AppChange::RotateSecret(key, secret) => Ok(rotate(changeable(facts, key)?, *secret)),
        AppChange::Delete(key) => Ok(delete(changeable(facts, key)?, facts)),
    }
}

fn find(facts: &dyn Facts, key: &AppKey) -> Result<App, Rejection> {
    facts.app(key).cloned().ok_or_else(|| Rejection::AppNotFound(key.clone()))
}

/// The app, if commands may change it: the configuration owns what it declares as long as it does.
fn changeable(facts: &dyn Facts, key: &AppKey) -> Result<App, Rejection> {
    let app = find(facts, key)?;
    if app.origin == Origin::Configuration && app.answers() {
        return Err(Rejection::AppDeclared(key.clone()));
    }
    Ok(app)
}

fn create(new: &NewApp, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
    if facts.app(&new.key).is_some() {
        return Err(Rejection::AppExists(new.key.clone()).into());
    }
    if facts.app_by_id(at.app).is_some() {
        return Err(Undecided::IdTaken);
    }
    let credentials = Credentials { client_id: new.client_id.clone(), secret: new.secret, generation: 1 };
    Ok(put(App {
        id: at.app,
        key: new.key.clone(),
        credentials,
        signing_key: new.signing_key,
        origin: new.origin,
        state: AppState::Enabled,
        created: at.moment.0,
    }))
}

fn declare(new: &NewApp, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
    let Some(app) = facts.app(&new.key) else { return create(new, facts, at) };
    let same = app.credentials.client_id == new.client_id && app.credentials.secret == new.secret;
    if same && app.origin == new.origin && app.answers() {
        return Ok(Decision::nothing(Outcome::AppChanged(Box::new(app.clone()))));
    }
    let generation = app.credentials.generation.saturating_add(u32::from(!same));
    let credentials = Credentials { client_id: new.client_id.clone(), secret: new.secret, generation };
    Ok(put(App { credentials, origin: new.origin, state: AppState::Enabled, ..app.clone() }))
}

fn retire(app: App) -> Decision {
    put(App { state: AppState::Disabled, ..app })
}

fn rotate(app: App, secret: SecretDigest) -> Decision {
    let generation = app.credentials.generation.saturating_add(1);
    let credentials = Credentials { secret, generation, ..app.credentials };
    put(App { credentials, ..app })
}

/// One small write; the sweeper removes what the app has (invariant 6). Its rules, of which there are few, go at once:
/// nobody is told anything any more.
fn delete(app: App, facts: &dyn Facts) -> Decision {
    let gone = App { state: AppState::Deleted, ..app.clone() };
    let sweep = Record::Sweep(Sweep::App(app.id));
    let mut writes = vec![Write::Put(Record::App(Box::new(gone))), Write::Put(sweep)];
    writes.extend(facts.rules(app.id).into_iter().map(|rule| Write::Delete(Key::Rule(app.id, rule.id))));
    Decision { writes, events: Vec::new(), outcome: Outcome::AppChanged(Box::new(app)) }
}

fn put(app: App) -> Decision {
    let app = Box::new(app);
    Decision {
        writes: vec![Write::Put(Record::App(app.clone()))],
        events: Vec::new(),
        outcome: Outcome::AppChanged(app),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::SigningKey;
    use crate::operation::Action;
    use crate::test_util::{HandFacts, decide};

    fn new_app(secret: u8, origin: Origin) -> NewApp {
        NewApp {
            key: "demo#other".parse().unwrap(),
            client_id: "id".into(),
            secret: SecretDigest([secret; 32]),
            signing_key: SigningKey([7; 32]),
            origin,
        }
    }

    fn change(facts: &mut HandFacts, change: AppChange) -> Result<App, Undecided> {
        let decision = decide(facts, Action::ChangeApp(change))?;
        let Outcome::AppChanged(app) = decision.outcome.clone() else { panic!("{:?}", decision.outcome) };
        facts.apply(decision);
        Ok(*app)
    }

    #[test]
    fn an_app_key_is_taken_until_the_app_is_deleted() {
        let mut facts = HandFacts::default();
        let key = new_app(1, Origin::Command).key;
        change(&mut facts, AppChange::Create(new_app(1, Origin::Command))).unwrap();
        let taken = change(&mut facts, AppChange::Create(new_app(1, Origin::Command))).unwrap_err();
        assert_eq!(taken, Rejection::AppExists(key.clone()).into());
        change(&mut facts, AppChange::Delete(key.clone())).unwrap();
        assert_eq!(facts.app(&key), None);
    }

    #[test]
    fn rotating_the_secret_starts_a_generation_and_keeps_the_signing_key() {
        let mut facts = HandFacts::default();
        let before = change(&mut facts, AppChange::Create(new_app(1, Origin::Command))).unwrap();
        let rotate = AppChange::RotateSecret(before.key.clone(), SecretDigest([2; 32]));
        let after = change(&mut facts, rotate).unwrap();
        assert_eq!(after.credentials.generation, 2);
        assert_eq!((after.id, after.signing_key), (before.id, before.signing_key));
    }

    #[test]
    fn a_declared_app_is_changed_by_the_configuration_only() {
        let mut facts = HandFacts::default();
        let app = change(&mut facts, AppChange::Declare(new_app(1, Origin::Configuration))).unwrap();
        let refused = Err(Rejection::AppDeclared(app.key.clone()).into());
        assert_eq!(change(&mut facts, AppChange::Delete(app.key.clone())), refused);
        let rotate = AppChange::RotateSecret(app.key.clone(), SecretDigest([2; 32]));
        assert_eq!(change(&mut facts, rotate), refused);

        let same = change(&mut facts, AppChange::Declare(new_app(1, Origin::Configuration))).unwrap();
        assert_eq!(same.credentials.generation, 1);
        let other = change(&mut facts, AppChange::Declare(new_app(2, Origin::Configuration))).unwrap();
        assert_eq!(other.credentials.generation, 2);

        let retired = change(&mut facts, AppChange::Retire(app.key.clone())).unwrap();
        assert!(!retired.answers());
        assert!(change(&mut facts, AppChange::Delete(app.key)).is_ok());
    }
}
