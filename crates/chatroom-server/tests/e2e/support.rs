//! What tests share.

mod binary;
mod commands;
mod receiver;
mod server;
mod wire;

pub(crate) use binary::{Binary, command, ended, paste};
pub(crate) use commands::{field, run, try_to};
pub(crate) use receiver::Receiver;
pub(crate) use server::{APP, CLIENT_ID, CLIENT_SECRET, NOW, ORG, TestServer, config};
pub(crate) use wire::{Answer, Connection, open, request};
