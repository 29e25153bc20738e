//! Bounds on what one call may ask for.

/// Bounds on what one call may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most users that one removal names.
    pub remove_batch: usize,
    /// The most users that one addition or registration names.
    pub batch: usize,
    /// The most members that a room may be made for.
    pub max_users: u32,
}

impl Default for Limits {
    /// The vendor's (decision 15, contract §5).
    fn default() -> Self {
        Self { remove_batch: 100, batch: 60, max_users: 10_000 }
    }
}

/// How many members a room may have when nothing is said.
pub const DEFAULT_MAX_USERS: u32 = 1_000;
/// Characters of a room's name.
pub const LONGEST_NAME: usize = 128;
/// Characters of a room's description.
pub const LONGEST_DESCRIPTION: usize = 512;
/// Bytes of a room's custom text.
pub const LONGEST_CUSTOM: usize = 8 * 1_024;
