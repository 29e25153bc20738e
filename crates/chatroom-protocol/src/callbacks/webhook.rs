//! The Standard Webhooks signature: three headers beside a body.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// The header with the event's id: the same on every attempt.
pub const ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures: one or, while a secret rotates, several, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// What the secrets of the Standard Webhooks begin with.
const PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
/// Padding may be there or not, as in secrets that people copy.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key that a secret stands for. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

/// Why a secret stands for no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// It has no byte, and everybody can sign with that.
    #[error("a secret must not be empty")]
    Empty,
    /// It begins with `whsec_`, and what comes after that is no byte, or no base64.
    #[error("a secret that begins with `whsec_` must go on with base64")]
    NoBase64,
}

impl Key {
    /// The key of a secret: its bytes or, where it begins with `whsec_`, the base64 after that.
    ///
    /// # Errors
    /// [`InvalidSecret`] if it is empty, or what comes after `whsec_` is not base64.
    pub fn parse(secret: &str) -> Result<Self, InvalidSecret> {
        let (key, otherwise) = match secret.strip_prefix(PREFIX) {
            Some(encoded) => (LENIENT.decode(encoded).unwrap_or_default(), InvalidSecret::NoBase64),
            None => (secret.as_bytes().to_vec(), InvalidSecret::Empty),
        };
        if key.is_empty() { Err(otherwise) } else { Ok(Self(key)) }
    }

    /// A secret of these bytes: `whsec_` and base64.
    #[must_use]
    pub fn secret_of(bytes: &[u8]) -> String {
        format!("{PREFIX}{}", STANDARD.encode(bytes))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> [u8; 32] {
        // A key longer than a block is hashed first, as HMAC says; `new_from_slice` takes any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The value of [`SIGNATURE`]: `v1,` and base64, once for each key. `timestamp` is in seconds.
#[must_use]
pub fn sign<'k>(keys: impl IntoIterator<Item = &'k Key>, id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures = keys.into_iter().map(|key| STANDARD.encode(key.mac(id, timestamp, body)));
    signatures.map(|signature| format!("{VERSION}{signature}")).collect::<Vec<_>>().join(" ")
}

/// The three headers of a delivery, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    /// [`ID`].
    pub id: &'a str,
    /// [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// [`SIGNATURE`].
    pub signature: &'a str,
}

/// Why headers were not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unverified {
    /// The time is not a number.
    #[error("the time of the attempt is not a number")]
    InvalidTimestamp,
    /// The time is too far from now: a repetition by somebody else, or a clock that is wrong.
    #[error("the time of the attempt is too far from now")]
    OutOfTolerance,
    /// No signature is that of a key.
    #[error("no signature fits")]
    NoSignatureFits,
}

/// Checks that one of the keys signed this, at most `tolerance` from `now`. Takes the same time whichever signature
/// or key fits.
///
/// # Errors
/// [`Unverified`] if that is not so.
pub fn verify(
    keys: &[Key],
    headers: Headers<'_>,
    body: &[u8],
    now: SystemTime,
    tolerance: Duration,
) -> Result<(), Unverified> {
    let timestamp: i64 = headers.timestamp.parse().or(Err(Unverified::InvalidTimestamp))?;
    let found = headers.signature.split(' ').filter_map(|one| one.strip_prefix(VERSION));
    let found: Vec<Vec<u8>> = found.filter_map(|encoded| LENIENT.decode(encoded).ok()).collect();
    let mut fits = Choice::from(0);
    for key in keys {
        let expected = key.mac(headers.id, timestamp, body);
        for signature in &found {
            fits |= expected.as_slice().ct_eq(signature);
        }
    }
    if !bool::from(fits) {
        return Err(Unverified::NoSignatureFits);
    }
    if seconds(now).abs_diff(timestamp) > tolerance.as_secs() {
        return Err(Unverified::OutOfTolerance);
    }
    Ok(())
}

/// Whole seconds since 1970.
fn seconds(now: SystemTime) -> i64 {
    match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds),
    }
}

#[cfg(test)]
mod tests;
