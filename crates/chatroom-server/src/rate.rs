//! Limits of calls: never more than N in any rolling second (decision 18).

mod app;
mod client;
mod shared;

pub(crate) use app::AppCalls;
pub(crate) use client::{ClientCalls, Peer};
pub(crate) use shared::SharedCalls;
