//! Ids that no caller sees as a name. They are never used again.

use std::fmt;

use crate::clock::Timestamp;

/// The internal id of an app, and what `application` shows: a UUID (decision 32).
///
/// It begins every key, so an app that is deleted and made again under the same app key sees nothing of the old
/// one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AppId(pub u128);

/// The id of one operation, made once by whoever asks for it.
///
/// The low 16 bits are zero: they are the place of the index in the ids that are derived from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperationId(u128);

/// The id of an event: a UUID, the same on every attempt to deliver it and on every run of its operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub u128);

/// The internal id of a user: a user that is deleted and registered again has another one, so a membership of the
/// old one is not a membership of the new one.
///
/// It grows with the time of registration: users listed by id are listed oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub u64);

impl OperationId {
    /// Takes a UUID, random in its last 62 bits, as `Ids` makes it.
    #[must_use]
    pub fn new(uuid: u128) -> Self {
        Self(uuid & !0xFFFF)
    }

    /// The id of the event with this index among the operation's events. The index wraps at 65,536, which no
    /// operation reaches: a commit writes at most 2,000 records.
    #[must_use]
    pub fn event(self, index: u16) -> EventId {
        EventId(self.0 | u128::from(index))
    }

    /// Random bits of this operation, for ids that it derives.
    #[must_use]
    pub fn entropy(self) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the low 48 bits above the index are wanted")]
        let low = (self.0 >> 16) as u64;
        low & 0xFFFF_FFFF_FFFF
    }
}

impl UserId {
    const ENTROPY_BITS: u32 = 22;
    const ENTROPY: u64 = (1 << Self::ENTROPY_BITS) - 1;

    /// The id of a user registered at `at`. `entropy` keeps users of the same millisecond apart, in 4 million
    /// places; who registers a user looks whether the id is free.
    #[must_use]
    pub fn at(at: Timestamp, entropy: u64) -> Self {
        let ms = at.as_millis().max(0).unsigned_abs();
        Self((ms << Self::ENTROPY_BITS) | (entropy & Self::ENTROPY))
    }

    /// When the user was registered.
    #[must_use]
    pub fn registered(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> Self::ENTROPY_BITS).unwrap_or(i64::MAX))
    }

    /// The UUID that the vendor's user entities show: a version 8 UUID of the app and the user.
    #[must_use]
    pub fn uuid(self, app: AppId) -> u128 {
        const VERSION_8: u128 = 0x8 << 76;
        const VARIANT: u128 = 0b10 << 62;
        let app_bits = app.0 & !((0xF << 76) | u128::from(u64::MAX));
        let user_bits = u128::from(self.0 & ((1 << 62) - 1));
        app_bits | VERSION_8 | VARIANT | user_bits
    }
}

/// Writes 128 bits as a UUID: `8be024f0-e978-11e8-b697-5d598d5f8402`.
fn hyphenated(id: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let hex = format!("{id:032x}");
    write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hyphenated(self.0, f)
    }
}

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AppId({self})")
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hyphenated(self.0, f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl fmt::Debug for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperationId(")?;
        hyphenated(self.0, f)?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_operation_have_different_ids_and_the_same_ones_on_every_run() {
        let operation = OperationId::new(0x0190_0000_0000_7000_8000_1234_5678_9abc);
        assert_ne!(operation.event(0), operation.event(1));
        assert_eq!(operation.event(7), operation.event(7));
        assert_eq!(operation.event(1).to_string(), "01900000-0000-7000-8000-123456780001");
    }

    #[test]
    fn a_user_id_tells_when_the_user_was_registered() {
        let at = Timestamp::from_millis(1_729_497_896_834);
        assert_eq!(UserId::at(at, u64::MAX).registered(), at);
        assert!(UserId::at(at, u64::MAX) < UserId::at(at.plus_millis(1), 0));
    }
}
