//! Who may call: bearer tokens and client secrets.

mod accepted;
mod bearer;
mod secret;
mod token;

pub(crate) use bearer::{Bearer, bearer};
pub(crate) use secret::{callback_secret, client_id, client_secret, digest, matches, signing_key};
pub(crate) use token::{DEFAULT_TTL, Signer};
