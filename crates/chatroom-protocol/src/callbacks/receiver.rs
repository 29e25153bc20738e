//! Checks a delivery and reads it.

use std::time::{Duration, SystemTime};

use super::parse::{Callback, InvalidCallback};
use super::webhook::{self, Headers, InvalidSecret, Key, Unverified};

/// What a receiver knows: its secret, or two while it rotates.
#[derive(Clone)]
pub struct Receiver {
    secrets: Vec<(String, Key)>,
    tolerance: Duration,
}

/// Why a delivery was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Its headers are not right.
    #[error(transparent)]
    Headers(#[from] Unverified),
    /// Its `security` is not right.
    #[error("`security` does not fit")]
    Security,
    /// It tells of a time that has not come yet.
    #[error("it tells of the future")]
    Future,
    /// It is none.
    #[error(transparent)]
    Invalid(#[from] InvalidCallback),
}

impl Receiver {
    /// Accepts what was signed with this secret, and clocks that differ by up to five minutes.
    ///
    /// # Errors
    /// [`InvalidSecret`] if it is empty, or begins with `whsec_` and does not go on with base64.
    pub fn new(secret: &str) -> Result<Self, InvalidSecret> {
        Self { secrets: Vec::new(), tolerance: Duration::from_secs(5 * 60) }.or(secret)
    }

    /// Accepts what was signed with this secret too.
    ///
    /// # Errors
    /// [`InvalidSecret`] if it is empty, or begins with `whsec_` and does not go on with base64.
    pub fn or(mut self, secret: &str) -> Result<Self, InvalidSecret> {
        self.secrets.push((secret.to_owned(), Key::parse(secret)?));
        Ok(self)
    }

    /// Accepts clocks that differ by so much.
    #[must_use]
    pub fn tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance, ..self }
    }

    /// Checks the headers, which cover the whole body, and reads it.
    ///
    /// # Errors
    /// [`Refused`] if it is not signed, too old, or no delivery.
    pub fn accept(&self, headers: Headers<'_>, body: &[u8], now: SystemTime) -> Result<Callback, Refused> {
        let keys: Vec<Key> = self.secrets.iter().map(|(_, key)| key.clone()).collect();
        webhook::verify(&keys, headers, body, now, self.tolerance)?;
        Ok(Callback::parse(body)?)
    }

    /// Reads a body and checks its `security`, as receivers written for the vendor do. It does not cover what the
    /// body says, and since an event may be delivered again for days, an old one is accepted: prefer
    /// [`Receiver::accept`].
    ///
    /// # Errors
    /// [`Refused`] if it is not signed, of the future, or no delivery.
    pub fn accept_security(&self, body: &[u8], now: SystemTime) -> Result<Callback, Refused> {
        let callback = Callback::parse(body)?;
        self.check_security(&callback, now)?;
        Ok(callback)
    }

    /// Checks both, as [`Receiver::accept`] and [`Receiver::accept_security`] do. Nothing is parsed before the headers
    /// were found right.
    ///
    /// # Errors
    /// [`Refused`] as they say.
    pub fn accept_both(
        &self,
        headers: Headers<'_>,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Callback, Refused> {
        let callback = self.accept(headers, body, now)?;
        self.check_security(&callback, now)?;
        Ok(callback)
    }

    fn check_security(&self, callback: &Callback, now: SystemTime) -> Result<(), Refused> {
        let fits =
            self.secrets.iter().fold(false, |fits, (secret, _)| callback.is_signed_with(secret) | fits);
        if !fits {
            return Err(Refused::Security);
        }
        let latest = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + self.tolerance;
        if u128::try_from(callback.timestamp).unwrap_or(0) > latest.as_millis() {
            return Err(Refused::Future);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { secrets, tolerance } = self;
        f.debug_struct("Receiver").field("secrets", &secrets.len()).field("tolerance", tolerance).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::{Notice, What};
    use super::super::event::{Event, Left};
    use super::*;

    const NOTICE: Notice<'static> = Notice {
        id: "3667067f-ac06-4c11-96aa-a9a708c3b361",
        app_key: "org#app",
        room: "254636824002561",
        timestamp: 1_729_497_896_834,
        what: What::Kicked { members: &["user1"], count: 4 },
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_written_is_read() {
        let body = NOTICE.to_json("secret").unwrap();
        let signature = webhook::sign([&Key::parse("secret").unwrap()], NOTICE.id, 1_729_500_000, &body);
        let headers = Headers { id: NOTICE.id, timestamp: "1729500000", signature: &signature };
        let receiver = Receiver::new("other").unwrap().or("secret").unwrap();
        let callback = receiver.accept(headers, &body, at(1_729_500_100)).unwrap();
        assert_eq!(callback.event, Event::Left { members: vec!["user1".into()], why: Left::Kicked });
        assert_eq!((callback.event_id(), callback.member_count), (NOTICE.id, Some(4)));
        assert!(matches!(
            Receiver::new("other").unwrap().accept(headers, &body, at(1_729_500_100)),
            Err(Refused::Headers(Unverified::NoSignatureFits))
        ));
    }

    /// The example of `docs/callbacks.md`.
    #[test]
    fn the_documented_delivery_is_signed_as_it_says() {
        let body = NOTICE.to_json("secret").unwrap();
        let signature = "v1,S//D7nBC1xSEUb8Z1DLEROVeDmNBBm56NS+SyVnO1DQ=";
        let headers = Headers { id: NOTICE.id, timestamp: "1729497897", signature };
        let callback = Receiver::new("secret").unwrap().accept(headers, &body, at(1_729_497_897)).unwrap();
        assert_eq!(callback.security, "eb5809e15d9c8b471e938486e2b45946");
    }

    #[test]
    fn the_vendors_signature_alone_is_checked_too_and_an_old_event_is_accepted() {
        let body = NOTICE.to_json("secret").unwrap();
        let receiver = Receiver::new("secret").unwrap();
        for now in [1_729_497_597, 1_729_497_896, 1_739_497_896] {
            assert!(receiver.accept_security(&body, at(now)).is_ok(), "{now}");
        }
        assert!(matches!(receiver.accept_security(&body, at(1_729_497_596)), Err(Refused::Future)));
        let other = Receiver::new("other").unwrap();
        assert!(matches!(other.accept_security(&body, at(1_729_497_896)), Err(Refused::Security)));
        assert!(!format!("{receiver:?}").contains("secret\""));
    }

    /// While a secret rotates the headers are signed with both, and `security` with the older.
    #[test]
    fn both_signatures_may_be_of_different_secrets_and_one_alone_is_not_enough() {
        let now = at(1_729_497_897);
        let key = |secret| Key::parse(secret).unwrap();
        let body = NOTICE.to_json("old").unwrap();
        let signed = |secret| webhook::sign([&key(secret)], NOTICE.id, 1_729_497_897, &body);
        let (new, forged) = (signed("new"), signed("forged"));
        let headers = |signature| Headers { id: NOTICE.id, timestamp: "1729497897", signature };
        let receiver = Receiver::new("new").unwrap().or("old").unwrap();
        assert!(receiver.accept_both(headers(&new), &body, now).is_ok());
        assert!(matches!(
            receiver.accept_both(headers(&forged), &body, now),
            Err(Refused::Headers(Unverified::NoSignatureFits))
        ));
        let told_the_new_one_only = Receiver::new("new").unwrap();
        assert!(matches!(
            told_the_new_one_only.accept_both(headers(&new), &body, now),
            Err(Refused::Security)
        ));
    }
}
