//! Words of a text that may be SQL.

/// A word, or a mark of punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) upper: String,
    /// From 1, in its file.
    pub(super) line: usize,
}

pub(super) struct Text {
    pub(super) words: Vec<Word>,
    line: usize,
    sql: bool,
}

/// What a statement begins with: one word, or one and another somewhere behind it. As it is written here, in capitals.
const BEGINNINGS: &[(&str, &str)] = &[
    ("SELECT", ""),
    ("INSERT", "INTO"),
    ("UPDATE", "SET"),
    ("DELETE", "FROM"),
    ("WITH", "AS"),
    ("TRUNCATE", ""),
    ("COPY", ""),
    ("LOCK", "TABLE"),
    ("CREATE", "TABLE"),
    ("CREATE", "INDEX"),
    ("CREATE", "SEQUENCE"),
    ("CREATE", "SCHEMA"),
    ("CREATE", "DATABASE"),
    ("ALTER", "TABLE"),
    ("ALTER", "SYSTEM"),
    ("DROP", "TABLE"),
    ("DROP", "SCHEMA"),
    ("DROP", "DATABASE"),
    ("PRAGMA", ""),
    ("LISTEN", ""),
    ("NOTIFY", ""),
];

impl Text {
    /// A file of statements.
    pub(super) fn of_file(text: &str) -> Self {
        Self { words: words(text, 1), line: 1, sql: true }
    }

    /// A literal that begins on this line.
    pub(super) fn of_literal(text: &str, line: usize) -> Self {
        let sql = text.split(';').any(begins_a_statement);
        Self { words: words(text, line), line, sql }
    }

    pub(super) fn is_sql(&self) -> bool {
        self.sql
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }
}

fn begins_a_statement(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = text.split(|c| !is_part(c)).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    let rest: Vec<&str> = words.collect();
    !rest.is_empty()
        && BEGINNINGS.iter().any(|(begin, then)| *begin == first && (then.is_empty() || rest.contains(then)))
}

/// Words and marks, without comments.
fn words(text: &str, first: usize) -> Vec<Word> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split("--").next().unwrap_or_default();
        let mut word = String::new();
        let mut push = |word: &mut String| {
            if !word.is_empty() {
                found.push(Word { upper: std::mem::take(word), line: first + index });
            }
        };
        for c in line.chars() {
            if c.is_alphanumeric() || c == '_' {
                word.extend(c.to_uppercase());
                continue;
            }
            push(&mut word);
            if matches!(c, '(' | ')' | ',' | ';') {
                word.push(c);
                push(&mut word);
            }
        }
        push(&mut word);
    }
    found
}
