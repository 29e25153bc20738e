//! The server: configuration, command line, HTTP and what they run on.
//!
//! This library is for the binary of the same name and for its tests; nothing else should depend on it.

pub mod admin;
mod apps;
mod auth;
mod callbacks;
pub mod cli;
mod clock;
pub mod config;
pub mod control;
mod error;
mod http;
pub mod logging;
mod rate;
pub mod serve;
pub mod transfer;
