//! Rooms: create, details, list, dissolve (contract §5).

pub mod create;
pub mod details;
pub mod dissolve;
pub mod list;
