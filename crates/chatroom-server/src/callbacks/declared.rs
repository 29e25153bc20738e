//! What the configuration declares, it owns: rules are made or changed at start, and disabled, never deleted, when
//! they disappear from it.

use anyhow::{Context, anyhow};
use chatroom_core::{App, NewRule, Origin, Rule, RuleChange, RuleSecret, RuleState};
use secrecy::ExposeSecret;

use super::Callbacks;
use crate::apps::Apps;
use crate::config::{DeclaredApp, DeclaredCallback};

/// Makes the rules what the configuration says.
///
/// # Errors
/// A URL leads to where nobody may be asked, an app has too many rules, or the store failed.
pub(crate) async fn reconcile(
    callbacks: &Callbacks,
    apps: &Apps,
    declared: &[DeclaredApp],
) -> anyhow::Result<()> {
    for entry in apps.all() {
        let app = &entry.app;
        let named = declared.iter().find(|declared| declared.key == app.key);
        let named = named.map(|declared| declared.callbacks.as_slice()).unwrap_or_default();
        let rules = callbacks.rules.rules(app.id).await;
        let rules = rules.with_context(|| format!("the rules of the app `{}` could not be read", app.key))?;
        // First what goes, so that its place can be taken.
        for rule in &rules {
            if owned(rule) && !named.iter().any(|callback| callback.name == rule.name) {
                retire(callbacks, app, rule).await?;
            }
        }
        for callback in named {
            let before = rules.iter().find(|rule| rule.name == callback.name);
            let made = declare(callbacks, app, callback, before).await;
            made.with_context(|| format!("{}: the callback `{}`", callback.place, callback.name))?;
        }
    }
    Ok(())
}

/// Whether the configuration had declared it when it was last read.
fn owned(rule: &Rule) -> bool {
    rule.origin == Origin::Configuration && rule.state != RuleState::Retired
}

async fn retire(callbacks: &Callbacks, app: &App, rule: &Rule) -> anyhow::Result<()> {
    let (key, name) = (&app.key, &rule.name);
    let retired = callbacks.change(app.id, RuleChange::Retire(name.clone())).await;
    retired.with_context(|| format!("the callback `{name}` of `{key}` could not be disabled"))?;
    tracing::warn!(
        app = %key, rule = %name,
        "the configuration no longer declares the callback {name} of {key}: it is disabled, what it was not told yet \
         waits"
    );
    Ok(())
}

async fn declare(
    callbacks: &Callbacks,
    app: &App,
    declared: &DeclaredCallback,
    before: Option<&Rule>,
) -> anyhow::Result<()> {
    let (key, name) = (&app.key, &declared.name);
    // What is there already was checked when it was made, and is checked whenever it is dialled: that a name has
    // another address today is no reason not to start.
    if before.is_none_or(|rule| *rule.url != *declared.url) {
        check(callbacks, declared).await?;
    }
    let new = NewRule {
        name: name.clone(),
        url: declared.url.as_str().into(),
        secret: RuleSecret::new(declared.secret.expose_secret()),
        enabled: declared.enabled,
        events: declared.events.clone(),
        rooms: declared.rooms.clone(),
        origin: Origin::Configuration,
    };
    let after = callbacks.change(app.id, RuleChange::Declare(new)).await?;
    match before {
        None => {
            tracing::info!(app = %key, rule = %name, "made the callback {name} of {key}, which the configuration declares");
        }
        Some(before) if *before != after => {
            tracing::info!(app = %key, rule = %name, "changed the callback {name} of {key} to what the configuration declares");
        }
        Some(_) => {}
    }
    Ok(())
}

async fn check(callbacks: &Callbacks, declared: &DeclaredCallback) -> anyhow::Result<()> {
    let checked = callbacks.check(&declared.url).await;
    let checked = checked.map_err(|refusal| anyhow!("`apps.callbacks.url`: {refusal}"))?;
    if let Some(why) = checked.unresolved {
        let (name, place) = (&declared.name, &declared.place);
        tracing::warn!(rule = %name, place, "the host of the callback {name} has no address now: {why}");
    }
    Ok(())
}
