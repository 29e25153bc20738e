//! The demo app's secret, where no terminal shows it.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chatroom_protocol::token;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::apps::Demo;

/// Its name in the data directory.
const NAME: &str = "demo-credentials";

/// Where it holds the secret of callbacks.
pub(super) const CALLBACK_SECRET: &str = "callback_secret";

#[derive(Serialize)]
struct Credentials<'a> {
    #[serde(flatten)]
    request: token::Request<'a>,
    callback_secret: &'a str,
}

/// A file, readable by its owner, that holds the body of a request for a token: `curl -d @FILE` takes it as it is. The
/// secret of the demo app's callbacks stands beside it.
pub(super) struct CredentialsFile {
    pub(super) path: PathBuf,
    /// Removed with this: the memory store has no data directory, and leaves nothing behind.
    temporary: Option<PathBuf>,
}

impl CredentialsFile {
    /// Writes the file into the data directory; without one, into a directory of its own, which goes with this.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(demo: &Demo, data_dir: Option<&Path>) -> io::Result<Self> {
        let (dir, temporary) = match data_dir {
            Some(dir) => (std::path::absolute(dir)?, None),
            None => private_directory().map(|dir| (dir.clone(), Some(dir)))?,
        };
        let file = Self { path: dir.join(NAME), temporary };
        let mut open =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&file.path)?;
        let request = token::Request {
            grant_type: Some(token::CLIENT_CREDENTIALS.into()),
            client_id: Some(demo.client_id.as_str().into()),
            client_secret: Some(demo.client_secret.expose_secret().into()),
            ttl: None,
        };
        let callback_secret = demo.callback_secret.expose_secret();
        let body = serde_json::to_vec(&Credentials { request, callback_secret })?;
        open.write_all(&body)?;
        open.write_all(b"\n")?;
        Ok(file)
    }
}

/// A directory that nobody else can enter, made by this process.
fn private_directory() -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!("chatroom-server-{:016x}", u64::from_ne_bytes(random));
    let path = std::env::temp_dir().join(name);
    DirBuilder::new().mode(0o700).create(&path)?;
    Ok(path)
}

impl Drop for CredentialsFile {
    fn drop(&mut self) {
        let Some(dir) = &self.temporary else { return };
        if let Err(error) = std::fs::remove_dir_all(dir) {
            tracing::debug!(%error, "the demo credentials were gone already");
        }
    }
}
