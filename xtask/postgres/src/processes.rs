use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// Ends a process and its children as if the machine lost its power: none of them runs another instruction of its
/// own. `parent` is stopped first, so that it has no new child meanwhile.
pub(crate) fn kill_tree(parent: i32) -> Result<()> {
    let pid = Pid::from_raw(parent).context("0 is no process")?;
    kill_process(pid, Signal::STOP).context("the server has ended by itself")?;
    for (child, its_parent) in processes()? {
        if its_parent == parent
            && let Some(child) = Pid::from_raw(child)
        {
            // It may have ended by itself since.
            let _ = kill_process(child, Signal::KILL);
        }
    }
    kill_process(pid, Signal::KILL).context("the server has ended by itself")
}

/// All processes, each with its parent.
#[cfg(target_os = "linux")]
fn processes() -> Result<Vec<(i32, i32)>> {
    use std::fs;

    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // `pid (name) state parent …`, and the name may hold anything.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace());
        if let Some(parent) = fields.and_then(|mut fields| fields.nth(1)?.parse().ok()) {
            found.push((pid, parent));
        }
    }
    Ok(found)
}

/// All processes, each with its parent.
#[cfg(not(target_os = "linux"))]
fn processes() -> Result<Vec<(i32, i32)>> {
    let output = std::process::Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid="]).output()?;
    let lines = String::from_utf8(output.stdout)?;
    let numbers = |line: &str| {
        let mut fields = line.split_whitespace();
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Ok(lines.lines().filter_map(numbers).collect())
}
