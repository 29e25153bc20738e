//! Where the project lies and what `cargo` knows of it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use xshell::Shell;

pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) metadata: Metadata,
    /// A shell at the root.
    pub(crate) shell: Shell,
}

impl Project {
    /// Finds the workspace around the current directory.
    pub(crate) fn open() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .exec()
            .context("cannot read the workspace; run this inside the repository")?;
        let root = metadata.workspace_root.clone().into_std_path_buf();
        let shell = Shell::new()?;
        shell.change_dir(&root);
        Ok(Self { root, target: metadata.target_directory.clone().into_std_path_buf(), metadata, shell })
    }

    /// The `cargo` that runs this task.
    pub(crate) fn cargo() -> OsString {
        env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
    }
}
