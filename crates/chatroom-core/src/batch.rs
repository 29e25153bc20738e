//! Usernames that one call names.

use crate::error::{Invalid, Rejection};
use crate::facts::Facts;
use crate::id::{AppId, UserId, Username};

/// The users that one call names: each once, in the order of the call, at least one.
///
/// A name that no user can have is kept as it was written, because whether the room exists is told first
/// (decisions 3 and 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserBatch {
    names: Vec<Username>,
    /// Where it stands among the names, and what it is.
    impossible: Option<(usize, Box<str>)>,
}

impl UserBatch {
    /// One user.
    #[must_use]
    pub fn one(name: Username) -> Self {
        Self { names: vec![name], impossible: None }
    }

    /// Reads names: folds them, drops repetitions, and counts what is left against `limit` (decision 15).
    ///
    /// # Errors
    /// [`Invalid::EmptyBatch`] without a name, [`Invalid::BatchTooLarge`] with more than `limit`.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>, limit: usize) -> Result<Self, Invalid> {
        let mut batch = Self::parse_any(names);
        if batch.names.is_empty() && batch.impossible.is_none() {
            return Err(Invalid::EmptyBatch);
        }
        if batch.names.len() + usize::from(batch.impossible.is_some()) > limit {
            return Err(Invalid::BatchTooLarge { limit });
        }
        batch.names.shrink_to_fit();
        Ok(batch)
    }

    /// Reads names without a bound: of a room's first members, which the room's own bound limits.
    #[must_use]
    pub fn parse_any<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut batch = Self { names: Vec::new(), impossible: None };
        let mut seen = std::collections::HashSet::new();
        for text in names {
            match text.parse::<Username>() {
                Ok(name) => {
                    if seen.insert(name.clone()) {
                        batch.names.push(name);
                    }
                }
                Err(_) if batch.impossible.is_none() => {
                    batch.impossible = Some((batch.names.len(), text.into()));
                }
                Err(_) => {}
            }
        }
        batch
    }

    /// The names that users can have.
    #[must_use]
    pub fn names(&self) -> &[Username] {
        &self.names
    }

    /// How many are named beside `left_out`, whether or not they are there.
    pub(crate) fn len_without(&self, left_out: Option<&Username>) -> usize {
        let named = self.names.iter().filter(|name| Some(*name) != left_out).count();
        named + usize::from(self.impossible.is_some())
    }

    /// The users behind the names, in their order.
    ///
    /// # Errors
    /// [`Rejection::UserNotFound`] with the first name, in the order of the call, that no user has (decision 14).
    pub(crate) fn resolve(&self, facts: &dyn Facts, app: AppId) -> Result<Vec<UserId>, Rejection> {
        let mut users = Vec::with_capacity(self.names.len());
        for (index, name) in self.names.iter().enumerate() {
            self.reject_impossible(index)?;
            let user = facts.user(app, name);
            users.push(user.ok_or_else(|| Rejection::UserNotFound(name.as_str().into()))?.id);
        }
        self.reject_impossible(self.names.len())?;
        Ok(users)
    }

    fn reject_impossible(&self, index: usize) -> Result<(), Rejection> {
        match &self.impossible {
            Some((at, text)) if *at == index => Err(Rejection::UserNotFound(text.clone())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_15_repeated_names_fall_away_before_they_are_counted() {
        let batch = UserBatch::parse(["a", "A", "b", "a"], 2).unwrap();
        assert_eq!(batch.names().iter().map(Username::as_str).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(UserBatch::parse(["a", "b", "c"], 2), Err(Invalid::BatchTooLarge { limit: 2 }));
    }

    #[test]
    fn decision_11_a_batch_without_a_name_is_refused() {
        assert_eq!(UserBatch::parse([], 2), Err(Invalid::EmptyBatch));
    }

    #[test]
    fn a_name_that_cannot_exist_counts_as_a_name() {
        assert!(UserBatch::parse(["bad!name"], 1).is_ok());
        assert_eq!(UserBatch::parse(["a", "bad!name"], 1), Err(Invalid::BatchTooLarge { limit: 1 }));
    }
}
