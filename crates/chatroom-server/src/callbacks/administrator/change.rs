//! Rules that are made, changed and removed.

use chatroom_core::{
    Error, NewRule, Origin, Rejection, Rule, RuleChange, RuleName, RuleRejection, RuleSecret,
    StorageErrorKind,
};
use chatroom_protocol::callbacks::webhook;

use super::AppCallbacks;
use super::look::view;
use crate::admin::{AdminError, CallbackReply, NewCallback, RuleView, Shown};
use crate::auth;

impl AppCallbacks<'_> {
    pub(super) async fn add(&self, new: NewCallback) -> Result<CallbackReply, AdminError> {
        let NewCallback { name, url, secret, enabled, events, rooms } = new;
        let checked = self.callbacks.check(&url).await.map_err(AdminError::failed)?;
        let made = if secret.is_none() { Some(made_secret()?) } else { None };
        let secret = secret.as_ref().or(made.as_ref()).map_or("", Shown::expose);
        webhook::Key::parse(secret).map_err(AdminError::failed)?;
        let change = RuleChange::Add(NewRule {
            name,
            url: checked.url.as_str().into(),
            secret: RuleSecret::new(secret),
            enabled,
            events,
            rooms,
            origin: Origin::Command,
        });
        let rule = self.change(change).await?;
        log("made", &rule);
        Ok(CallbackReply::Added { rule: self.seen(&rule), secret: made, unresolved: checked.unresolved })
    }

    pub(super) async fn enable(&self, name: RuleName) -> Result<CallbackReply, AdminError> {
        let rule = self.change(RuleChange::Enable(name)).await?;
        log("enabled", &rule);
        Ok(CallbackReply::Changed(self.seen(&rule)))
    }

    pub(super) async fn disable(&self, name: RuleName) -> Result<CallbackReply, AdminError> {
        let rule = self.change(RuleChange::Disable(name)).await?;
        log("disabled", &rule);
        Ok(CallbackReply::Changed(self.seen(&rule)))
    }

    pub(super) async fn remove(&self, name: RuleName) -> Result<CallbackReply, AdminError> {
        let rule = self.change(RuleChange::Remove(name)).await?;
        log("removed", &rule);
        Ok(CallbackReply::Removed { name: rule.name })
    }

    pub(super) async fn rotate_secret(&self, name: RuleName) -> Result<CallbackReply, AdminError> {
        let secret = made_secret()?;
        let rule = self.change(RuleChange::RotateSecret(name, RuleSecret::new(secret.expose()))).await?;
        log("began to rotate the secret of", &rule);
        Ok(CallbackReply::SecretRotated { rule: self.seen(&rule), secret })
    }

    pub(super) async fn finish_rotation(&self, name: RuleName) -> Result<CallbackReply, AdminError> {
        let rule = self.change(RuleChange::FinishRotation(name)).await?;
        log("ended the rotation of the secret of", &rule);
        Ok(CallbackReply::Changed(self.seen(&rule)))
    }

    async fn change(&self, change: RuleChange) -> Result<Rule, AdminError> {
        match self.callbacks.change(self.app.id, change).await {
            Ok(rule) => Ok(rule),
            Err(Error::Rejected(Rejection::Rule(RuleRejection::NotFound(name)))) => {
                Err(self.no_such_rule(&name, &self.rules().await?))
            }
            Err(error) => Err(self.told(&error)),
        }
    }

    fn told(&self, error: &Error) -> AdminError {
        let app = &self.app.key;
        match error {
            Error::Rejected(Rejection::Rule(rejection)) => match rejection {
                RuleRejection::Exists(name) => {
                    AdminError::RuleExists { app: app.clone(), name: name.clone() }
                }
                RuleRejection::Declared(name) => AdminError::RuleDeclared { name: name.clone() },
                RuleRejection::Rotating(name) => AdminError::Failed(format!(
                    "{rejection}, with `chatroom-server callback rotate-secret {name} --finish --app {}/{}`",
                    app.org(),
                    app.app()
                )),
                other => AdminError::failed(other),
            },
            Error::Storage(storage) if storage.kind() == StorageErrorKind::OutcomeUnknown => {
                AdminError::Failed(format!(
                    "it may or may not have been done ({storage}); look with `chatroom-server callback status --app {}/{}`",
                    app.org(),
                    app.app()
                ))
            }
            Error::Invalid(_) | Error::Rejected(_) | Error::Storage(_) => AdminError::failed(error),
        }
    }

    fn seen(&self, rule: &Rule) -> RuleView {
        view(rule, self.callbacks.clock.now())
    }
}

fn log(did: &str, rule: &Rule) {
    let (app, rule) = (&rule.app_key, &rule.name);
    tracing::info!(%app, %rule, "{did} the rule {rule} of {app}");
}

fn made_secret() -> Result<Shown, AdminError> {
    auth::callback_secret().map(Shown::new).map_err(AdminError::failed)
}
