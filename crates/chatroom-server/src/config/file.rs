//! The file layer: TOML, with the line of every key.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::kinds::{Input, type_of};
use super::{ConfigError, Loaded, apps, keys, nearest};

/// A file while it is read: what errors need to name their place.
pub(super) struct Source<'a> {
    name: &'a str,
    text: &'a str,
    /// Each with its line.
    errors: Vec<(usize, String)>,
}

impl Source<'_> {
    /// Adds an error at a byte of the file.
    pub(super) fn error(&mut self, at: usize, message: String) {
        self.errors.push((self.line(at), message));
    }

    /// How errors call a byte of the file.
    pub(super) fn place(&self, at: usize) -> String {
        place(self.name, self.line(at))
    }

    fn line(&self, at: usize) -> usize {
        self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }
}

fn place(name: &str, line: usize) -> String {
    format!("{name}:{line}")
}

/// Reads a file into the configuration. Everything that is wrong is added to `errors`, in the order of the lines.
pub(super) fn read(path: &Path, loaded: &mut Loaded, errors: &mut Vec<ConfigError>) {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let mut source = Source { name: &name, text: &text, errors: Vec::new() };
            parse(&mut source, loaded);
            source.errors.sort_by_key(|(line, _)| *line);
            let placed = |(line, message)| ConfigError { place: place(&name, line), message };
            errors.extend(source.errors.into_iter().map(placed));
        }
        Err(why) => {
            errors.push(ConfigError { place: name, message: format!("the file cannot be read: {why}") });
        }
    }
}

fn parse(source: &mut Source<'_>, loaded: &mut Loaded) {
    let (document, syntax) = DeTable::parse_recoverable(source.text);
    if syntax.is_empty() {
        section("", document.get_ref(), source, loaded);
    }
    for error in syntax {
        // Only the message: the parser's own display repeats the line, and the line may hold a secret.
        source.error(error.span().map_or(0, |span| span.start), error.message().replace('\n', ", "));
    }
}

fn section(prefix: &str, table: &DeTable<'_>, source: &mut Source<'_>, loaded: &mut Loaded) {
    for (key, value) in table {
        entry(&format!("{prefix}{}", segment(key.get_ref())), key.span().start, value, source, loaded);
    }
}

fn entry(name: &str, at: usize, value: &Spanned<DeValue<'_>>, source: &mut Source<'_>, loaded: &mut Loaded) {
    let table = value.get_ref().as_table();
    if name == apps::APPS.section {
        apps::read(value, at, source, loaded);
    } else if let Some(key) = keys::find(name) {
        if let Err(message) = key.set(&mut loaded.config, &Input::File(value.get_ref()), name) {
            source.error(at, message);
        }
    } else if let Some(table) = table.filter(|table| keys::is_section(name) || !table.is_empty()) {
        section(&format!("{name}."), table, source, loaded);
    } else if keys::is_section(name) {
        let found = type_of(value.get_ref());
        source.error(at, format!("`{name}` must be a table, written `[{name}]`, not {found}"));
    } else {
        source.error(at, format!("unknown key `{name}`; did you mean `{}`?", nearest::in_file(name)));
    }
}

/// A part of a key as it can stand in an error: a part that needs quotes in the file keeps them, so `"limits.batch"`
/// is not taken for the key `limits.batch`.
pub(super) fn segment(text: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !text.is_empty() && text.bytes().all(bare) { text.to_owned() } else { format!("{text:?}") }
}
