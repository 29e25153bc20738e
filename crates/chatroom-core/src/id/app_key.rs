use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of an app: `{org}#{app}`, both halves non-empty. Case matters.
///
/// Neither half may hold `#`, `/` or a control character; the vendor names no other rule
/// (contract §6: "treat as opaque").
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppKey {
    org: Arc<str>,
    app: Arc<str>,
}

/// Why a text is no app key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an app key: write `org#app` or `org/app`, both parts non-empty, at most 128 bytes each"
)]
pub struct InvalidAppKey(pub String);

const LONGEST: usize = 128;

impl AppKey {
    /// Makes an app key of its two halves.
    ///
    /// # Errors
    /// [`InvalidAppKey`] if a half is empty, longer than 128 bytes, or holds `#`, `/` or a control character.
    pub fn from_parts(org: &str, app: &str) -> Result<Self, InvalidAppKey> {
        let fits = |half: &str| {
            !half.is_empty()
                && half.len() <= LONGEST
                && !half.contains(|c: char| c == '#' || c == '/' || c.is_control())
        };
        if fits(org) && fits(app) {
            Ok(Self { org: org.into(), app: app.into() })
        } else {
            Err(InvalidAppKey(format!("{org}#{app}")))
        }
    }

    /// The organization: what stands before the `#`.
    #[must_use]
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The app's name inside the organization: what stands behind the `#`.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.app
    }
}

impl FromStr for AppKey {
    type Err = InvalidAppKey;

    /// Reads `org#app`, or `org/app` as people type it in a shell, where `#` would need quotes.
    fn from_str(text: &str) -> Result<Self, InvalidAppKey> {
        let (org, app) = text.split_once(['#', '/']).ok_or_else(|| InvalidAppKey(text.to_owned()))?;
        Self::from_parts(org, app)
    }
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.org, self.app)
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_key_is_read_with_a_hash_or_a_slash() {
        let key = AppKey::from_parts("demo", "chat").unwrap();
        assert_eq!("demo#chat".parse(), Ok(key.clone()));
        assert_eq!("demo/chat".parse(), Ok(key.clone()));
        assert_eq!(key.to_string(), "demo#chat");
    }

    #[test]
    fn an_app_key_without_exactly_one_separator_and_two_parts_is_refused() {
        for bad in ["", "demo", "#chat", "demo#", "a#b#c", "a/b/c", "a#b/c", "a\n#b"] {
            assert!(bad.parse::<AppKey>().is_err(), "{bad:?}");
        }
    }
}
