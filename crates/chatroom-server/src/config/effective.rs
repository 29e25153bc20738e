//! The configuration in force, as a file would say it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use toml::Value;

use super::{Config, DeclaredCallback, SecretSource, keys};

const REDACTED: &str = "[redacted]";

/// Every key that has a value, section by section, then the apps with their secrets redacted.
pub(super) fn to_toml(config: &Config) -> String {
    let mut shown = config.clone();
    let mut text = String::new();
    let mut open = "";
    for key in keys::all() {
        let Some(value) = key.show(&mut shown) else { continue };
        let (section, name) = key.name.rsplit_once('.').unwrap_or(("", &key.name));
        if section != open {
            open = section;
            line(&mut text, format_args!("\n[{section}]"));
        }
        line(&mut text, format_args!("{name} = {value}"));
    }
    for app in &config.apps {
        let (org, name) = (app.key.org().to_owned(), app.key.app().to_owned());
        let secret = secret("client_secret", "client_secret_file", &app.secret_source);
        let client_id = ("client_id", Value::String(app.client_id.clone()));
        let keys = [("org", Value::String(org)), ("app", Value::String(name)), client_id, secret];
        table(&mut text, "apps", keys);
        for callback in &app.callbacks {
            self::callback(&mut text, callback);
        }
    }
    text
}

fn callback(text: &mut String, callback: &DeclaredCallback) {
    let name = callback.name.to_string();
    let mut keys = vec![("name", Value::String(name)), ("url", Value::String(callback.url.clone()))];
    keys.push(secret("secret", "secret_file", &callback.secret_source));
    keys.push(("enabled", Value::Boolean(callback.enabled)));
    keys.extend(callback.events.as_ref().map(|events| ("events", list(events))));
    keys.extend(callback.rooms.as_ref().map(|rooms| ("rooms", list(rooms))));
    table(text, "apps.callbacks", keys);
}

fn secret(inline: &'static str, file: &'static str, source: &SecretSource) -> (&'static str, Value) {
    match source {
        SecretSource::Inline => (inline, Value::String(REDACTED.to_owned())),
        SecretSource::File(path) => (file, Value::String(path.display().to_string())),
    }
}

fn list<T: ToString>(items: &BTreeSet<T>) -> Value {
    Value::Array(items.iter().map(|item| Value::String(item.to_string())).collect())
}

fn table(text: &mut String, section: &str, keys: impl IntoIterator<Item = (&'static str, Value)>) {
    line(text, format_args!("\n[[{section}]]"));
    for (name, value) in keys {
        line(text, format_args!("{name} = {value}"));
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{content}");
}
