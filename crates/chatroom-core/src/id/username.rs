use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use smol_str::{SmolStr, StrExt};

/// The name of a user inside an app: 1 to 64 bytes of `[a-z0-9_.-]`, `A-Z` folded to lower case on the way in
/// (decision 19). `.` and `..` are not names, because no URL can carry them.
///
/// One of up to 23 bytes lies in place: a list of members reads each of them at another place in memory already.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(SmolStr);

/// Why a text is no username.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("username [{0}] is not legal")]
pub struct InvalidUsername(pub String);

const LONGEST: usize = 64;

impl Username {
    /// The name as it is stored and echoed: lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(legal) || matches!(text, "." | "..") {
            return Err(InvalidUsername(text.to_owned()));
        }
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Ok(Self(text.to_ascii_lowercase_smolstr()));
        }
        Ok(Self(SmolStr::new(text)))
    }
}

impl Borrow<str> for Username {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decision_19_upper_case_is_folded() {
        assert_eq!("User.One_-9".parse::<Username>().unwrap().as_str(), "user.one_-9");
    }

    #[test]
    fn decision_19_what_is_not_a_name_is_refused_with_the_vendors_text() {
        for bad in ["", ".", "..", "bad!name", "a b", "a/b", "a,b", "ü", &"a".repeat(65)] {
            let error = bad.parse::<Username>().unwrap_err();
            assert_eq!(error.to_string(), format!("username [{bad}] is not legal"));
        }
        assert!("a".repeat(64).parse::<Username>().is_ok());
    }

    proptest! {
        #[test]
        fn parsing_a_name_again_changes_nothing(text in "[A-Za-z0-9_.-]{1,64}") {
            if let Ok(name) = text.parse::<Username>() {
                prop_assert_eq!(name.as_str().parse::<Username>(), Ok(name));
            }
        }
    }
}
