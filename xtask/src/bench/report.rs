//! What a benchmark leaves: a table for people, in `docs/performance.md` too, and JSON for programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::machine::Machine;
use crate::project::Project;
use crate::say;

const DOCUMENT: &str = "docs/performance.md";

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Out {
    /// Write each round to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a, R> {
    machine: &'a Machine,
    rounds: &'a [R],
}

/// Prints the table and writes what was asked for. Only a run of the full size goes into the documentation.
pub(crate) fn publish<R: Serialize>(
    project: &Project,
    name: &str,
    table: &Table,
    rounds: &[R],
    out: &Out,
    full_size: bool,
) -> Result<()> {
    let machine = Machine::this(project);
    let text = format!("{machine}\n\n{}", table.markdown());
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

pub(crate) struct Table {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|&cell| cell.to_owned()).collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = "| --- ".repeat(self.head.len()) + "|\n";
        line(&self.head) + &rule + &self.rows.iter().map(|cells| line(cells)).collect::<String>()
    }
}

/// The middle of several rounds and how far apart they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        Self { least: at(0), median: f64::midpoint(at(last / 2), at(last.div_ceil(2))), most: at(last) }
    }

    /// `0.61 (0.58 to 0.64)`
    pub(crate) fn ratio(self) -> String {
        format!("{:.2} ({:.2} to {:.2})", self.median, self.least, self.most)
    }

    /// `21,300 (20,900 to 22,000)`
    pub(crate) fn rate(self) -> String {
        format!("{} ({} to {})", count(self.median), count(self.least), count(self.most))
    }
}

/// A number with commas, without a fraction.
pub(crate) fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds as milliseconds.
pub(crate) fn millis(micros: f64) -> String {
    format!("{:.2} ms", micros / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::{Spread, Table, between_markers, count};

    #[test]
    fn a_table_replaces_the_one_before() {
        let document = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n";
        let new = between_markers(document, "x", "new\n").unwrap();
        assert_eq!(new, "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n");
        assert_eq!(between_markers(&new, "x", "new\n").as_deref(), Some(new.as_str()));
        assert_eq!(between_markers(document, "y", ""), None);
    }

    #[test]
    fn a_table_is_markdown() {
        let mut table = Table::new(&["a", "b"]);
        table.row(vec!["1".to_owned(), "2".to_owned()]);
        assert_eq!(table.markdown(), "| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { least: 1.0, median: 2.0, most: 3.0 });
        assert_eq!(Spread::of([4.0, 1.0, 2.0, 3.0]), Spread { least: 1.0, median: 2.5, most: 4.0 });
    }

    #[test]
    fn numbers_have_commas() {
        assert_eq!([1.0, 999.6, 123_456.0, 1e7].map(count), ["1", "1,000", "123,456", "10,000,000"]);
    }
}
