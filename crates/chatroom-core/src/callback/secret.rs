//! What signs a rule's deliveries.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;

/// How long an outgoing secret still signs after a rotation began.
pub const ROTATION: Duration = Duration::from_secs(24 * 60 * 60);

/// A secret that signs deliveries. It is shared with the receiver, so it must be recoverable; it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct RuleSecret(Box<str>);

impl RuleSecret {
    /// Takes a secret of any length.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for who signs with it, stores it or was asked to show it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RuleSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuleSecret(…)")
    }
}

/// The live secrets of a rule: two while it rotates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSecrets {
    /// The one that stays.
    pub newest: RuleSecret,
    /// The one that goes, while a rotation is under way.
    pub outgoing: Option<Outgoing>,
}

/// A secret that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The secret.
    pub secret: RuleSecret,
    /// From when on it signs no more.
    pub until: Timestamp,
}

impl RuleSecrets {
    /// One secret, no rotation.
    #[must_use]
    pub fn one(secret: RuleSecret) -> Self {
        Self { newest: secret, outgoing: None }
    }

    /// The secret that is on its way out at this time.
    #[must_use]
    pub fn outgoing_at(&self, now: Timestamp) -> Option<&RuleSecret> {
        self.outgoing.as_ref().filter(|outgoing| now < outgoing.until).map(|outgoing| &outgoing.secret)
    }

    /// All that sign the header at this time, the newest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &RuleSecret> {
        std::iter::once(&self.newest).chain(self.outgoing_at(now))
    }

    /// The one that `security` is made with at this time: there is room for one only, and a receiver that was not
    /// told the new one yet must be able to check it.
    #[must_use]
    pub fn for_security(&self, now: Timestamp) -> &RuleSecret {
        self.outgoing_at(now).unwrap_or(&self.newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secrets = RuleSecrets::one(RuleSecret::new("hunter2"));
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }

    #[test]
    fn while_it_rotates_both_sign_the_header_and_the_older_one_the_body() {
        let (old, new) = (RuleSecret::new("old"), RuleSecret::new("new"));
        let until = Timestamp::from_millis(1_000);
        let outgoing = Some(Outgoing { secret: old.clone(), until });
        let secrets = RuleSecrets { newest: new.clone(), outgoing };
        let before = until.plus_millis(-1);
        assert_eq!(secrets.signing(before).collect::<Vec<_>>(), [&new, &old]);
        assert_eq!(secrets.for_security(before), &old);
        assert_eq!(secrets.signing(until).collect::<Vec<_>>(), [&new]);
        assert_eq!(secrets.for_security(until), &new);
    }
}
