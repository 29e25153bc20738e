//! `cargo xtask deny`: licences, bans and sources, by `cargo-deny` and `deny.toml`.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::needs::present;
use crate::project::Project;
use crate::say::Working;

/// Four minutes to build on two cores, once per target directory.
const VERSION: &str = "0.20.2";

pub(crate) fn run(project: &Project) -> Result<()> {
    let program = program(project)?;
    cmd!(project.shell, "{program} check bans licenses sources").run()?;
    Ok(())
}

/// The one on the path, or one that is built under the target directory.
fn program(project: &Project) -> Result<PathBuf> {
    if present(&["cargo-deny", "--version"]) {
        return Ok("cargo-deny".into());
    }
    let root = project.target.join("tools");
    let program = root.join("bin").join("cargo-deny");
    if !program.is_file() {
        let _working = Working::on("building cargo-deny");
        let cargo = Project::cargo();
        cmd!(project.shell, "{cargo} install --quiet --locked --version {VERSION} --root {root} cargo-deny")
            .run()?;
    }
    Ok(program)
}
