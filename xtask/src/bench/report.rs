//! What a benchmark leaves: tables for people, in `docs/performance.md` too, and JSON for programs.

mod goals;
mod spread;
mod table;
mod units;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;

pub(crate) use self::goals::{Bound, Goals};
pub(crate) use self::spread::Spread;
pub(crate) use self::table::Table;
pub(crate) use self::units::{GIB, MIB, bytes, count, mib, millis, percent, ratio, seconds};
use super::machine::{Machine, Ticks};
use crate::project::Project;
use crate::say;

const DOCUMENT: &str = "docs/performance.md";

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Out {
    /// Write each round to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// What the processors had done when the command began.
    #[arg(skip = Ticks::now())]
    began: Option<Ticks>,
}

#[derive(Serialize)]
struct Document<'a, R> {
    machine: &'a Machine,
    rounds: &'a [R],
}

/// Prints the tables and writes what was asked for. Only a run of the full size goes into the documentation.
pub(crate) fn publish<R: Serialize>(
    project: &Project,
    name: &str,
    tables: &[&Table],
    rounds: &[R],
    out: &Out,
    full_size: bool,
) -> Result<()> {
    let machine = Machine::this(project, out.began);
    let tables = tables.iter().map(|table| table.markdown()).collect::<Vec<_>>().join("\n");
    let text = format!("{machine}\n\n{tables}");
    say::line(&format!("\n{text}"));
    if let Some(path) = &out.json {
        let json = serde_json::to_string_pretty(&Document { machine: &machine, rounds })?;
        fs::write(path, json + "\n").with_context(|| path.display().to_string())?;
    }
    if full_size {
        write_into(&project.root.join(DOCUMENT), name, &text)?;
        say::line(&format!("written into {DOCUMENT}"));
    } else {
        say::line(&format!("a smaller run than the usual one: not written into {DOCUMENT}"));
    }
    Ok(())
}

fn write_into(path: &Path, name: &str, text: &str) -> Result<()> {
    let document = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let changed = between_markers(&document, name, text)
        .with_context(|| format!("{} has no marks for {name}", path.display()))?;
    Ok(fs::write(path, changed)?)
}

fn between_markers(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::between_markers;

    #[test]
    fn a_table_replaces_the_one_before() {
        let document = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let new = between_markers(document, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n");
        assert_eq!(between_markers(&new, "x", "new\n").as_deref(), Some(new.as_str()));
        assert_eq!(between_markers(document, "y", ""), None);
    }
}
