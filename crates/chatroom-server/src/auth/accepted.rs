//! The tokens that were accepted last: a client calls again with the same one, and need not be computed again.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use foldhash::fast::RandomState;
use subtle::{Choice, ConstantTimeEq};

/// How many are kept for each app, each in the one place that its hash says. Two that share a place are checked at
/// every call, as if it were the first.
const KEPT: usize = 16;

/// Tokens whose signatures were found good, and when they expire, in seconds; 0 for never.
///
/// Bounded, and gone with the credentials that it is kept beside. A token has one place, by a hash with a secret seed,
/// and is compared in constant time: who guesses learns nothing of those that are kept.
#[derive(Debug, Default)]
pub(super) struct Accepted<const LENGTH: usize> {
    hasher: RandomState,
    kept: Mutex<[Option<Kept<LENGTH>>; KEPT]>,
}

#[derive(Debug, Clone, Copy)]
struct Kept<const LENGTH: usize> {
    token: [u8; LENGTH],
    expires: u64,
}

impl<const LENGTH: usize> Accepted<LENGTH> {
    /// When this token expires, if it is one of those.
    pub(super) fn find(&self, token: &[u8; LENGTH]) -> Option<u64> {
        let kept = (*self.kept().get(self.place(token))?)?;
        bool::from(same(&kept.token, token)).then_some(kept.expires)
    }

    /// Keeps a token instead of another one.
    pub(super) fn keep(&self, token: &[u8; LENGTH], expires: u64) {
        if let Some(place) = self.kept().get_mut(self.place(token)) {
            *place = Some(Kept { token: *token, expires });
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, [Option<Kept<LENGTH>>; KEPT]> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, token: &[u8; LENGTH]) -> usize {
        usize::try_from(self.hasher.hash_one(token) % KEPT as u64).unwrap_or_default()
    }
}

/// Whether they are the same, in constant time; eight bytes at once, because every call does this.
fn same<const LENGTH: usize>(one: &[u8; LENGTH], other: &[u8; LENGTH]) -> Choice {
    let ((words, rest), (others, other_rest)) = (one.as_chunks(), other.as_chunks());
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let pairs = words.iter().zip(others);
    pairs.fold(rest.ct_eq(other_rest), |same, (one, other)| same & word(one).ct_eq(&word(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_until_another_one_has_its_place() {
        let accepted = Accepted::<4>::default();
        assert_eq!(accepted.find(b"abcd"), None);
        accepted.keep(b"abcd", 7);
        assert_eq!(accepted.find(b"abcd"), Some(7));
        assert_eq!(accepted.find(b"abce"), None);
        for other in 0..1_000_u32 {
            accepted.keep(&other.to_be_bytes(), 1);
        }
        assert_eq!(accepted.find(b"abcd"), None);
    }

    #[test]
    fn a_token_that_differs_in_one_byte_is_another_one_wherever_that_is() {
        let token = [b'x'; 21];
        assert!(bool::from(same(&token, &token)));
        for at in 0..token.len() {
            let mut other = token;
            other[at] ^= 1;
            assert!(!bool::from(same(&token, &other)), "{at}");
        }
    }
}
