//! What tests share.

mod binary;
mod commands;
mod receiver;
mod screen;
mod server;
mod wire;

pub(crate) use binary::{Binary, command, ended, paste};
pub(crate) use commands::{field, run, try_to};
pub(crate) use receiver::{CALLBACK_SECRET, Receiver, declared};
pub(crate) use screen::Screen;
pub(crate) use server::{
    APP, CLIENT_ID, CLIENT_SECRET, ManualStopwatch, NOW, ORG, TestServer, config, embedded,
};
pub(crate) use wire::{Answer, Connection, open, request};
