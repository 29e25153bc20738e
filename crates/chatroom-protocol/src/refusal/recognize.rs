//! What an answer says, by its `error` and its text. The status alone would not do: sources disagree on it, and
//! several rows share one.

use super::limits::REACH_LIMIT;

/// Whether the user, or all users of a batch, were no members. The live service says it with two words.
#[must_use]
pub fn is_not_a_member(error: &str, description: &str) -> bool {
    matches!(error, "forbidden_op" | "invalid_parameter")
        && description.starts_with("users [")
        && description.trim_end().ends_with("] are not members of this group!")
}

/// Whether the room does not exist, on writes or on reads.
#[must_use]
pub fn is_room_not_found(error: &str, description: &str) -> bool {
    let on_write = error == "resource_not_found"
        && description.starts_with("grpID ")
        && description.trim_end().ends_with(" does not exist!");
    on_write || (error == "service_resource_not_found" && description.starts_with("do not find this group:"))
}

/// Whether the user does not exist, under `chatrooms` or under `users`.
#[must_use]
pub fn is_user_not_found(error: &str, description: &str) -> bool {
    let text = description.trim_end();
    match error {
        "resource_not_found" => text.starts_with("username ") && text.ends_with(" doesn't exist!"),
        "service_resource_not_found" => text == "Service resource not found",
        "entity_not_found" => text.starts_with("User ") && text.ends_with(" not found"),
        _ => false,
    }
}

/// Whether the token was not accepted, so that a new one may help, or the credentials were not. A token without the
/// needed role is accepted.
#[must_use]
pub fn is_unauthorized(error: &str, description: &str) -> bool {
    match error {
        "unauthorized" | "auth_bad_access_token" | "invalid_grant" => true,
        "group_authorization" => description.starts_with("token "),
        _ => false,
    }
}

/// Whether calls came too fast. A spent plan (`resource_limited`) is not that: waiting does not help.
#[must_use]
pub fn is_rate_limited(error: &str, description: &str) -> bool {
    error == "reach_limit" || description.trim_end_matches('.') == REACH_LIMIT
}

/// Whether the server itself does not know if it was done (decision 34).
#[must_use]
pub fn is_outcome_unknown(error: &str) -> bool {
    error == "outcome_unknown"
}
