//! The vendor's signature: the field `security` of a body.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// `md5_hex(callId + secret + timestamp)`: 32 lower-case hexadecimal digits. `timestamp` is the body's, in
/// milliseconds.
#[must_use]
pub fn security(call_id: &str, secret: &str, timestamp: i64) -> String {
    let mut hash = Md5::new();
    hash.update(call_id.as_bytes());
    hash.update(secret.as_bytes());
    hash.update(timestamp.to_string().as_bytes());
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 15)]);
    hash.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

/// Whether `found` is that signature, in either case. Takes the same time whatever is wrong.
#[must_use]
pub fn is_security(found: &str, call_id: &str, secret: &str, timestamp: i64) -> bool {
    let expected = security(call_id, secret, timestamp);
    expected.as_bytes().ct_eq(found.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_signature_is_32_lower_case_digits_and_both_cases_are_accepted() {
        let found = security("demo#chat_1", "secret", 1_729_497_896_834);
        assert_eq!(found.len(), 32);
        assert_eq!(found, found.to_lowercase());
        assert!(is_security(&found.to_uppercase(), "demo#chat_1", "secret", 1_729_497_896_834));
    }

    proptest! {
        #[test]
        fn an_independent_md5_says_the_same(call_id in ".{0,80}", secret in ".{0,80}", timestamp: i64) {
            let text = format!("{call_id}{secret}{timestamp}");
            let expected = format!("{:x}", md5_independent::compute(text));
            prop_assert_eq!(&security(&call_id, &secret, timestamp), &expected);
            prop_assert!(is_security(&expected, &call_id, &secret, timestamp));
            let other = secret + "x";
            prop_assert!(!is_security(&expected, &call_id, &other, timestamp));
            prop_assert!(!is_security(&expected[1..], &call_id, &other, timestamp));
        }
    }
}
