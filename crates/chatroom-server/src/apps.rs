//! The apps, as every call needs them: in memory, found without the store.

mod administrator;
mod declared;
mod demo;
mod follow;
mod view;

pub(crate) use administrator::Administrator;
pub(crate) use declared::reconcile;
pub(crate) use demo::{Demo, make as make_demo};
pub(crate) use follow::follow;
pub(crate) use view::{AppEntry, Apps};
