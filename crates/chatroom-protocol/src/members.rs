//! Members of a room: remove, add, list (contract §3 and §4).

pub mod add;
pub mod list;
pub mod remove;
