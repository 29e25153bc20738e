//! Register users: one, or a batch of which some may exist.

use std::sync::Arc;

use super::{At, Outcome, Undecided};
use crate::error::Rejection;
use crate::facts::Facts;
use crate::id::{UserId, Username};
use crate::model::User;
use crate::record::{Decision, Record, Write};

/// Register these users. Each name stands once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterUsers {
    /// At least one.
    pub users: Vec<NewUser>,
}

/// A user to register. The password is not here: it is not kept (decision 31).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Its name.
    pub name: Username,
    /// Its nickname, if one was given.
    pub nickname: Option<Arc<str>>,
}

/// What became of one user of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// It is registered.
    Registered(User),
    /// The name was taken.
    Exists(Username),
}

impl RegisterUsers {
    /// A name that is taken refuses the registration of one user, and is reported in that of several (contract §6).
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        let mut writes = Vec::with_capacity(self.users.len());
        let mut registrations = Vec::with_capacity(self.users.len());
        for (new, entropy) in self.users.iter().zip(at.operation.entropy()..) {
            if facts.user(at.app, &new.name).is_some() {
                if self.users.len() == 1 {
                    return Err(Rejection::UserExists(new.name.clone()).into());
                }
                registrations.push(Registration::Exists(new.name.clone()));
                continue;
            }
            let id = UserId::at(at.moment.0, entropy);
            if facts.user_by_id(at.app, id).is_some() {
                return Err(Undecided::IdTaken);
            }
            let (name, nickname) = (new.name.clone(), new.nickname.clone());
            let user = User { app: at.app, id, name, nickname, deleted: false };
            writes.push(Write::Put(Record::User(user.clone())));
            registrations.push(Registration::Registered(user));
        }
        Ok(Decision { writes, events: Vec::new(), outcome: Outcome::UsersRegistered(registrations) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{HandFacts, decide, name};

    fn register(names: &[&str]) -> crate::operation::Action {
        let users = names.iter().map(|n| NewUser { name: name(n), nickname: None }).collect();
        crate::operation::Action::RegisterUsers(RegisterUsers { users })
    }

    #[test]
    fn a_taken_name_refuses_one_and_is_reported_among_several() {
        let facts = HandFacts::with_users(&["old"]);
        let rejected = decide(&facts, register(&["old"])).unwrap_err();
        assert_eq!(rejected, Rejection::UserExists(name("old")).into());

        let decision = decide(&facts, register(&["old", "new"])).unwrap();
        let Outcome::UsersRegistered(registrations) = &decision.outcome else { panic!() };
        assert_eq!(registrations[0], Registration::Exists(name("old")));
        assert!(matches!(&registrations[1], Registration::Registered(user) if user.name == name("new")));
        assert_eq!(decision.writes.len(), 1);
    }
}
