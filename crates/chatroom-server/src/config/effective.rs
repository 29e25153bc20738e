//! The configuration in force, as a file would say it.

use std::fmt::Write as _;

use toml::Value;

use super::{Config, SecretSource, keys};

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
        line(&mut text, format_args!("\n[[apps]]"));
        let (secret_key, secret) = match &app.secret_source {
            SecretSource::Inline => ("client_secret", REDACTED.to_owned()),
            SecretSource::File(path) => ("client_secret_file", path.display().to_string()),
        };
        for (name, value) in [
            ("org", app.key.org().to_owned()),
            ("app", app.key.app().to_owned()),
            ("client_id", app.client_id.clone()),
            (secret_key, secret),
        ] {
            line(&mut text, format_args!("{name} = {}", Value::String(value)));
        }
    }
    text
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{content}");
}
