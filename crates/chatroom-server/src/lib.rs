//! The server: configuration, command line, HTTP and what they run on.
//!
//! This library is for the binary of the same name and for its tests; nothing else should depend on it.

pub mod admin;
pub mod cli;
pub mod config;
pub mod control;
pub mod logging;
