//! Limits, each with its value in the text.

use super::{Refusal, illegal_argument, invalid_parameter, row};

pub(super) const REACH_LIMIT: &str = "This request has reached api limit";

fn exceed_limit(description: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    row(403, "exceed_limit", "com.easemob.group.exception.ExceedLimitException", description)
}

/// Too many calls (decision 18). Goes with `Retry-After`.
#[must_use]
pub fn reach_limit() -> Refusal {
    row(429, "reach_limit", "ReachLimitException", REACH_LIMIT)
}

/// Too many names in one removal (decision 15).
#[must_use]
pub fn too_many_to_remove(limit: usize) -> Refusal {
    invalid_parameter(format!("kickMember: kickMembers number more than maxSize : {limit}"))
}

/// Too many names in one addition (decision 15).
#[must_use]
pub fn too_many_to_add(limit: usize) -> Refusal {
    invalid_parameter(format!("addMembers: addMembers number more than maxSize : {limit}"))
}

/// Too many users in one registration (contract §6).
#[must_use]
pub fn too_many_to_register(size: usize, limit: usize) -> Refusal {
    illegal_argument(format!(
        "Request body array size[{size}] had almost reached or been greater than the upper range value[{limit}]"
    ))
}

/// The room is full, or a batch does not fit (decision 17). A client in the field matches this text.
#[must_use]
pub fn room_full() -> Refusal {
    exceed_limit("group member list is full!")
}

/// A new room with more members than `maxusers` (decision 15).
#[must_use]
pub fn members_over_max_users() -> Refusal {
    exceed_limit("members size is greater than max user size !")
}

/// A room's name is too long, in characters.
#[must_use]
pub fn name_too_long(limit: usize) -> Refusal {
    exceed_limit(format!("title cannot exceed to {limit}"))
}

/// A room's description is too long, in characters.
#[must_use]
pub fn description_too_long(limit: usize) -> Refusal {
    exceed_limit(format!("desc cannot exceed to {limit}"))
}

/// A room's `custom` is too long, in bytes.
#[must_use]
pub fn custom_too_long(limit: usize) -> Refusal {
    exceed_limit(format!("custom cannot exceed to {limit}"))
}

/// A room's `maxusers` is above what the server allows.
#[must_use]
pub fn max_users_too_large(limit: u64) -> Refusal {
    exceed_limit(format!("maxUsers cannot exceed {limit}"))
}

/// The store holds as many memberships as `setting` allows.
#[must_use]
pub fn store_full(setting: &str, limit: u64) -> Refusal {
    exceed_limit(format!(
        "this server holds as many memberships as it may: raise {setting} (now {limit}), or dissolve rooms"
    ))
}
