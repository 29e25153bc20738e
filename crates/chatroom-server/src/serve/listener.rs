use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::net::{TcpListener, UnixListener};

use crate::config::ListenAddress;
use crate::rate::Peer;

/// Where a server listens in fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address with the port that was bound.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A socket that is bound. Who drops it refuses new connections; a Unix socket's file goes too.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _file: SocketFile },
}

/// A connection that was accepted.
pub(super) struct Accepted {
    pub(super) stream: Stream,
    /// Who is at its other end.
    pub(super) peer: Peer,
}

/// Its socket, on no runtime yet.
pub(super) enum Stream {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// The file of a Unix socket.
pub(super) struct SocketFile(PathBuf);

impl Listener {
    /// Binds.
    ///
    /// # Errors
    /// The address is in use, or not permitted.
    pub(super) async fn bind(address: &ListenAddress) -> anyhow::Result<(Self, Address)> {
        match address {
            ListenAddress::Tcp(wanted) => {
                let listener = TcpListener::bind(wanted).await;
                let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
                let bound = Address::Tcp(listener.local_addr()?);
                Ok((Self::Tcp(listener), bound))
            }
            ListenAddress::Unix(path) => {
                remove_stale(path).with_context(|| format!("cannot listen on {address}"))?;
                let listener = UnixListener::bind(path);
                let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
                let bound = Address::Unix(path.clone());
                Ok((Self::Unix { listener, _file: SocketFile(path.clone()) }, bound))
            }
        }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                // An answer is written at once, and should leave at once. It fails on a connection that is over.
                drop(stream.set_nodelay(true));
                Ok(Accepted { stream: Stream::Tcp(stream.into_std()?), peer: Peer::of(from.ip()) })
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok(Accepted { stream: Stream::Unix(stream.into_std()?), peer: Peer::Local })
            }
        }
    }
}

/// Removes the socket of a server that was killed. One that answers, or what is no socket, is in use.
fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if about.file_type().is_socket() => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            std::fs::remove_file(path)
        }
        Ok(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a file that is no socket")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::debug!(%error, "the socket's file was gone already");
        }
    }
}
