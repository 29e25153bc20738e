//! Replies, for people who read a terminal.

use chatroom_core::AppKey;
use std::time::Duration;

use super::table::Table;
use crate::admin::{AdminReply, AppView};
use crate::config::units;

/// What a reply says: on standard output, and beside it.
#[derive(Default)]
pub(super) struct Text {
    pub(super) out: String,
    /// For people only.
    pub(super) aside: Option<String>,
    /// Should be known, whoever reads.
    pub(super) warning: Option<String>,
    /// What was to be found out is that it does not work.
    pub(super) failure: Option<String>,
}

pub(super) fn reply(reply: &AdminReply) -> Text {
    let mut aside = None;
    let out = match reply {
        AdminReply::Created { app, client_secret } => {
            aside = Some(kept_nowhere(&app.app));
            format!("created the app {}\n{}", app.app, fields(app, Some(client_secret.expose())))
        }
        AdminReply::SecretRotated { app, client_secret } => {
            aside = Some(kept_nowhere(&app.app));
            format!(
                "replaced the client secret of {}\n{}",
                app.app,
                fields(app, Some(client_secret.expose()))
            )
        }
        AdminReply::Apps(apps) if apps.is_empty() => {
            aside = Some("there are no apps; `chatroom-server app create ORG/APP` makes one".to_owned());
            String::new()
        }
        AdminReply::Apps(apps) => table(apps),
        AdminReply::App(app) => format!("app            {}\n{}", app.app, fields(app, None)),
        AdminReply::Deleted { app } => format!("deleted the app {app}\n"),
        AdminReply::Token { token, expires_in_seconds } => {
            aside = Some(expires_in_seconds.map_or_else(
                || "valid for ever, or until the secret is rotated".to_owned(),
                |seconds| format!("valid for {}", units::show_duration(Duration::from_secs(seconds))),
            ));
            format!("{}\n", token.expose())
        }
        // Only the `callback` commands ask for it, and render it themselves.
        AdminReply::Callback(_) => String::new(),
    };
    Text { out, aside, ..Text::default() }
}

fn kept_nowhere(app: &AppKey) -> String {
    format!(
        "the secret is not kept and cannot be shown again; `chatroom-server app rotate-secret {}/{}` makes a new one",
        app.org(),
        app.app()
    )
}

fn fields(app: &AppView, secret: Option<&str>) -> String {
    let secret = secret.map_or_else(String::new, |secret| format!("client secret  {secret}\n"));
    format!(
        "application    {}\nclient id      {}\n{secret}state          {}\n",
        app.application,
        app.client_id,
        state(app)
    )
}

fn state(app: &AppView) -> &'static str {
    match (app.declared, app.enabled) {
        (true, true) => "enabled, declared in the configuration",
        (true, false) => "disabled, no longer declared in the configuration",
        (false, true) => "enabled",
        (false, false) => "disabled",
    }
}

fn table(apps: &[AppView]) -> String {
    let mut rows = vec![["APP", "APPLICATION", "CLIENT ID", "STATE"].map(str::to_owned)];
    rows.extend(apps.iter().map(|app| {
        [app.app.to_string(), app.application.clone(), app.client_id.clone(), state(app).to_owned()]
    }));
    Table::of([0; 4]).lines(&rows)
}
