//! Files that hold a secret and nothing else.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;

/// The secret, without line ends at its end, and what should be known about the file. `what` is how people call the
/// secret.
///
/// # Errors
/// Why there is no secret, in words that name the file.
pub(crate) fn read(path: &Path, what: &str) -> Result<(SecretString, Option<String>), String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("{shown} cannot be read: {why}"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(format!("{shown} is empty"));
    }
    let others = std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o044 != 0);
    let warning = others.then(|| format!("{shown} holds {what} and can be read by others; `chmod 600` it"));
    Ok((secret.into(), warning))
}
