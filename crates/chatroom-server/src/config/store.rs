//! What a store needs to be told, and which of it goes with which store.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use toml::Value;
use toml::de::DeValue;

use super::kinds::{Input, Kind, Wrong};
use super::{Config, ConfigError, StoreKind};

/// Where a database is, with the password in it. Never printed.
#[derive(Clone)]
pub struct DatabaseUrl(SecretString);

/// A text that is not the URL of a database. It is not repeated, as it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must begin with `postgresql://`; what it is now is not shown, as it may hold a password")]
pub struct InvalidDatabaseUrl;

/// What [`StoreConfig::require`](super::StoreConfig::require) asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreRequire {
    /// A 200 means that a standby has it too.
    Replicated,
}

impl DatabaseUrl {
    /// The URL, for who connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = ["postgresql://", "postgres://"].iter().any(|scheme| text.starts_with(scheme));
        if known { Ok(Self(text.into())) } else { Err(InvalidDatabaseUrl) }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for DatabaseUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for DatabaseUrl {}

/// The URL of a database. What is wrong with it is told without it.
pub(super) struct Database;

impl Kind<DatabaseUrl> for Database {
    fn takes(&self) -> String {
        "a URL such as `postgresql://user:password@host/database`".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<DatabaseUrl, Wrong> {
        input.text()?.parse().map_err(|invalid: InvalidDatabaseUrl| Wrong::Because(invalid.to_string()))
    }

    fn show(&self, _: &DatabaseUrl) -> Option<Value> {
        Some(Value::String("[redacted]".to_owned()))
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Kind<bool> for Flag {
    fn takes(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn read(&self, input: &Input<'_>) -> Result<bool, Wrong> {
        match input {
            Input::File(DeValue::Boolean(value)) => Ok(*value),
            Input::Text("true") => Ok(true),
            Input::Text("false") => Ok(false),
            Input::File(_) | Input::Text(_) => Err(input.found()),
        }
    }

    fn show(&self, value: &bool) -> Option<Value> {
        Some(Value::Boolean(*value))
    }
}

/// What of the file and the environment does not go together. Flags may choose another store than theirs.
pub(super) fn check(config: &Config) -> Vec<ConfigError> {
    let store = &config.store;
    let standard = Config::default().store;
    if store.kind == StoreKind::Postgres {
        let foreign =
            [("store.path", store.path != standard.path), ("store.sync", store.sync != standard.sync)];
        let missing = store.url.is_none().then(|| ConfigError {
            place: "store.url".to_owned(),
            message: "`store.kind` is `postgres`, and its database is not named".to_owned(),
        });
        return missing.into_iter().chain(refused(&foreign, "embedded")).collect();
    }
    let foreign = [
        ("store.url", store.url.is_some()),
        ("store.tls_ca", store.tls_ca.is_some()),
        ("store.migrate", store.migrate != standard.migrate),
        ("store.require", store.require.is_some()),
    ];
    refused(&foreign, "postgres").collect()
}

fn refused(keys: &[(&str, bool)], kind: &str) -> impl Iterator<Item = ConfigError> {
    let error = |(name, _): &(&str, bool)| ConfigError {
        place: (*name).to_owned(),
        message: format!("this key is for `store.kind = \"{kind}\"` only; remove it or choose that store"),
    };
    keys.iter().filter(|(_, is_set)| *is_set).map(error).collect::<Vec<_>>().into_iter()
}
