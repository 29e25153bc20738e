//! `[[apps.callbacks]]`: the rules of a declared app.

use std::collections::BTreeSet;

use chatroom_callback::{Guard, Refusal};
use chatroom_core::{ChatroomId, EventClass, RuleName};
use chatroom_protocol::callbacks::webhook;
use secrecy::{ExposeSecret, SecretString};
use toml::de::DeTable;

use super::file::Source;
use super::table::{Fields, TableKey, TableKind};
use super::{Config, ConfigError, SecretSource};

/// A rule that the configuration declares and owns.
#[derive(Debug, Clone)]
pub struct DeclaredCallback {
    /// Where it is declared: `chatroom.toml:12`.
    pub place: String,
    /// `name`
    pub name: RuleName,
    /// `url`, of the right form. Whether its host may be asked depends on `callback.allow_networks`.
    pub url: String,
    /// `secret`, or what `secret_file` holds; not empty.
    pub secret: SecretString,
    /// Where the secret was found.
    pub secret_source: SecretSource,
    /// `enabled`
    pub enabled: bool,
    /// `events`; `None`: all kinds.
    pub events: Option<BTreeSet<EventClass>>,
    /// `rooms`; `None`: all.
    pub rooms: Option<BTreeSet<ChatroomId>>,
}

pub(super) static CALLBACKS: TableKind = TableKind {
    section: "apps.callbacks",
    one: "a callback",
    keys: &[
        TableKey { name: "apps.callbacks.name", takes: "1 to 32 letters, digits and underscores" },
        TableKey { name: "apps.callbacks.url", takes: "a URL that begins with `http://` or `https://`" },
        TableKey { name: "apps.callbacks.secret", takes: "a string" },
        TableKey { name: "apps.callbacks.secret_file", takes: "a path" },
        TableKey { name: "apps.callbacks.enabled", takes: "`true` or `false`" },
        TableKey { name: "apps.callbacks.events", takes: "a list of kinds such as `LEAVE/KICK` or `JOIN`" },
        TableKey { name: "apps.callbacks.rooms", takes: "a list of ids of rooms" },
    ],
    below: None,
};

/// Reads the callbacks of an app's table.
pub(super) fn read(
    app: &DeTable<'_>,
    source: &mut Source<'_>,
    warnings: &mut Vec<String>,
) -> Vec<DeclaredCallback> {
    let mut all: Vec<DeclaredCallback> = Vec::new();
    let Some((key, value)) = app.get_key_value("callbacks") else { return all };
    for (at, table) in CALLBACKS.all(value, key.span().start, source) {
        let Some(callback) = one(table, at, source, warnings) else { continue };
        if all.iter().any(|other| other.name == callback.name) {
            source.error(at, format!("the callback `{}` is declared twice", callback.name));
        }
        all.push(callback);
    }
    all
}

fn one(
    table: &DeTable<'_>,
    at: usize,
    source: &mut Source<'_>,
    warnings: &mut Vec<String>,
) -> Option<DeclaredCallback> {
    let place = source.place(at);
    let mut fields = Fields::of(&CALLBACKS, table, at, source);
    let name = fields.required("name").and_then(|text| {
        let name = text.parse::<RuleName>().ok();
        name.or_else(|| fields.refuse("name", "use 1 to 32 letters, digits and underscores"))
    });
    let url = fields.required("url").and_then(|url| match Guard::default().check_url(&url) {
        // Networks may be allowed further down, or in the environment.
        Ok(_) | Err(Refusal::Address { .. }) => Some(url),
        Err(refusal) => fields.refuse("url", &refusal.to_string()),
    });
    let secret = fields.secret("secret", "secret_file", "a secret of callbacks", warnings);
    let secret = secret.and_then(|(secret, from)| match webhook::Key::parse(secret.expose_secret()) {
        Ok(_) => Some((secret, from)),
        Err(invalid) => {
            let field = if from == SecretSource::Inline { "secret" } else { "secret_file" };
            fields.refuse(field, &invalid.to_string())
        }
    });
    let enabled = fields.boolean("enabled").unwrap_or(true);
    let events = fields.list("events").and_then(|texts| {
        let classes: Result<Vec<_>, _> = texts.iter().map(|text| EventClass::parse(text)).collect();
        match classes {
            Ok(classes) => Some(classes.into_iter().flatten().collect()),
            Err(unknown) => fields.refuse("events", &unknown.to_string()),
        }
    });
    let rooms = fields.list("rooms").and_then(|texts| {
        let rooms: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
        rooms.ok().or_else(|| fields.refuse("rooms", "an id of a room is a decimal number of 15 digits"))
    });
    if !fields.complete {
        return None;
    }
    let (secret, secret_source) = secret?;
    Some(DeclaredCallback { place, name: name?, url: url?, secret, secret_source, enabled, events, rooms })
}

/// What is wrong with the callbacks in the light of the whole configuration.
pub(super) fn check(config: &Config) -> Vec<ConfigError> {
    let mut errors = Vec::new();
    let most = config.callback.max_rules;
    let guard = Guard::allowing(config.callback.allow_networks.iter().copied());
    for app in &config.apps {
        for (index, callback) in app.callbacks.iter().enumerate() {
            let mut wrong = |message| errors.push(ConfigError { place: callback.place.clone(), message });
            if let Err(refusal) = guard.check_url(&callback.url) {
                wrong(format!("`apps.callbacks.url`: {refusal}"));
            }
            if index == most {
                let (key, found) = (&app.key, app.callbacks.len());
                wrong(format!("the app `{key}` has {found} callbacks, and `callback.max_rules` is {most}"));
            }
        }
    }
    errors
}
