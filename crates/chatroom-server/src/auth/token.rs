//! App tokens: `ac-`, a version, and what the token says, signed with the app's key (HMAC-SHA256), as URL-safe
//! base64. They are checked from memory, without the store.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatroom_core::{App, AppId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::accepted::Accepted;

/// How long a token is valid when nothing is said: 60 days, in seconds.
pub(crate) const DEFAULT_TTL: u64 = 5_184_000;

/// Begins every token, so that the text begins with `YWMt`, as the vendor's tokens do.
const MARK: &[u8; 3] = b"ac-";
const VERSION: u8 = 1;
/// Mark, version, app, generation, issued, expires.
const SIGNED: usize = 3 + 1 + 16 + 4 + 8 + 8;
const SIGNATURE: usize = 32;
const LENGTH: usize = SIGNED + SIGNATURE;
/// The length as text: four characters for three bytes, and the bytes are a multiple of three.
const TEXT: usize = LENGTH / 3 * 4;

/// Issues and checks the tokens of one app under its present credentials.
pub(crate) struct Signer {
    app: AppId,
    generation: u32,
    /// Keyed once; a clone costs less than keying.
    keyed: Hmac<Sha256>,
    accepted: Accepted<TEXT>,
}

impl Signer {
    pub(crate) fn of(app: &App) -> Self {
        // A key shorter than a block is a block that ends in zeros.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&app.signing_key.0);
        let keyed = Hmac::new(&block.into());
        Self { app: app.id, generation: app.credentials.generation, keyed, accepted: Accepted::default() }
    }

    /// A token that is valid for `ttl` seconds from `now` on; 0 means for ever.
    pub(crate) fn issue(&self, now: Timestamp, ttl: u64) -> String {
        let issued = seconds(now);
        let expires = if ttl == 0 { 0 } else { issued.saturating_add(ttl) };
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(MARK);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.app.0.to_be_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&issued.to_be_bytes());
        bytes.extend_from_slice(&expires.to_be_bytes());
        let signature = self.keyed.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether the token is one of this app, of its present credentials, and not expired. Why not is told to nobody.
    pub(crate) fn accepts(&self, token: &str, now: Timestamp) -> bool {
        let Ok(token) = <&[u8; TEXT]>::try_from(token.as_bytes()) else { return false };
        let expires = self.accepted.find(token).or_else(|| {
            let expires = self.check(token)?;
            self.accepted.keep(token, expires);
            Some(expires)
        });
        expires.is_some_and(|expires| expires == 0 || seconds(now) < expires)
    }

    /// When the token expires, in seconds, if it is one of this app and of its present credentials; 0 for never.
    fn check(&self, token: &[u8; TEXT]) -> Option<u64> {
        let mut bytes = [0; LENGTH];
        if URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) != Ok(LENGTH) {
            return None;
        }
        let (signed, signature) = bytes.split_at(SIGNED);
        // The signature first, in constant time: what it does not cover is not looked at.
        if self.keyed.clone().chain_update(signed).verify_slice(signature).is_err() {
            return None;
        }
        let mut fields = Fields(signed);
        let known = fields.take() == *MARK && fields.take() == [VERSION];
        let ours =
            fields.take() == self.app.0.to_be_bytes() && fields.take() == self.generation.to_be_bytes();
        let _issued = fields.take::<8>();
        let expires = u64::from_be_bytes(fields.take());
        (known && ours).then_some(expires)
    }
}

/// The bytes of a token, field by field.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    /// The next field; zeros behind the end, which a token of the right length never reaches.
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk::<N>() else { return [0; N] };
        self.0 = rest;
        *field
    }
}

fn seconds(at: Timestamp) -> u64 {
    at.as_millis().max(0).unsigned_abs() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatroom_core::{AppState, Credentials, Origin, SecretDigest, SigningKey};

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn app(id: u128, key: u8, generation: u32) -> App {
        App {
            id: AppId(id),
            key: "demo#chat".parse().unwrap(),
            credentials: Credentials { client_id: "id".into(), secret: SecretDigest([0; 32]), generation },
            signing_key: SigningKey([key; 32]),
            origin: Origin::Command,
            state: AppState::Enabled,
            created: NOW,
        }
    }

    #[test]
    fn a_token_is_accepted_until_it_expires() {
        let signer = Signer::of(&app(1, 1, 1));
        let token = signer.issue(NOW, 60);
        assert!(token.starts_with("YWMt") && token.len() == TEXT, "{token}");
        assert!(signer.accepts(&token, NOW));
        assert!(signer.accepts(&token, NOW.plus_millis(59_999)));
        assert!(!signer.accepts(&token, NOW.plus_millis(60_000)));
    }

    #[test]
    fn a_ttl_of_zero_is_for_ever_and_the_largest_one_does_not_wrap() {
        let signer = Signer::of(&app(1, 1, 1));
        let in_a_century = NOW.plus_millis(100 * 366 * 86_400_000);
        assert!(signer.accepts(&signer.issue(NOW, 0), in_a_century));
        assert!(signer.accepts(&signer.issue(NOW, u64::MAX), in_a_century));
    }

    #[test]
    fn decision_6_foreign_rotated_changed_and_cut_tokens_are_refused() {
        let signer = Signer::of(&app(1, 1, 1));
        let token = signer.issue(NOW, 60);
        for other in [app(2, 1, 1), app(1, 2, 1), app(1, 1, 2)] {
            assert!(!Signer::of(&other).accepts(&token, NOW));
        }
        for cut in
            ["", "YWMt", "YWMtbogus", &token[..TEXT - 1], &format!("{token}A"), &token.replace('Y', "*")]
        {
            assert!(!signer.accepts(cut, NOW), "{cut}");
        }
        for at in 0..TEXT {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!signer.accepts(std::str::from_utf8(&changed).unwrap(), NOW), "{at}");
        }
    }
}
