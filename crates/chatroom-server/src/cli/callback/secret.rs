//! A secret that somebody has already.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::admin::Shown;

/// A file that holds more is not a secret but a mistake.
const LONGEST: u64 = 64 << 10;

/// What a file holds, without line ends at its end, and what should be known about the file.
///
/// # Errors
/// A sentence for the person who named it.
pub(super) fn read(path: &Path) -> Result<(Shown, Option<String>), String> {
    let shown = path.display();
    let unreadable = |why: std::io::Error| format!("{shown} cannot be read: {why}");
    let mut text = String::new();
    let file = File::open(path).map_err(unreadable)?;
    let others = file.metadata().is_ok_and(|about| about.permissions().mode() & 0o044 != 0);
    let read = file.take(LONGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read > LONGEST) {
        return Err(format!("{shown} holds more than {} KiB, which is no secret", LONGEST >> 10));
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(format!("{shown} is empty"));
    }
    let note = others.then(|| format!("{shown} holds a secret and can be read by others; `chmod 600` it"));
    Ok((Shown::new(secret.into()), note))
}
