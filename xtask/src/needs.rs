//! Programs that the tasks start. What is missing is installed where that is nobody's own machine (CI, or
//! root with Debian's packages), and named in one line elsewhere. A package that would start a service of its own is
//! installed in CI only. Nothing is skipped because it is missing.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use xshell::{Shell, cmd};
use xtask_postgres::Binaries;

use crate::say::Working;

pub(crate) struct Need {
    /// What it is called in a message, and what it is for.
    what: &'static str,
    why: &'static str,
    probe: Probe,
    debian: &'static [&'static str],
    brew: &'static str,
    /// Whether its package starts a service, which nobody gets unasked.
    service: bool,
    /// What may be done instead of installing it.
    instead: &'static str,
}

/// How it is seen that something is installed.
#[derive(Clone, Copy)]
enum Probe {
    /// This command succeeds.
    Starts(&'static [&'static str]),
    /// This says so.
    Is(fn() -> bool),
}

impl Need {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Starts(command) => present(command),
            Probe::Is(there) => there(),
        }
    }
}

/// What most needs have in common.
const PROGRAM: Need =
    Need { what: "", why: "", probe: Probe::Starts(&[]), debian: &[], brew: "", service: false, instead: "" };

/// There is no strace on macOS; the tests that use it are not built there.
pub(crate) const STRACE: Need = Need {
    what: "strace",
    why: "shows that no answer leaves before its sync",
    probe: Probe::Starts(&["strace", "-V"]),
    debian: &["strace"],
    ..PROGRAM
};
pub(crate) const CURL: Need = Need {
    what: "curl",
    why: "the printed command lines are run as they are",
    probe: Probe::Starts(&["curl", "--version"]),
    debian: &["curl"],
    brew: "curl",
    ..PROGRAM
};
pub(crate) const NODE: Need = Need {
    what: "node",
    why: "runs a third-party client",
    probe: Probe::Starts(&["node", "--version"]),
    debian: &["nodejs"],
    brew: "node",
    ..PROGRAM
};
pub(crate) const NPM: Need = Need {
    what: "npm",
    why: "installs a third-party client",
    probe: Probe::Starts(&["npm", "--version"]),
    debian: &["npm"],
    brew: "node",
    ..PROGRAM
};
pub(crate) const PYTHON: Need = Need {
    what: "python3 with venv",
    why: "installs and runs a third-party client",
    probe: Probe::Starts(&["python3", "-c", "import ensurepip, venv"]),
    debian: &["python3", "python3-venv"],
    brew: "python",
    ..PROGRAM
};
pub(crate) const TIMEOUT: Need = Need {
    what: "timeout",
    why: "ends a third-party client that hangs",
    probe: Probe::Starts(&["timeout", "--version"]),
    debian: &["coreutils"],
    brew: "coreutils",
    ..PROGRAM
};
pub(crate) const POSTGRES: Need = Need {
    what: "PostgreSQL's server binaries",
    why: "the store on PostgreSQL is tested on real servers",
    probe: Probe::Is(|| Binaries::find().is_ok()),
    debian: &["postgresql"],
    brew: "postgresql@17",
    service: true,
    instead: "set CHATROOM_TEST_POSTGRES to the URL of a server on which tests may make databases (those that kill \
              servers of their own fail then)",
};

/// How something can be installed here.
#[derive(Debug, PartialEq, Eq)]
enum Installer {
    Apt {
        sudo: bool,
    },
    Brew,
    /// By hand; the command is named.
    Nobody(&'static str),
}

/// Makes sure that all of them are there.
pub(crate) fn ensure(needs: &[&Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let apt = present(&["apt-get", "--version"]);
    let service = missing.iter().any(|need| need.service);
    match installer(cfg!(target_os = "macos"), apt, is_root(), is_ci(), service) {
        Installer::Apt { sudo } => install_with_apt(sudo, &packages(&missing))?,
        Installer::Brew => install_with_brew(&missing)?,
        Installer::Nobody(command) => bail!("{}", by_hand(&missing, command)),
    }
    match self::missing(&missing).first() {
        None => Ok(()),
        Some(need) => bail!("{} was installed and still does not start", need.what),
    }
}

fn missing<'a>(needs: &[&'a Need]) -> Vec<&'a Need> {
    needs.iter().copied().filter(|need| !need.is_there()).collect()
}

/// Whether a command starts and succeeds.
pub(crate) fn present(probe: &[&str]) -> bool {
    let Some((program, args)) = probe.split_first() else { return false };
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn installer(macos: bool, apt: bool, root: bool, ci: bool, service: bool) -> Installer {
    match (macos, apt) {
        (true, _) if ci => Installer::Brew,
        (true, _) => Installer::Nobody("brew install"),
        (false, true) if root && (ci || !service) => Installer::Apt { sudo: false },
        (false, true) if ci => Installer::Apt { sudo: true },
        (false, true) => Installer::Nobody("sudo apt-get install"),
        (false, false) => Installer::Nobody("the package manager of this system, Debian's names:"),
    }
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().flat_map(|need| need.debian).copied().collect()
}

fn by_hand(missing: &[&Need], command: &str) -> String {
    let what: Vec<_> = missing.iter().map(|need| format!("{} ({})", need.what, need.why)).collect();
    let packages = if command.starts_with("brew") {
        missing.iter().map(|need| need.brew).collect()
    } else {
        packages(missing)
    };
    let mut text = format!("missing: {}. Install with: {command} {}", what.join(", "), packages.join(" "));
    for need in missing.iter().filter(|need| !need.instead.is_empty()) {
        text = format!("{text}; or, for {}, {}", need.what, need.instead);
    }
    text
}

fn install_with_apt(sudo: bool, packages: &[&str]) -> Result<()> {
    let _working = Working::on(format!("installing {}", packages.join(" ")));
    let shell = Shell::new()?;
    let (program, args): (_, &[&str]) = if sudo { ("sudo", &["-n", "env"]) } else { ("env", &[]) };
    let apt = &[args, &["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]].concat();
    cmd!(shell, "{program} {apt...} update").run()?;
    cmd!(shell, "{program} {apt...} install --no-install-recommends {packages...}").run()?;
    Ok(())
}

fn install_with_brew(missing: &[&Need]) -> Result<()> {
    let packages: Vec<_> = missing.iter().map(|need| need.brew).collect();
    let _working = Working::on(format!("installing {}", packages.join(" ")));
    let shell = Shell::new()?;
    cmd!(shell, "brew install --quiet {packages...}").run()?;
    Ok(())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

#[cfg(test)]
mod tests {
    use super::{Installer, POSTGRES, PYTHON, STRACE, by_hand, installer, present};

    #[test]
    fn packages_are_installed_only_as_root_or_in_ci() {
        assert_eq!(installer(false, true, true, false, false), Installer::Apt { sudo: false });
        assert_eq!(installer(false, true, false, true, false), Installer::Apt { sudo: true });
        let by_hand = Installer::Nobody("sudo apt-get install");
        assert_eq!(installer(false, true, false, false, false), by_hand);
        assert_eq!(installer(true, false, false, true, false), Installer::Brew);
        assert_eq!(installer(true, false, true, false, false), Installer::Nobody("brew install"));
        assert!(matches!(installer(false, false, true, true, false), Installer::Nobody(_)));
    }

    #[test]
    fn a_package_that_starts_a_service_is_installed_in_ci_only() {
        assert_eq!(installer(false, true, true, true, true), Installer::Apt { sudo: false });
        assert_eq!(installer(false, true, false, true, true), Installer::Apt { sudo: true });
        assert_eq!(installer(false, true, true, false, true), Installer::Nobody("sudo apt-get install"));
    }

    #[test]
    fn what_is_missing_is_said_in_one_line() {
        let text = by_hand(&[&STRACE, &PYTHON], "sudo apt-get install");
        assert_eq!(
            text,
            "missing: strace (shows that no answer leaves before its sync), python3 with venv (installs and runs a \
             third-party client). Install with: sudo apt-get install strace python3 python3-venv"
        );
    }

    #[test]
    fn what_can_be_had_otherwise_is_said_in_the_same_line() {
        let text = by_hand(&[&POSTGRES], "sudo apt-get install");
        assert_eq!(
            text,
            "missing: PostgreSQL's server binaries (the store on PostgreSQL is tested on real servers). Install with: \
             sudo apt-get install postgresql; or, for PostgreSQL's server binaries, set CHATROOM_TEST_POSTGRES to the \
             URL of a server on which tests may make databases (those that kill servers of their own fail then)"
        );
    }

    #[test]
    fn a_program_is_present_when_its_probe_succeeds() {
        assert!(present(&["true"]));
        assert!(!present(&["false"]));
        assert!(!present(&["no-such-program-of-this-name"]));
    }
}
