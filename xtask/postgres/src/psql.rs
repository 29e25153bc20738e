use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::account::Account;
use crate::binaries::Binaries;

/// Runs statements in a database and answers what they print: one line a row, columns divided by `|`.
pub(crate) fn run(url: &str, statements: &str) -> Result<String> {
    let mut command: Command = Account::find()?.command(Binaries::find()?.path("psql"));
    command.args(["--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only"]);
    command.args(["--set=ON_ERROR_STOP=1", "--command", statements, "--dbname", url]);
    let output = command.output().context("cannot start psql")?;
    ensure!(output.status.success(), "`{statements}`: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// A name as it stands in a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
