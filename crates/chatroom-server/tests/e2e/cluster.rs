//! Several servers on one database.

mod apps;
mod failover;
mod limit;
pub(crate) mod node;
mod readiness;
mod removals;
mod schema;
