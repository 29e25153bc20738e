//! `GET /{org}/{app}/users/{username}` (contract §6): `entities` holds the user, `count` is 1, there is no `data`.

use crate::path::{InvalidSegment, encode};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/users/{username}";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str, username: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "users", username])
}
