use std::sync::Arc;

use async_trait::async_trait;
use chatroom_core::{
    App, AppChange, AppKey, AppState, Clock, Error, NewApp, Origin, Rejection, StorageErrorKind,
};
use secrecy::ExposeSecret;
use tokio::sync::Notify;

use super::view::{AppEntry, Apps};
use crate::admin::{Admin, AdminError, AdminReply, AdminRequest, AppView, Shown};
use crate::auth::{self, DEFAULT_TTL};
use crate::callbacks::{AppCallbacks, Callbacks};

/// Carries out what administrators ask for: in a server, and on a store that a command opened.
pub(crate) struct Administrator {
    pub(crate) apps: Arc<Apps>,
    pub(crate) callbacks: Callbacks,
    pub(crate) clock: Arc<dyn Clock>,
    /// Told of a deletion, which leaves something to sweep.
    pub(crate) sweeper: Arc<Notify>,
}

#[async_trait]
impl Admin for Administrator {
    async fn run(&self, request: AdminRequest) -> Result<AdminReply, AdminError> {
        match request {
            AdminRequest::AppCreate { app } => self.create(app).await,
            AdminRequest::AppList => {
                Ok(AdminReply::Apps(self.apps.all().iter().map(|entry| view(&entry.app)).collect()))
            }
            AdminRequest::AppShow { app } => Ok(AdminReply::App(view(&self.find(&app)?.app))),
            AdminRequest::AppRotateSecret { app } => self.rotate(app).await,
            AdminRequest::AppDelete { app } => {
                self.apps.change(AppChange::Delete(app.clone())).await.map_err(|e| told(&e))?;
                tracing::info!(%app, "deleted the app {app}");
                self.sweeper.notify_one();
                Ok(AdminReply::Deleted { app })
            }
            AdminRequest::TokenIssue { app, ttl_seconds } => {
                let entry = self.find(&app)?;
                if !entry.app.answers() {
                    return Err(AdminError::Failed(format!("the app `{app}` is disabled")));
                }
                let ttl = ttl_seconds.unwrap_or(DEFAULT_TTL);
                let token = Shown::new(entry.signer.issue(self.clock.now(), ttl).into());
                Ok(AdminReply::Token { token, expires_in_seconds: (ttl != 0).then_some(ttl) })
            }
            AdminRequest::Callback { app, ask } => {
                let entry = self.find(&app)?;
                let callbacks = AppCallbacks { callbacks: &self.callbacks, app: &entry.app };
                callbacks.run(ask).await.map(AdminReply::Callback)
            }
        }
    }

    async fn close(&self) {}
}

impl Administrator {
    fn find(&self, app: &AppKey) -> Result<Arc<AppEntry>, AdminError> {
        let entry = self.apps.find(app.org(), app.app());
        entry.ok_or_else(|| AdminError::NoSuchApp { app: app.clone() })
    }

    async fn create(&self, key: AppKey) -> Result<AdminReply, AdminError> {
        let client_secret = auth::client_secret().map_err(AdminError::failed)?;
        let new = NewApp {
            key,
            client_id: auth::client_id().map_err(AdminError::failed)?.into(),
            secret: auth::digest(client_secret.expose_secret()),
            signing_key: auth::signing_key().map_err(AdminError::failed)?,
            origin: Origin::Command,
        };
        let app = self.apps.change(AppChange::Create(new)).await.map_err(|e| told(&e))?;
        tracing::info!(app = %app.key, "made the app {}", app.key);
        Ok(AdminReply::Created { app: view(&app), client_secret: Shown::new(client_secret) })
    }

    async fn rotate(&self, key: AppKey) -> Result<AdminReply, AdminError> {
        let client_secret = auth::client_secret().map_err(AdminError::failed)?;
        let secret = auth::digest(client_secret.expose_secret());
        let change = AppChange::RotateSecret(key, secret);
        let app = self.apps.change(change).await.map_err(|e| told(&e))?;
        tracing::info!(app = %app.key, "replaced the client secret of {}", app.key);
        Ok(AdminReply::SecretRotated { app: view(&app), client_secret: Shown::new(client_secret) })
    }
}

fn view(app: &App) -> AppView {
    AppView {
        app: app.key.clone(),
        application: app.id.to_string(),
        client_id: app.credentials.client_id.to_string(),
        declared: app.origin == Origin::Configuration,
        enabled: app.state == AppState::Enabled,
    }
}

fn told(error: &Error) -> AdminError {
    match error {
        Error::Rejected(Rejection::AppExists(app)) => AdminError::AppExists { app: app.clone() },
        Error::Rejected(Rejection::AppNotFound(app)) => AdminError::NoSuchApp { app: app.clone() },
        Error::Rejected(Rejection::AppDeclared(app)) => AdminError::Declared { app: app.clone() },
        Error::Storage(storage) if storage.kind() == StorageErrorKind::OutcomeUnknown => AdminError::Failed(
            format!("it may or may not have been done ({storage}); look with `chatroom-server app list`"),
        ),
        Error::Invalid(_) | Error::Rejected(_) | Error::Storage(_) => AdminError::failed(error),
    }
}
