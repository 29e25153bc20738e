//! `GET /{org}/{app}/users?limit=&cursor=` (contract §6): `entities` holds a page of users, oldest first.
//!
//! `limit` is 1 to 100, 10 if absent. `cursor` of the answer goes into the next request; without one the page was
//! the last.

pub use super::register::{ROUTE, path};

/// The parameter that bounds a page.
pub const LIMIT: &str = "limit";
/// The parameter that says where a page begins.
pub const CURSOR: &str = "cursor";
