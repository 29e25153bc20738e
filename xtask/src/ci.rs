//! `cargo xtask ci`: everything that has to hold, on a machine that has a Rust toolchain and nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::project::Project;
use crate::{clients, deny, say, test, tidy};

type Step = (&'static str, fn(&Project) -> Result<()>);

const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("clippy", clippy),
    ("test", |project| test::run(project, test::Args { failovers: Some(10), ..test::Args::default() })),
    ("clients", clients::run),
    ("docs", docs),
    ("deny", deny::run),
    ("tidy", tidy::run),
];

/// Stops at the first step that fails.
pub(crate) fn run(project: &Project) -> Result<()> {
    let mut times = Vec::new();
    for (name, step) in STEPS {
        say::line(&format!("── {name}"));
        let began = Instant::now();
        let done = step(project);
        let time = seconds(began.elapsed());
        if done.is_err() {
            say::line(&format!("── {name} failed after {time}"));
        }
        done.with_context(|| format!("ci stopped at `{name}`"))?;
        say::line(&format!("── {name} passed in {time}"));
        times.push(format!("{name} {time}"));
    }
    say::line(&format!("ci passed: {}", times.join(", ")));
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn fmt(project: &Project) -> Result<()> {
    let cargo = Project::cargo();
    cmd!(project.shell, "{cargo} fmt --all --check").run()?;
    Ok(())
}

/// Also where a lock file that does not fit the manifests is found.
fn clippy(project: &Project) -> Result<()> {
    let cargo = Project::cargo();
    cmd!(project.shell, "{cargo} clippy --locked --workspace --all-targets --all-features -- -D warnings")
        .run()?;
    Ok(())
}

fn docs(project: &Project) -> Result<()> {
    let cargo = Project::cargo();
    cmd!(project.shell, "{cargo} doc --workspace --all-features --no-deps")
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Ok(())
}
