//! PostgreSQL clusters for tests, made of the server binaries of this machine.
//!
//! Nothing outlives the process that asked for it, even if that process is killed: beside each directory runs a shell
//! that waits for the end of a pipe, and then ends the server and removes the directory. Servers listen on loopback,
//! on free ports. `initdb` refuses root, so as root everything here runs as another user.

mod account;
mod binaries;
mod cluster;
mod home;
mod processes;
mod psql;
mod server;
mod standby;
mod template;

pub use binaries::Binaries;
pub use cluster::Cluster;
pub use server::{Database, Server, shared};
pub use standby::{Replication, Standby};
pub use template::template;

/// The variable that holds the URL of a server on which tests may create databases.
pub const URL: &str = "CHATROOM_TEST_POSTGRES";
/// The variable that holds the directory of the [`template`], so that the processes of one run share it.
pub const TEMPLATE: &str = "CHATROOM_TEST_POSTGRES_TEMPLATE";
