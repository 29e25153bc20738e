//! `cargo xtask clients`: published third-party clients against a running server, once with each status for a
//! user who is not a member. `clients/run` installs and drives them.

mod http;
mod running;

use std::env;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use self::running::Running;
use crate::project::Project;
use crate::runner::read_lines;
use crate::say::{self, Working};
use crate::tally::{Runner, Tally};
use crate::{needs, server};

/// The app that the server is told to have. Nothing outside this machine ever sees these.
const CLIENT_ID: &str = "YXA6third-party-clients-of-a-test";
const CLIENT_SECRET: &str = "YXA6secret-of-third-party-clients-of-a-test";

pub(crate) fn run(project: &Project) -> Result<()> {
    needs::ensure(&[&needs::NODE, &needs::NPM, &needs::PYTHON, &needs::TIMEOUT])?;
    let binary = server::build(project)?;
    let mut tally = Tally::default();
    for (status, compat) in [("400", ""), ("403", "[compat]\nnot_member_status = 403\n")] {
        let server = Running::start(&binary, &config(compat))?;
        let driven = drive(project, &server, status);
        match driven {
            Ok(part) => tally += part,
            Err(error) => return Err(error.context(server.log())),
        }
        ensure!(tally.failed == 0, "a third-party client failed; the server said:\n{}", server.log());
        server.stop()?;
    }
    say::line(&tally.to_string());
    ensure!(tally.passed == 4, "two clients were to pass twice");
    Ok(())
}

fn config(compat: &str) -> String {
    format!(
        "{compat}[[apps]]\norg = \"demo\"\napp = \"chat\"\nclient_id = \"{CLIENT_ID}\"\nclient_secret = \
         \"{CLIENT_SECRET}\"\n"
    )
}

fn drive(project: &Project, server: &Running, not_member_status: &str) -> Result<Tally> {
    let working = Working::on(format!("third-party clients, not_member_status = {not_member_status}"));
    let mut command = Command::new(project.root.join("xtask/clients/run"));
    command
        .arg(project.target.join("clients"))
        .env("EM_BASE_URL", server.base_url())
        .env("EM_ORG", "demo")
        .env("EM_APP", "chat")
        .env("EM_CLIENT_ID", CLIENT_ID)
        .env("EM_CLIENT_SECRET", CLIENT_SECRET)
        .env("EM_NM_STATUS", not_member_status);
    // A proxy that serves the registries must not be asked for this machine.
    for name in ["NO_PROXY", "no_proxy"] {
        let others = env::var(name).unwrap_or_default();
        command.env(name, format!("127.0.0.1,{others}"));
    }
    let mut tally = None;
    let status = read_lines(&mut command, |line| {
        working.line(line);
        tally = Tally::parse(Runner::Clients, line).or(tally);
    })?;
    let tally = tally.with_context(|| format!("the clients ended ({status}) before they ran"))?;
    ensure!(status.success() || tally.failed > 0, "the clients failed ({status})");
    Ok(tally)
}
