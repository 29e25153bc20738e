//! Rooms and their members.

use super::{Refusal, invalid_parameter, row};

const NOT_FOUND: &str = "com.easemob.group.exception.ResourceNotFoundException";
const FORBIDDEN: &str = "com.easemob.group.exception.ForbiddenOpException";

/// None of the names is a member (decisions 1 and 13). `status` is 400, as the page says, or 403, as all other
/// sources do. Names are joined by `, `.
#[must_use]
pub fn not_members(status: u16, names: &[&str]) -> Refusal {
    let text = format!("users [{}] are not members of this group!", names.join(", "));
    row(status, "forbidden_op", FORBIDDEN, text)
}

/// A write to a room that does not exist (decision 2).
#[must_use]
pub fn no_such_room(chatroom_id: &str) -> Refusal {
    row(404, "resource_not_found", NOT_FOUND, format!("grpID {chatroom_id} does not exist!"))
}

/// Details or members of a room that does not exist (decision 2).
#[must_use]
pub fn no_such_room_to_read(chatroom_id: &str) -> Refusal {
    let exception = "com.easemob.group.exception.ServiceResourceNotFoundException";
    let text = format!("do not find this group:{chatroom_id}");
    row(404, "service_resource_not_found", exception, text)
}

/// A user that does not exist, under `chatrooms` (decision 3).
#[must_use]
pub fn no_such_username(username: &str) -> Refusal {
    row(404, "resource_not_found", NOT_FOUND, format!("username {username} doesn't exist!"))
}

/// A room without a name.
#[must_use]
pub fn room_without_name() -> Refusal {
    invalid_parameter("chatroom must contain title/name field!")
}

/// A field that is required and absent: `owner must be provided`.
#[must_use]
pub fn must_be_provided(field: &str) -> Refusal {
    invalid_parameter(format!("{field} must be provided"))
}

/// A batch whose path names nobody (decision 11).
#[must_use]
pub fn no_usernames() -> Refusal {
    invalid_parameter("usernames must be provided: write at least one name, several separated by commas")
}
