//! The store of several nodes: everything in PostgreSQL, changed in groups.
//!
//! Operations that wait together are decided together and committed once; `docs/adr/0004-postgres.md` says how, and
//! why that is right under `READ COMMITTED`. Any number of processes may open the same database.

mod body;
mod config;
mod connect;
mod deadline;
mod delivery;
mod durability;
mod error;
mod group;
mod import;
mod known;
mod migrate;
mod numbers;
mod options;
mod permits;
mod picture;
mod queue;
mod rows;
mod session;
mod shared;
mod spot;
mod store;
mod tls;

pub use durability::Durability;
pub use error::{OpenError, SchemaError};
pub use import::PostgresImport;
pub use migrate::{SCHEMA, migrate, schema};
pub use options::Options;
pub use picture::PostgresPicture;
pub use store::{Health, PostgresStore};
