//! Several servers on one database.

mod apps;
mod failover;
pub(crate) mod node;
mod readiness;
mod removals;
mod schema;
