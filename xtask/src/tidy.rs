//! `cargo xtask tidy`: rules that no compiler checks. Each is a pure function from the files of the repository
//! to findings, so each is tested on files that break it.

mod attributes;
mod commands;
mod decisions;
mod dependencies;
mod lengths;
mod links;
mod manifest;
mod markdown;
mod outside;
mod server_help;
mod sql;
mod tree;

use anyhow::{Result, ensure};

use self::commands::Known;
use self::server_help::ServerHelp;
use self::tree::{Finding, Tree};
use crate::project::Project;
use crate::say;

pub(crate) fn run(project: &Project) -> Result<()> {
    let tree = Tree::read(project)?;
    let mut findings = dependencies::check(&dependencies::crates_of(&project.metadata));
    findings.extend(lengths::check(&tree));
    findings.extend(links::check(&tree));
    findings.extend(outside::check(&tree));
    findings.extend(manifest::check(&tree));
    findings.extend(attributes::check(&tree));
    findings.extend(decisions::check(&tree));
    findings.extend(sql::check(&tree));
    show(&findings);
    // Last, because it has to build the server.
    let mut server = ServerHelp::new(project);
    let commands = commands::check(&tree, &mut Known::of(project, &mut server))?;
    show(&commands);
    findings.extend(commands);
    ensure!(findings.is_empty(), "tidy: {} findings", findings.len());
    say::line("tidy: nothing found");
    Ok(())
}

fn show(findings: &[Finding]) {
    for finding in findings {
        say::line(&finding.to_string());
    }
}
