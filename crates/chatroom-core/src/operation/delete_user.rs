//! Delete a user: one small write, however many rooms it is in or owns. The sweeper does the rest.

use super::{At, Outcome, Undecided};
use crate::error::Rejection;
use crate::facts::Facts;
use crate::id::Username;
use crate::model::User;
use crate::record::{Decision, Record, Sweep, Write};

/// Delete this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteUser {
    /// Its name.
    pub name: Username,
}

impl DeleteUser {
    /// From this write on nobody sees the user, its memberships or the rooms that it owns (decision 36).
    pub(super) fn decide(&self, facts: &dyn Facts, at: At) -> Result<Decision, Undecided> {
        let user = facts.user(at.app, &self.name);
        let user = user.ok_or_else(|| Rejection::UserNotFound(self.name.as_str().into()))?;
        let gone = User { deleted: true, ..user.clone() };
        let sweep = Sweep::User(at.app, user.id);
        let writes = vec![Write::Put(Record::User(gone)), Write::Put(Record::Sweep(sweep))];
        Ok(Decision { writes, events: Vec::new(), outcome: Outcome::UserDeleted(user) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::{HandFacts, decide, name};

    #[test]
    fn decision_36_a_deleted_user_takes_the_rooms_that_it_owns_along_at_once() {
        let mut facts = HandFacts::with_room("owner", &["u1"]);
        let action = crate::operation::Action::DeleteUser(DeleteUser { name: name("owner") });
        facts.apply(decide(&facts, action.clone()).unwrap());
        assert!(!facts.room(&facts.key()).unwrap().exists());
        assert_eq!(decide(&facts, action).unwrap_err(), Rejection::UserNotFound("owner".into()).into());
    }
}
