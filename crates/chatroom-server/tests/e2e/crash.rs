//! What no orderly test shows: the process killed, the disk full, the disk failing, and the order of system calls.

pub(crate) mod api;
#[cfg(target_os = "linux")] // strace makes the system calls fail; macOS has nothing like it.
mod faults;
pub(crate) mod kill;
pub(crate) mod log;
mod sweep;
#[cfg(target_os = "linux")] // strace shows the order of the system calls.
mod sync;
pub(crate) mod told;
