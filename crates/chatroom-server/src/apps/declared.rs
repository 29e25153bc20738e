//! What the configuration declares, it owns: apps are made or changed at start, and disabled, never deleted, when
//! they disappear from it.

use anyhow::Context;
use chatroom_core::{AppChange, NewApp, Origin};
use secrecy::ExposeSecret;

use super::view::Apps;
use crate::auth;
use crate::config::DeclaredApp;

/// Makes the apps what the configuration says.
///
/// # Errors
/// The store failed.
pub(crate) async fn reconcile(apps: &Apps, declared: &[DeclaredApp]) -> anyhow::Result<()> {
    for app in declared {
        declare(apps, app).await.with_context(|| format!("the app `{}` could not be declared", app.key))?;
    }
    for entry in apps.all() {
        let key = &entry.app.key;
        let named = declared.iter().any(|app| app.key == *key);
        if entry.app.origin == Origin::Configuration && entry.app.answers() && !named {
            let retired = apps.change(AppChange::Retire(key.clone())).await;
            retired.with_context(|| format!("the app `{key}` could not be disabled"))?;
            tracing::warn!(app = %key, "the configuration no longer declares the app {key}: it is disabled, its data is kept");
        }
    }
    Ok(())
}

async fn declare(apps: &Apps, declared: &DeclaredApp) -> anyhow::Result<()> {
    let key = &declared.key;
    let before = apps.find(key.org(), key.app()).map(|entry| entry.app.clone());
    let new = NewApp {
        key: key.clone(),
        client_id: declared.client_id.as_str().into(),
        secret: auth::digest(declared.client_secret.expose_secret()),
        signing_key: auth::signing_key()?,
        origin: Origin::Configuration,
    };
    let after = apps.change(AppChange::Declare(new)).await?;
    match before {
        None => tracing::info!(app = %key, "made the app {key}, which the configuration declares"),
        Some(before) if before != after => {
            tracing::info!(app = %key, "changed the app {key} to what the configuration declares");
        }
        Some(_) => {}
    }
    Ok(())
}
