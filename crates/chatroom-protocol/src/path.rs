//! Path segments on the wire: encoded once, decoded once.
//!
//! A segment that holds a slash or a zero byte, or is a dot segment, means different things to different proxies.
//! It is refused on both sides, so what the client sends is what the server reads.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but RFC 3986's unreserved characters. The comma of a batch goes as `%2C`, as in the vendor's sample.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a text cannot be a path segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSegment {
    /// Nothing between two slashes.
    #[error("A path segment is empty: fill in every part of the path.")]
    Empty,
    /// A slash, `%2F` on the wire.
    #[error("A path segment holds an encoded slash (%2F): names and ids have no slash.")]
    Slash,
    /// A zero byte, `%00` on the wire.
    #[error("A path segment holds a zero byte (%00): remove it.")]
    Nul,
    /// `.` or `..`, plain or encoded.
    #[error("A path segment is `.` or `..`: send the path without dot segments.")]
    Dots,
    /// Bytes that are not UTF-8 once decoded.
    #[error("A path segment is not UTF-8 after percent-decoding: encode the text as UTF-8.")]
    NotUtf8,
}

/// Decodes one raw segment, once. A `%` that begins no escape stays what it is.
///
/// # Errors
/// [`InvalidSegment`], each with a sentence for the caller.
pub fn decode(raw: &str) -> Result<Cow<'_, str>, InvalidSegment> {
    // Most segments have no escape.
    if !raw.as_bytes().contains(&b'%') {
        check(raw)?;
        return Ok(Cow::Borrowed(raw));
    }
    let text = match percent_decode_str(raw).decode_utf8() {
        Ok(text) => text,
        Err(_) => return Err(InvalidSegment::NotUtf8),
    };
    check(&text)?;
    Ok(text)
}

/// Joins segments to a path that begins with a slash; each is percent-encoded.
///
/// # Errors
/// [`InvalidSegment`] if a segment could not be decoded to the same text again.
pub fn encode(segments: &[&str]) -> Result<String, InvalidSegment> {
    let mut path = String::with_capacity(segments.iter().map(|s| s.len() + 1).sum());
    for segment in segments {
        check(segment)?;
        path.push('/');
        path.extend(utf8_percent_encode(segment, ESCAPED));
    }
    Ok(path)
}

fn check(text: &str) -> Result<(), InvalidSegment> {
    match text {
        "" => Err(InvalidSegment::Empty),
        "." | ".." => Err(InvalidSegment::Dots),
        _ if text.as_bytes().contains(&b'/') => Err(InvalidSegment::Slash),
        _ if text.as_bytes().contains(&0) => Err(InvalidSegment::Nul),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_no_segment_may_hold_is_refused_with_a_sentence() {
        let refused = [
            ("", InvalidSegment::Empty),
            (".", InvalidSegment::Dots),
            ("..", InvalidSegment::Dots),
            ("%2e%2E", InvalidSegment::Dots),
            ("a%2Fb", InvalidSegment::Slash),
            ("a%2fb", InvalidSegment::Slash),
            ("a%00", InvalidSegment::Nul),
            ("%ff", InvalidSegment::NotUtf8),
        ];
        for (raw, why) in refused {
            assert_eq!(decode(raw), Err(why), "{raw}");
            assert!(why.to_string().ends_with('.'), "{raw}");
        }
    }

    #[test]
    fn a_segment_is_decoded_once() {
        assert_eq!(decode("a%252Cb").unwrap(), "a%2Cb");
        assert_eq!(decode("a%2Cb,c").unwrap(), "a,b,c");
        assert_eq!(decode("100%").unwrap(), "100%");
        assert!(matches!(decode("plain"), Ok(Cow::Borrowed("plain"))));
    }

    #[test]
    fn a_batch_is_encoded_as_the_vendor_shows_it() {
        assert_eq!(encode(&["o", "a b", "user1,user2"]).unwrap(), "/o/a%20b/user1%2Cuser2");
        assert_eq!(encode(&["o", ".."]), Err(InvalidSegment::Dots));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_to_the_same(text in "\\PC{1,40}") {
            if let Ok(path) = encode(&[&text]) {
                prop_assert_eq!(decode(&path[1..]).unwrap(), text);
            }
        }
    }
}
