//! Keys and indexes begin with the app, so that an app that is deleted and made again sees nothing of the old one, and
//! nothing of one app lies in the way of another.

use std::collections::BTreeSet;

use super::MIGRATIONS;
use super::words::{Text, Word};
use crate::tidy::tree::Finding;

/// Keys that do not, and why.
const OTHERS: &[(&str, &str)] = &[
    ("IX_APPS_KEY", "finds an app by the names that callers know it by"),
    ("PK_NODES", "which nodes share limits, whatever the app"),
    ("PK_REGISTRY", "one row about all apps: whether nodes still know all that they hold in memory"),
    ("PK_SCHEMA_VERSIONS", "what was made of the database, before there is an app"),
];

#[derive(Default)]
pub(super) struct Keys {
    used: BTreeSet<&'static str>,
}

/// A key that is made: its name, and its first column where columns are named.
struct Key<'t> {
    name: &'t str,
    first: Option<&'t str>,
    line: usize,
}

impl Keys {
    pub(super) fn check(&mut self, path: &str, text: &Text) -> Vec<Finding> {
        let mut findings = Vec::new();
        for key in keys(&text.words).filter(|_| text.is_sql()) {
            if let Some((name, _)) = OTHERS.iter().find(|(name, _)| *name == key.name) {
                self.used.insert(name);
                continue;
            }
            let what = match key.first {
                Some("APP") => continue,
                Some(_) => "a key or index that does not begin with the app",
                None => "a key of one column: name the columns in a constraint, the app first",
            };
            findings.push(Finding::at(path, key.line, what));
        }
        findings
    }

    /// Exceptions that nothing needs.
    pub(super) fn unused(&self) -> Vec<Finding> {
        let unused = OTHERS.iter().filter(|(name, _)| !self.used.contains(name));
        let finding = |(name, _): &(&str, &str)| {
            Finding::at(
                MIGRATIONS,
                0,
                format!("there is no {} any more: forget the exception", name.to_lowercase()),
            )
        };
        unused.map(finding).collect()
    }
}

fn keys(words: &[Word]) -> impl Iterator<Item = Key<'_>> {
    let at = |index: usize| words.get(index).map_or("", |word| word.upper.as_str());
    words.iter().enumerate().filter_map(move |(index, word)| {
        let before = |back: usize| index.checked_sub(back).map_or("", at);
        // `CONSTRAINT name` may stand before a key.
        let name = if before(2) == "CONSTRAINT" { before(1) } else { "" };
        let key =
            |name, open: usize| Key { name, first: (at(open) == "(").then(|| at(open + 1)), line: word.line };
        match word.upper.as_str() {
            "PRIMARY" if at(index + 1) == "KEY" => Some(key(name, index + 2)),
            "UNIQUE" if at(index + 1) != "INDEX" => Some(key(name, index + 1)),
            "INDEX" if matches!(before(1), "CREATE" | "UNIQUE") => {
                let on = (index..words.len()).find(|on| at(*on) == "ON")?;
                let open = (on..words.len()).find(|open| at(*open) == "(")?;
                Some(key(at(on - 1), open))
            }
            _ => None,
        }
    })
}
