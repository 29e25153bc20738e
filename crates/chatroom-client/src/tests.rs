//! Against servers that behave, and against some that do not.

mod broken_answers;
#[cfg(feature = "axum")]
mod deliveries;
mod members;
mod retries;
mod rooms_and_users;
mod support;
mod tokens;
