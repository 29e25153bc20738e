//! The environment layer: `CHATROOM__SECTION__KEY`, lists separated by commas.

use std::ffi::OsString;

use super::kinds::Input;
use super::{Config, ConfigError, apps, keys, nearest};

const PREFIX: &str = "CHATROOM__";

/// Reads the variables of ours into the configuration, sorted by name so that errors come in the same order every
/// time.
pub(super) fn read(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    config: &mut Config,
    errors: &mut Vec<ConfigError>,
) {
    let ours = |name: &OsString| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    let mut variables: Vec<_> = environment.into_iter().filter(|(name, _)| ours(name)).collect();
    variables.sort();
    for (name, value) in variables {
        let place = name.to_string_lossy().escape_debug().to_string();
        if let Err(message) = variable(&place, value, config) {
            errors.push(ConfigError { place, message });
        }
    }
}

fn variable(name: &str, value: OsString, config: &mut Config) -> Result<(), String> {
    let Some(key) = keys::all().iter().find(|key| key.variable() == name) else {
        return Err(unknown(name));
    };
    let value = value.into_string().or(Err("the value is not UTF-8"))?;
    key.set(config, &Input::Text(&value), &key.name)
}

fn unknown(name: &str) -> String {
    let dotted = name.trim_start_matches(PREFIX).replace("__", ".").to_lowercase();
    let first = dotted.split('.').next().unwrap_or_default();
    if first == apps::APPS.section {
        return "apps are declared in the file, as `[[apps]]`, not in the environment".to_owned();
    }
    if let Some(key) = keys::all().iter().find(|key| key.is_in(&dotted)) {
        return format!("this is a section, not a key; a key of it is `{}`", key.variable());
    }
    format!("unknown key; did you mean `{}`?", keys::variable(nearest::in_environment(&dotted)))
}
