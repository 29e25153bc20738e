use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};

use crate::TEMPLATE;
use crate::account::Account;
use crate::binaries::Binaries;
use crate::home::Home;

/// The template of this process, if no other one was named.
static OWN: Mutex<Option<Home>> = Mutex::new(None);

/// The data directory that clusters are copied from: `initdb` takes a second, a copy a tenth of it. It is the one
/// that [`TEMPLATE`] names, else one that lasts as long as this process and that others may be told of.
///
/// # Errors
/// If there is no PostgreSQL, or `initdb` fails.
pub fn template() -> Result<PathBuf> {
    if let Some(directory) = std::env::var_os(TEMPLATE) {
        return Ok(directory.into());
    }
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let home = match own.take() {
        Some(home) => home,
        None => make()?,
    };
    Ok(own.insert(home).data())
}

fn make() -> Result<Home> {
    let account = Account::find()?;
    let home = Home::make(account, |_| Vec::new())?;
    let mut command = account.command(Binaries::find()?.path("initdb"));
    command
        .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
        .arg("--pgdata")
        .arg(home.data());
    finish(command, "initdb")?;
    Ok(home)
}

/// Copies the template to `data`.
pub(crate) fn copy(account: Account, data: &Path) -> Result<()> {
    let mut command = account.command("cp");
    command.arg("-Rp").arg(template()?).arg(data);
    finish(command, "cp")
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command, name: &str) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    ensure!(output.status.success(), "{name} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
