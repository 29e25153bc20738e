//! The store on a real PostgreSQL: the contract of all stores, and what only a store of several nodes promises.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot set itself up fails")]

mod commits;
mod compares;
mod contract;
mod couriers;
mod database;
mod known;
mod nodes;
mod permits;
mod plans;
mod portable;
mod proxy;
mod retention;
mod schema;
mod standby;
mod tls;
mod trims;
mod world;
