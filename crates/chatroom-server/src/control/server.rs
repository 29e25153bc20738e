use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::path::SocketPath;
use super::{LONGEST_REQUEST, line};
use crate::admin::{Admin, AdminError, AdminReply, AdminRequest};

/// How long a connection may take to send its request or to take its reply.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections are answered at once; the next waits.
const AT_ONCE: usize = 16;
/// How many more may wait for their turn.
const WAITING: u32 = 128;
/// How long to wait when the system has no descriptor for a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// The server's side of the control socket, bound and listening. The socket's file goes when this is dropped.
pub struct ControlSocket {
    listener: UnixListener,
    path: SocketPath,
}

impl ControlSocket {
    /// Binds the socket in a data directory that this process holds, in place of one that a killed server left.
    /// Needs a tokio runtime.
    ///
    /// # Errors
    /// `AddrInUse` if a server answers there or if the path is something else than a socket; else what the system
    /// says.
    pub fn bind(data_dir: &Path) -> io::Result<Self> {
        let path = SocketPath::of(data_dir)?;
        remove_stale(path.as_path())?;
        let socket = UnixSocket::new_stream()?;
        socket.bind(path.as_path())?;
        // Between `bind` and `listen` nobody can connect, so nobody comes in before the mode is right.
        std::fs::set_permissions(path.as_path(), Permissions::from_mode(0o600))?;
        Ok(Self { listener: socket.listen(WAITING)?, path })
    }

    /// Answers requests until `stop`; then those that were begun are finished, and the socket's file is removed.
    /// Dropping the future breaks off what is in flight.
    pub async fn serve(self, admin: Arc<dyn Admin>, stop: CancellationToken) {
        let mut open = JoinSet::new();
        loop {
            while open.try_join_next().is_some() {}
            if open.len() >= AT_ONCE {
                open.join_next().await;
            }
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    open.spawn(answer(stream, Arc::clone(&admin), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the control socket could not accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        while open.join_next().await.is_some() {}
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(self.path.as_path()) {
            tracing::debug!(%error, "the control socket was gone already");
        }
    }
}

/// Removes the socket of a server that is no more.
fn remove_stale(path: &Path) -> io::Result<()> {
    let about = match std::fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !about.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "control.sock is not a socket; remove it"));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another server answers on control.sock"));
    }
    std::fs::remove_file(path)
}

async fn answer(stream: UnixStream, admin: Arc<dyn Admin>, stop: CancellationToken) {
    let mut stream = BufReader::new(stream);
    let read = tokio::time::timeout(PATIENCE, line::read(&mut stream, LONGEST_REQUEST));
    let request = tokio::select! {
        // Who has not asked by now is not waited for.
        () = stop.cancelled() => return,
        request = read => request,
    };
    let reply = match request {
        Ok(Ok(request)) => respond(&request, admin.as_ref()).await,
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(AdminError::failed(error)),
        // A look whether a server is there, or a caller that went away.
        Ok(Err(_)) | Err(_) => return,
    };
    match tokio::time::timeout(PATIENCE, line::write(&mut stream, &reply)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a reply on the control socket was not taken"),
        Err(_) => tracing::warn!("a reply on the control socket was not taken in time"),
    }
}

async fn respond(request: &[u8], admin: &dyn Admin) -> Result<AdminReply, AdminError> {
    match serde_json::from_slice::<AdminRequest>(request) {
        Ok(request) => admin.run(request).await,
        Err(_) => Err(AdminError::Failed(format!(
            "the running server is version {} and does not understand this command",
            env!("CARGO_PKG_VERSION")
        ))),
    }
}
