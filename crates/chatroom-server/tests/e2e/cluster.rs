//! Several servers on one database.

mod apps;
mod failover;
mod node;
mod readiness;
mod removals;
mod schema;
