//! SQL is in one crate, and keeps what several nodes on one database rely on: no lock, wake-up or number that lives
//! beside the rows, and every key begins with the app.

mod keys;
mod literals;
mod words;

use self::literals::literals;
use self::words::{Text, Word};
use super::tree::{Finding, Tree};

/// The one crate that knows SQL: what nodes run.
const CODE: &str = "crates/chatroom-store-postgres/src/";
const MIGRATIONS: &str = "crates/chatroom-store-postgres/migrations/";

/// Where else there may be SQL, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("crates/chatroom-store-postgres/tests/", "tests look at the database, and harm it"),
    (
        "crates/chatroom-server/tests/e2e/",
        "tests look at what nodes have written, age it, and make a later schema",
    ),
    (
        "crates/chatroom-store-embedded/",
        "its journal is a file of SQLite, behind a trait that knows groups only",
    ),
    ("xtask/grouping/", "transactions that the store's groups are measured against"),
    ("xtask/postgres/", "starts servers and asks them how they are"),
    ("xtask/src/", "asks those servers; and the samples of this check"),
];

/// Words that are nothing but SQL, whatever text they stand in.
const NEVER: &[(&str, &str)] = &[
    ("PG_NOTIFY", WAKE_UP),
    ("NEXTVAL", NUMBER),
    ("SETVAL", NUMBER),
    ("CURRVAL", NUMBER),
    ("LASTVAL", NUMBER),
    ("BIGSERIAL", NUMBER),
    ("SMALLSERIAL", NUMBER),
];
/// Words that mean this in a statement, and something else in a sentence.
const NEVER_IN_SQL: &[(&str, &str)] = &[
    ("LISTEN", WAKE_UP),
    ("UNLISTEN", WAKE_UP),
    ("NOTIFY", WAKE_UP),
    ("SERIAL", NUMBER),
    ("SERIAL2", NUMBER),
    ("SERIAL4", NUMBER),
    ("SERIAL8", NUMBER),
    ("SEQUENCE", NUMBER),
    ("IDENTITY", NUMBER),
];
const LOCK: &str = "an advisory lock: lock the row that the lock is about";
const WAKE_UP: &str = "LISTEN/NOTIFY: poolers break it, and a standby has none; look at the rows";
const NUMBER: &str =
    "numbers from outside the transaction leave gaps and overtake: count in the row that is locked";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut keys = keys::Keys::default();
    for (path, text) in tree.texts(".sql") {
        if path.starts_with(MIGRATIONS) {
            let text = Text::of_file(text);
            findings.extend(forbidden(path, &text));
            findings.extend(keys.check(path, &text));
        } else {
            findings.extend(elsewhere(path, 1));
        }
    }
    for (path, text) in tree.texts(".rs") {
        let literals = match literals(text) {
            Ok(literals) => literals,
            Err(line) => {
                findings.push(Finding::at(path, line, "cannot be read as Rust"));
                continue;
            }
        };
        if path.starts_with(CODE) {
            for text in &literals {
                findings.extend(forbidden(path, text));
                findings.extend(keys.check(path, text));
            }
        } else {
            let sql = literals.iter().filter(|text| text.is_sql());
            findings.extend(sql.flat_map(|text| elsewhere(path, text.line())));
        }
    }
    if tree.has(MIGRATIONS.trim_end_matches('/')) {
        findings.extend(keys.unused());
    }
    findings
}

fn elsewhere(path: &str, line: usize) -> Option<Finding> {
    let known = ELSEWHERE.iter().any(|(place, _)| path.starts_with(place));
    (!known).then(|| Finding::at(path, line, "SQL: only chatroom-store-postgres knows any"))
}

/// What nodes on one database must not rely on.
fn forbidden(path: &str, text: &Text) -> Vec<Finding> {
    let why = |word: &Word| {
        let word = word.upper.as_str();
        let among =
            |list: &[(&str, &'static str)]| list.iter().find(|(bad, _)| *bad == word).map(|(_, why)| *why);
        if word.starts_with("PG_") && word.contains("ADVISORY") {
            return Some(LOCK);
        }
        among(NEVER).or_else(|| among(NEVER_IN_SQL).filter(|_| text.is_sql()))
    };
    text.words.iter().filter_map(|word| Some(Finding::at(path, word.line, why(word)?))).collect()
}

#[cfg(test)]
mod tests;
