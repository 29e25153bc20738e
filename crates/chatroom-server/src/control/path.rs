//! The address of the socket.

use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "control.sock";
/// What fits the address of a Unix socket on every system, with its closing zero.
const LONGEST: usize = 103;

/// The path to bind or connect to. It is good as long as this lives.
pub(super) struct SocketPath {
    path: PathBuf,
    /// Holds the directory open while `path` goes through its descriptor.
    #[cfg(target_os = "linux")]
    _directory: Option<std::fs::File>,
}

impl SocketPath {
    /// The socket of a data directory. Where the system can, a path too long for a socket's address is reached
    /// through an open descriptor of the directory.
    pub(super) fn of(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(NAME);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self {
                path,
                #[cfg(target_os = "linux")]
                _directory: None,
            });
        }
        Self::long(data_dir)
    }

    #[cfg(target_os = "linux")]
    fn long(data_dir: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        let directory = std::fs::File::open(data_dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(NAME);
        Ok(Self { path, _directory: Some(directory) })
    }

    #[cfg(not(target_os = "linux"))]
    fn long(data_dir: &Path) -> io::Result<Self> {
        let message = format!("the path of {} is too long for a socket in it", data_dir.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }

    pub(super) fn as_path(&self) -> &Path {
        &self.path
    }
}
