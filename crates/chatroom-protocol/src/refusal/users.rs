//! Users.

use super::{Refusal, illegal_argument, row};

/// A user that does not exist, under `users/{username}` (decision 3).
#[must_use]
pub fn no_such_user() -> Refusal {
    let text = "Service resource not found";
    row(404, "service_resource_not_found", "UserNotFoundException", text)
}

/// A name that cannot exist, at registration (decision 19).
#[must_use]
pub fn username_not_legal(username: &str) -> Refusal {
    illegal_argument(format!("username [{username}] is not legal"))
}

/// A registration without a name.
#[must_use]
pub fn username_missing() -> Refusal {
    illegal_argument("Entity user requires a property named username")
}

/// A registration without a password.
#[must_use]
pub fn password_missing() -> Refusal {
    illegal_argument("password or pin must provided")
}

/// The registration of a single user whose name is taken. `application` is the app's UUID.
#[must_use]
pub fn username_taken(application: &str, username: &str) -> Refusal {
    let text = format!(
        "Application {application} Entity user requires that property named username be unique, \
         value of {username} exists"
    );
    let exception = "DuplicateUniquePropertyExistsException";
    row(400, "duplicate_unique_property_exists", exception, text)
}
