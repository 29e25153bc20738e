//! The name of a rule.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a rule, unique in its app: 1 to 32 of `[A-Za-z0-9_]` (contract §7.1). Case matters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleName(Arc<str>);

/// Why a text is no name of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rule's name: use 1 to 32 letters, digits and underscores")]
pub struct InvalidRuleName(pub String);

const LONGEST: usize = 32;

impl RuleName {
    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleName {
    type Err = InvalidRuleName;

    fn from_str(text: &str) -> Result<Self, InvalidRuleName> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(legal) {
            return Err(InvalidRuleName(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuleName({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_name_is_up_to_32_letters_digits_and_underscores() {
        for good in ["a", "Room_Server_2", &"x".repeat(32)] {
            assert_eq!(good.parse::<RuleName>().unwrap().as_str(), good);
        }
        for bad in ["", "a-b", "a b", "ä", "a.b", &"x".repeat(33)] {
            assert!(bad.parse::<RuleName>().is_err(), "{bad}");
        }
    }
}
