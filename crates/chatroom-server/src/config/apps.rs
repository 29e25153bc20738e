//! `[[apps]]`: apps with given credentials.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chatroom_core::AppKey;
use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{Source, segment};
use super::kinds::type_of;
use super::{Loaded, nearest};

/// An app that the configuration declares and owns.
#[derive(Debug, Clone)]
pub struct DeclaredApp {
    /// `org` and `app`.
    pub key: AppKey,
    /// `client_id`, not empty.
    pub client_id: String,
    /// `client_secret`, or what `client_secret_file` holds; not empty.
    pub client_secret: SecretString,
    /// Where the secret was found.
    pub secret_source: SecretSource,
}

/// Where the secret of a declared app stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration file itself.
    Inline,
    /// In this file, which holds nothing else.
    File(PathBuf),
}

/// A key of `[[apps]]`.
pub(super) struct AppTableKey {
    pub(super) name: &'static str,
    pub(super) takes: &'static str,
}

pub(super) const SECTION: &str = "apps";

pub(super) const KEYS: [AppTableKey; 5] = [
    AppTableKey { name: "apps.org", takes: "a string" },
    AppTableKey { name: "apps.app", takes: "a string" },
    AppTableKey { name: "apps.client_id", takes: "a string" },
    AppTableKey { name: "apps.client_secret", takes: "a string" },
    AppTableKey { name: "apps.client_secret_file", takes: "a path" },
];

const NO_APP_KEY: &str = "`apps.org` and `apps.app` make no app key: neither may be longer than 128 bytes or hold `#`, \
                          `/` or a control character";

/// Reads the array of tables.
pub(super) fn read(value: &Spanned<DeValue<'_>>, at: usize, source: &mut Source<'_>, loaded: &mut Loaded) {
    let Some(items) = value.get_ref().as_array() else {
        let found = type_of(value.get_ref());
        return source
            .error(at, format!("`apps` must be an array of tables, each written `[[apps]]`, not {found}"));
    };
    for item in items {
        // The span of an app's table begins at its header.
        let at = item.span().start;
        match item.get_ref().as_table() {
            Some(table) => {
                if let Some(app) = one(table, at, source, &mut loaded.warnings) {
                    if loaded.config.apps.iter().any(|other| other.key == app.key) {
                        source.error(at, format!("the app `{}` is declared twice", app.key));
                    }
                    loaded.config.apps.push(app);
                }
            }
            None => source
                .error(at, format!("an app is a table, written `[[apps]]`, not {}", type_of(item.get_ref()))),
        }
    }
}

fn one(
    table: &DeTable<'_>,
    at: usize,
    source: &mut Source<'_>,
    warnings: &mut Vec<String>,
) -> Option<DeclaredApp> {
    let mut fields = Fields { table, at, source, complete: true };
    fields.refuse_unknown();
    let org = fields.required("org");
    let app = fields.required("app");
    let client_id = fields.required("client_id");
    let secret = match (fields.optional("client_secret"), fields.optional("client_secret_file")) {
        (Some(secret), None) => Some((SecretString::from(secret), SecretSource::Inline)),
        (None, Some(path)) => fields
            .secret_of(Path::new(&path), warnings)
            .map(|secret| (secret, SecretSource::File(path.into()))),
        (None, None) if fields.has("client_secret") || fields.has("client_secret_file") => None,
        (None, None) => {
            fields.wrong(at, "an app needs `apps.client_secret` or `apps.client_secret_file`".to_owned())
        }
        (Some(_), Some(_)) => {
            fields.wrong(at, "give `apps.client_secret` or `apps.client_secret_file`, not both".to_owned())
        }
    };
    let key = AppKey::from_parts(&org?, &app?);
    if key.is_err() {
        fields.wrong::<()>(at, NO_APP_KEY.to_owned());
    }
    if !fields.complete {
        return None;
    }
    let (client_secret, secret_source) = secret?;
    Some(DeclaredApp { key: key.ok()?, client_id: client_id?, client_secret, secret_source })
}

/// The fields of one app while they are read. Values are never named in errors: they may be secrets.
struct Fields<'a, 'b> {
    table: &'a DeTable<'a>,
    at: usize,
    source: &'a mut Source<'b>,
    complete: bool,
}

impl Fields<'_, '_> {
    fn wrong<T>(&mut self, at: usize, message: String) -> Option<T> {
        self.complete = false;
        self.source.error(at, message);
        None
    }

    fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    fn refuse_unknown(&mut self) {
        for key in self.table.keys() {
            let name = format!("{SECTION}.{}", segment(key.get_ref()));
            if !KEYS.iter().any(|known| known.name == name) {
                let message = format!("unknown key `{name}`; did you mean `{}`?", nearest::in_file(&name));
                self.wrong::<()>(key.span().start, message);
            }
        }
    }

    fn optional(&mut self, field: &str) -> Option<String> {
        let (key, value) = self.table.get_key_value(field)?;
        let name = format!("{SECTION}.{field}");
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => Some(text.clone().into_owned()),
            DeValue::String(_) => self.wrong(key.span().start, format!("`{name}` must not be empty")),
            other => {
                let takes = KEYS.iter().find(|key| key.name == name).map_or("a string", |key| key.takes);
                self.wrong(key.span().start, format!("`{name}` must be {takes}, not {}", type_of(other)))
            }
        }
    }

    fn required(&mut self, field: &str) -> Option<String> {
        if !self.has(field) {
            return self.wrong(self.at, format!("an app needs `apps.{field}`"));
        }
        self.optional(field)
    }

    fn secret_of(&mut self, path: &Path, warnings: &mut Vec<String>) -> Option<SecretString> {
        let at = self.table.get_key_value("client_secret_file").map_or(self.at, |(key, _)| key.span().start);
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(why) => {
                return self.wrong(at, format!("`apps.client_secret_file`: {shown} cannot be read: {why}"));
            }
        };
        let secret = text.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return self.wrong(at, format!("`apps.client_secret_file`: {shown} is empty"));
        }
        if std::fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o044 != 0) {
            warnings.push(format!("{shown} holds a client secret and can be read by others; `chmod 600` it"));
        }
        Some(secret.into())
    }
}
