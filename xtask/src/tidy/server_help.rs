//! What the server's own `--help` says of its subcommands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::project::Project;
use crate::server;

/// Builds the server when it is first asked, and asks it once for each subcommand.
pub(crate) struct ServerHelp<'a> {
    project: &'a Project,
    binary: Option<PathBuf>,
    known: BTreeMap<Vec<String>, Option<String>>,
}

impl<'a> ServerHelp<'a> {
    pub(crate) fn new(project: &'a Project) -> Self {
        Self { project, binary: None, known: BTreeMap::new() }
    }

    /// The help text of a subcommand, if there is such a subcommand.
    pub(crate) fn of(&mut self, words: &[String]) -> Result<Option<String>> {
        if let Some(help) = self.known.get(words) {
            return Ok(help.clone());
        }
        let binary = match &self.binary {
            Some(binary) => binary.clone(),
            None => self.binary.insert(server::build(self.project)?).clone(),
        };
        let output = Command::new(binary).args(words).arg("--help").output()?;
        let help = output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned());
        self.known.insert(words.to_vec(), help.clone());
        Ok(help)
    }
}
