//! `[[apps]]`: apps with given credentials.

use std::path::PathBuf;

use chatroom_core::AppKey;
use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Loaded;
use super::callbacks::{self, DeclaredCallback};
use super::file::Source;
use super::table::{Fields, TableKey, TableKind};

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
    /// `[[apps.callbacks]]`, in the order of the file. No two have the same name.
    pub callbacks: Vec<DeclaredCallback>,
}

/// Where a declared secret stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the configuration file itself.
    Inline,
    /// In this file, which holds nothing else.
    File(PathBuf),
}

pub(super) static APPS: TableKind = TableKind {
    section: "apps",
    one: "an app",
    keys: &[
        TableKey { name: "apps.org", takes: "a string" },
        TableKey { name: "apps.app", takes: "a string" },
        TableKey { name: "apps.client_id", takes: "a string" },
        TableKey { name: "apps.client_secret", takes: "a string" },
        TableKey { name: "apps.client_secret_file", takes: "a path" },
    ],
    below: Some(callbacks::CALLBACKS.section),
};

const NO_APP_KEY: &str = "`apps.org` and `apps.app` make no app key: neither may be longer than 128 bytes or hold `#`, \
                          `/` or a control character";

/// Reads the array of tables.
pub(super) fn read(value: &Spanned<DeValue<'_>>, at: usize, source: &mut Source<'_>, loaded: &mut Loaded) {
    for (at, table) in APPS.all(value, at, source) {
        let Some(app) = one(table, at, source, &mut loaded.warnings) else { continue };
        if loaded.config.apps.iter().any(|other| other.key == app.key) {
            source.error(at, format!("the app `{}` is declared twice", app.key));
        }
        loaded.config.apps.push(app);
    }
}

fn one(
    table: &DeTable<'_>,
    at: usize,
    source: &mut Source<'_>,
    warnings: &mut Vec<String>,
) -> Option<DeclaredApp> {
    let callbacks = callbacks::read(table, source, warnings);
    let mut fields = Fields::of(&APPS, table, at, source);
    let (org, app) = (fields.required("org"), fields.required("app"));
    let client_id = fields.required("client_id");
    let secret = fields.secret("client_secret", "client_secret_file", "a client secret", warnings);
    let key = AppKey::from_parts(&org?, &app?);
    if key.is_err() {
        fields.wrong::<()>(at, NO_APP_KEY.to_owned());
    }
    if !fields.complete {
        return None;
    }
    let (client_secret, secret_source) = secret?;
    Some(DeclaredApp { key: key.ok()?, client_id: client_id?, client_secret, secret_source, callbacks })
}
