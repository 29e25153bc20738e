use std::fmt;
use std::str::FromStr;

use crate::clock::Timestamp;

/// The id of a chatroom: a decimal number of 15 digits, on the wire always a string (decision 20).
///
/// Ids that the server makes grow with time, so rooms listed by id are listed by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatroomId(u64);

/// Why a text is no chatroom id. A room of such a name cannot exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a chatroom id is a decimal number of 15 digits")]
pub struct InvalidChatroomId;

const SMALLEST: u64 = 100_000_000_000_000;
const LARGEST: u64 = 999_999_999_999_999;
/// 2020-01-01T00:00:00Z: from here on, milliseconds times 1,000 have 15 digits until 2051.
const EPOCH_MS: i64 = 1_577_836_800_000;

impl ChatroomId {
    /// A fixed id, for facts made by hand.
    #[cfg(any(test, feature = "test-util"))]
    pub const TEST: Self = Self(123_456_789_012_345);

    /// The id of a room made at `at`. `entropy` keeps rooms of the same millisecond apart, in 1,000 places; who
    /// makes a room looks whether the id is free.
    #[must_use]
    pub fn at(at: Timestamp, entropy: u64) -> Self {
        let since = at.as_millis().saturating_sub(EPOCH_MS).max(0).unsigned_abs();
        let number = since.saturating_mul(1_000).saturating_add(entropy % 1_000);
        Self(number.clamp(SMALLEST, LARGEST))
    }

    /// The id of this number.
    ///
    /// # Errors
    /// [`InvalidChatroomId`] if it has not 15 digits.
    pub fn from_number(number: u64) -> Result<Self, InvalidChatroomId> {
        if (SMALLEST..=LARGEST).contains(&number) { Ok(Self(number)) } else { Err(InvalidChatroomId) }
    }

    /// The id as a number.
    #[must_use]
    pub fn as_number(self) -> u64 {
        self.0
    }
}

impl FromStr for ChatroomId {
    type Err = InvalidChatroomId;

    fn from_str(text: &str) -> Result<Self, InvalidChatroomId> {
        if text.len() != 15 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidChatroomId);
        }
        let number = text.bytes().fold(0_u64, |n, b| n * 10 + u64::from(b - b'0'));
        Self::from_number(number)
    }
}

impl fmt::Display for ChatroomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_fifteen_digits_and_grows_with_time() {
        let early = ChatroomId::at(Timestamp::from_millis(1_700_000_000_000), 999_999);
        let late = ChatroomId::at(Timestamp::from_millis(1_700_000_000_001), 0);
        assert!(early < late);
        assert_eq!(early.to_string().len(), 15);
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn what_is_not_fifteen_digits_is_no_id() {
        for bad in ["", "1", "012345678901234", "1234567890123456", "12345678901234a", "+23456789012345"] {
            assert!(bad.parse::<ChatroomId>().is_err(), "{bad}");
        }
    }
}
