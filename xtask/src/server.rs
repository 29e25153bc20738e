//! The server's binary, as the tests build it.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::project::Project;

/// Builds the server and says where its binary is. The selection is that of `test`, so nothing is built twice.
pub(crate) fn build(project: &Project) -> Result<PathBuf> {
    let cargo = Project::cargo();
    cmd!(project.shell, "{cargo} build --workspace --all-features --bin chatroom-server").run()?;
    Ok(project.target.join("debug").join("chatroom-server"))
}
