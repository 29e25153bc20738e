//! Tables that the file only has, in arrays: apps, and the callbacks of an app.

use std::path::Path;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{Source, segment};
use super::kinds::type_of;
use super::{SecretSource, nearest, secret_file};

/// A kind of table.
pub(super) struct TableKind {
    /// How the array is called: `apps`.
    pub(super) section: &'static str,
    /// How people call one of them: "an app".
    pub(super) one: &'static str,
    pub(super) keys: &'static [TableKey],
    /// An array of tables in each of them.
    pub(super) below: Option<&'static str>,
}

/// A key of such a table.
pub(super) struct TableKey {
    /// With its section: `apps.org`.
    pub(super) name: &'static str,
    pub(super) takes: &'static str,
}

impl TableKind {
    /// The tables of an array, each with its place in the file.
    pub(super) fn all<'v>(
        &self,
        value: &'v Spanned<DeValue<'v>>,
        at: usize,
        source: &mut Source<'_>,
    ) -> Vec<(usize, &'v DeTable<'v>)> {
        let Self { section, one, .. } = self;
        let Some(items) = value.get_ref().as_array() else {
            let found = type_of(value.get_ref());
            source.error(
                at,
                format!("`{section}` must be an array of tables, each written `[[{section}]]`, not {found}"),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            // The span of a table begins at its header.
            let at = item.span().start;
            match item.get_ref().as_table() {
                Some(table) => tables.push((at, table)),
                None => {
                    let found = type_of(item.get_ref());
                    source.error(at, format!("{one} is a table, written `[[{section}]]`, not {found}"));
                }
            }
        }
        tables
    }
}

/// The fields of one table while they are read. Values are never named in errors: they may be secrets.
pub(super) struct Fields<'a, 'b> {
    pub(super) kind: &'static TableKind,
    pub(super) table: &'a DeTable<'a>,
    /// Where the table begins.
    pub(super) at: usize,
    pub(super) source: &'a mut Source<'b>,
    /// Whether nothing was wrong yet.
    pub(super) complete: bool,
}

impl<'a, 'b> Fields<'a, 'b> {
    /// Begins to read. What is unknown is refused at once.
    pub(super) fn of(
        kind: &'static TableKind,
        table: &'a DeTable<'a>,
        at: usize,
        source: &'a mut Source<'b>,
    ) -> Self {
        let mut fields = Self { kind, table, at, source, complete: true };
        for key in table.keys() {
            let name = fields.name(&segment(key.get_ref()));
            let known = kind.keys.iter().map(|key| key.name).chain(kind.below).any(|known| known == name);
            if !known {
                let message = format!("unknown key `{name}`; did you mean `{}`?", nearest::in_file(&name));
                fields.wrong::<()>(key.span().start, message);
            }
        }
        fields
    }

    /// The field with its section.
    fn name(&self, field: &str) -> String {
        format!("{}.{field}", self.kind.section)
    }

    /// Notes an error. Answers nothing, as what is wrong has no value.
    pub(super) fn wrong<T>(&mut self, at: usize, message: String) -> Option<T> {
        self.complete = false;
        self.source.error(at, message);
        None
    }

    /// Notes that a field is not what it must be.
    pub(super) fn refuse<T>(&mut self, field: &str, why: &str) -> Option<T> {
        let at = self.place(field);
        let name = self.name(field);
        self.wrong(at, format!("`{name}`: {why}"))
    }

    fn place(&self, field: &str) -> usize {
        self.table.get_key_value(field).map_or(self.at, |(key, _)| key.span().start)
    }

    fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    /// The value, which is not of the type that the field takes.
    fn mistyped<T>(&mut self, field: &str, found: &str) -> Option<T> {
        let (at, name) = (self.place(field), self.name(field));
        let takes = self.kind.keys.iter().find(|key| key.name == name).map_or("a string", |key| key.takes);
        self.wrong(at, format!("`{name}` must be {takes}, not {found}"))
    }

    pub(super) fn optional(&mut self, field: &str) -> Option<String> {
        match self.table.get(field)?.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
            DeValue::String(_) => {
                let (at, name) = (self.place(field), self.name(field));
                self.wrong(at, format!("`{name}` must not be empty"))
            }
            other => self.mistyped(field, type_of(other)),
        }
    }

    pub(super) fn required(&mut self, field: &str) -> Option<String> {
        if !self.has(field) {
            let (one, name) = (self.kind.one, self.name(field));
            return self.wrong(self.at, format!("{one} needs `{name}`"));
        }
        self.optional(field)
    }

    /// `true` or `false`, if it was given.
    pub(super) fn boolean(&mut self, field: &str) -> Option<bool> {
        match self.table.get(field)?.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            other => self.mistyped(field, type_of(other)),
        }
    }

    /// A list of strings, if it was given. One without any is refused, as it would mean nothing.
    pub(super) fn list(&mut self, field: &str) -> Option<Vec<String>> {
        let items = match self.table.get(field)?.get_ref() {
            DeValue::Array(items) => items,
            other => return self.mistyped(field, type_of(other)),
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(text.clone().into_owned()),
                other => return self.mistyped(field, &format!("a list with {}", type_of(other))),
            }
        }
        if texts.is_empty() {
            return self.refuse(field, "the list is empty: leave it out to mean all");
        }
        Some(texts)
    }

    /// A secret: in one field, or in the file that another names. `what` is how people call it.
    pub(super) fn secret(
        &mut self,
        inline: &'static str,
        file: &'static str,
        what: &str,
        warnings: &mut Vec<String>,
    ) -> Option<(SecretString, SecretSource)> {
        let (at, one) = (self.at, self.kind.one);
        let names = (self.name(inline), self.name(file));
        match (self.optional(inline), self.optional(file)) {
            (Some(secret), None) => Some((secret.into(), SecretSource::Inline)),
            (None, Some(path)) => {
                let secret = self.secret_in(file, Path::new(&path), what, warnings)?;
                Some((secret, SecretSource::File(path.into())))
            }
            (None, None) if self.has(inline) || self.has(file) => None,
            (None, None) => self.wrong(at, format!("{one} needs `{}` or `{}`", names.0, names.1)),
            (Some(_), Some(_)) => self.wrong(at, format!("give `{}` or `{}`, not both", names.0, names.1)),
        }
    }

    fn secret_in(
        &mut self,
        field: &str,
        path: &Path,
        what: &str,
        warnings: &mut Vec<String>,
    ) -> Option<SecretString> {
        match secret_file::read(path, what) {
            Ok((secret, warning)) => {
                warnings.extend(warning);
                Some(secret)
            }
            Err(why) => self.refuse(field, &why),
        }
    }
}
