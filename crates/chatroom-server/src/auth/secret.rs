//! Credentials: made of the system's randomness, kept as a digest, compared in constant time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatroom_core::{SecretDigest, SigningKey};
use chatroom_protocol::callbacks::webhook::Key;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What the vendor's client ids and secrets begin with.
const PREFIX: &str = "YXA6";

/// A new client id: public, and different from every other.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn client_id() -> Result<String, getrandom::Error> {
    random::<15>()
}

/// A new client secret of 192 random bits.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn client_secret() -> Result<SecretString, getrandom::Error> {
    random::<24>().map(SecretString::from)
}

/// A new secret of 192 random bits that signs callbacks, as the Standard Webhooks write them.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn callback_secret() -> Result<SecretString, getrandom::Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(Key::secret_of(&bytes).into())
}

/// A new key for the tokens of an app.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn signing_key() -> Result<SigningKey, getrandom::Error> {
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    Ok(SigningKey(key))
}

/// What is kept of a secret.
pub(crate) fn digest(secret: &str) -> SecretDigest {
    SecretDigest(Sha256::digest(secret.as_bytes()).into())
}

/// Whether this is the secret. Takes as long whatever is wrong with it.
pub(crate) fn matches(secret: &str, kept: &SecretDigest) -> bool {
    digest(secret).0.ct_eq(&kept.0).into()
}

fn random<const BYTES: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::ExposeSecret;

    #[test]
    fn a_secret_has_at_least_128_random_bits_and_looks_like_the_vendors() {
        let (one, other) = (client_secret().unwrap(), client_secret().unwrap());
        let random = one.expose_secret().strip_prefix("YXA6").unwrap();
        assert!(URL_SAFE_NO_PAD.decode(random).unwrap().len() * 8 >= 128);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn a_secret_of_callbacks_has_at_least_128_random_bits_and_is_one_of_standard_webhooks() {
        let (one, other) = (callback_secret().unwrap(), callback_secret().unwrap());
        let random = one.expose_secret().strip_prefix("whsec_").unwrap();
        assert!(STANDARD.decode(random).unwrap().len() * 8 >= 128);
        assert!(Key::parse(one.expose_secret()).is_ok());
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn a_secret_matches_its_digest_and_no_other() {
        let kept = digest("YXA6secret");
        assert!(matches("YXA6secret", &kept));
        assert!(!matches("YXA6secres", &kept));
        assert!(!matches("", &kept));
    }
}
