//! The control socket: `control.sock` in the data directory, mode 0600. While a server runs, every command works
//! through it.
//!
//! A connection carries one request and one reply, each a line of JSON, and is closed.

mod client;
mod line;
mod path;
mod server;

pub use client::{ControlClient, ControlError};
pub use server::ControlSocket;

/// The longest request: a new rule of callbacks that names its rooms, with a secret of its own.
const LONGEST_REQUEST: usize = 1 << 20;
/// The longest reply: a list of apps.
const LONGEST_REPLY: usize = 64 << 20;

#[cfg(test)]
mod tests;
