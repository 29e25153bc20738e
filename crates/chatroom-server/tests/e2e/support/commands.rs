//! Commands of the binary, and what they print.

use std::path::Path;

use super::{command, ended};

/// Runs a command, which must succeed, and answers what it printed.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = try_to(dir, arguments);
    assert_eq!(code, 0, "{arguments:?}\n{err}");
    out
}

/// Runs a command, and answers its exit status and what it printed.
pub(crate) fn try_to(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = ended(command(dir).args(arguments));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What stands behind a label of a reply.
pub(crate) fn field(text: &str, label: &str) -> String {
    let line =
        text.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("{label} in {text}"));
    line[label.len()..].trim().to_owned()
}
