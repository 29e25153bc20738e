//! The binaries that are measured, and this one, as releases.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::project::Project;

pub(crate) struct Binaries {
    pub(crate) server: PathBuf,
    pub(crate) bare: PathBuf,
}

/// Builds the server as `cargo run --release` builds it, and the bare server in the same profile.
pub(crate) fn binaries(project: &Project) -> Result<Binaries> {
    let cargo = Project::cargo();
    cmd!(project.shell, "{cargo} build --release").run()?;
    let server = project.target.join("release").join("chatroom-server");
    Ok(Binaries { server, bare: helper(project, "xtask-bare")? })
}

/// Builds a program that only benchmarks need, in the same profile.
pub(crate) fn helper(project: &Project, package: &str) -> Result<PathBuf> {
    let cargo = Project::cargo();
    cmd!(project.shell, "{cargo} build --release --package {package}").run()?;
    Ok(project.target.join("release").join(package))
}

/// `cargo xtask` is a debug build, which is too slow to generate load. It builds itself as a release and becomes
/// that, with the same arguments. Returns only if it is one already.
pub(crate) fn become_a_release(project: &Project) -> Result<()> {
    if !cfg!(debug_assertions) {
        return Ok(());
    }
    let release = helper(project, "xtask")?;
    let error = Command::new(&release).args(env::args_os().skip(1)).exec();
    Err(error).with_context(|| format!("cannot start {}", release.display()))
}
