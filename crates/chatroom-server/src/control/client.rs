use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::BufReader;
use tokio::net::UnixStream;

use super::path::SocketPath;
use super::{LONGEST_REPLY, line};
use crate::admin::{Admin, AdminError, AdminReply, AdminRequest};

/// How long a reply may take. The server answers in milliseconds, unless its disk is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, reached through its control socket.
#[derive(Debug)]
pub struct ControlClient {
    data_dir: PathBuf,
}

/// Why a control socket that is there cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It belongs to somebody else.
    #[error("{} holds the data of a server that another user runs; run the command as that user", data_dir.display())]
    NotOurs {
        /// The data directory.
        data_dir: PathBuf,
    },
    /// Anything else.
    #[error("the control socket in {} cannot be reached: {source}", data_dir.display())]
    Unreachable {
        /// The data directory.
        data_dir: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl ControlClient {
    /// Looks for a server on a data directory. `None` means that none answers: the socket is not there, or is left
    /// over from a server that was killed.
    ///
    /// # Errors
    /// [`ControlError`] if the socket is there and says something else.
    pub async fn connect(data_dir: &Path) -> Result<Option<Self>, ControlError> {
        match dial(data_dir).await {
            Ok(_) => Ok(Some(Self { data_dir: data_dir.to_owned() })),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                io::ErrorKind::PermissionDenied => {
                    Err(ControlError::NotOurs { data_dir: data_dir.to_owned() })
                }
                _ => Err(ControlError::Unreachable { data_dir: data_dir.to_owned(), source: error }),
            },
        }
    }

    async fn ask(&self, request: &AdminRequest) -> io::Result<Result<AdminReply, AdminError>> {
        let mut stream = BufReader::new(dial(&self.data_dir).await?);
        line::write(&mut stream, request).await?;
        let reply = line::read(&mut stream, LONGEST_REPLY).await?;
        serde_json::from_slice(&reply).map_err(io::Error::from)
    }
}

async fn dial(data_dir: &Path) -> io::Result<UnixStream> {
    let socket = SocketPath::of(data_dir)?;
    UnixStream::connect(socket.as_path()).await
}

#[async_trait]
impl Admin for ControlClient {
    async fn run(&self, request: AdminRequest) -> Result<AdminReply, AdminError> {
        let why = match tokio::time::timeout(PATIENCE, self.ask(&request)).await {
            Ok(Ok(reply)) => return reply,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no reply within {} seconds", PATIENCE.as_secs()),
        };
        Err(AdminError::Failed(format!(
            "the running server did not answer ({why}); look with `{}` whether the command was carried out",
            request.look()
        )))
    }

    async fn close(&self) {}
}
