//! Against servers that behave, and against some that do not.

mod broken_answers;
mod members;
mod retries;
mod rooms_and_users;
mod support;
mod tokens;
