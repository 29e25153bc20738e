//! What tests share.

mod binary;
mod server;
mod wire;

pub(crate) use binary::{Binary, command, ended, paste};
pub(crate) use server::{APP, CLIENT_ID, CLIENT_SECRET, NOW, ORG, TestServer, config};
pub(crate) use wire::{Answer, Connection, open, request};
