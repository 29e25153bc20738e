//! What the `app`, `token` and `callback` commands ask for, in one form for both ways: through the control socket of
//! a running server, and on the opened store when none runs.

mod callback;
mod text;

use std::fmt;

use async_trait::async_trait;
use chatroom_core::{AppKey, RuleName};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use callback::{
    Again, Attempt, CallbackReply, CallbackRequest, FailureView, HealthView, LetterPlace, LetterView,
    NewCallback, Replayed, RuleSecretsView, RuleView, StateView, StatusView,
};

/// Carries out the requests of an administrator.
///
/// A request is done in full or not at all. Dropping the future may or may not carry it out.
#[async_trait]
pub trait Admin: Send + Sync {
    /// Answers one request.
    ///
    /// # Errors
    /// [`AdminError`], in words for the person who typed the command.
    async fn run(&self, request: AdminRequest) -> Result<AdminReply, AdminError>;

    /// Gives back what it holds. Nothing is asked of it afterwards.
    async fn close(&self);
}

/// One request of an administrator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminRequest {
    /// Make an app with generated credentials; answered by [`AdminReply::Created`].
    AppCreate {
        /// The app key, which must be free.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// Name all apps; answered by [`AdminReply::Apps`].
    AppList,
    /// Describe one app; answered by [`AdminReply::App`].
    AppShow {
        /// Which.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// Replace the client secret, which ends the tokens of the old one; answered by [`AdminReply::SecretRotated`].
    AppRotateSecret {
        /// Of which app.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// Delete an app with its rooms and users; answered by [`AdminReply::Deleted`].
    AppDelete {
        /// Which.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// Make an app token; answered by [`AdminReply::Token`].
    TokenIssue {
        /// Of which app.
        #[serde(with = "text")]
        app: AppKey,
        /// For how many seconds: 0 means for ever, `None` as long as `POST …/token` without `ttl` gives.
        ttl_seconds: Option<u64>,
    },
    /// Something about the callbacks of an app; answered by [`AdminReply::Callback`].
    Callback {
        /// Of which app.
        #[serde(with = "text")]
        app: AppKey,
        /// What.
        ask: CallbackRequest,
    },
}

/// What an administrator is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminReply {
    /// An app was made.
    Created {
        /// The app.
        app: AppView,
        /// Its secret, which is not kept and cannot be shown again.
        client_secret: Shown,
    },
    /// All apps, sorted by app key.
    Apps(Vec<AppView>),
    /// One app.
    App(AppView),
    /// A secret was replaced.
    SecretRotated {
        /// The app.
        app: AppView,
        /// The new secret, which is not kept and cannot be shown again.
        client_secret: Shown,
    },
    /// The app is gone.
    Deleted {
        /// Its app key.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// A token.
    Token {
        /// What stands behind `Bearer`.
        token: Shown,
        /// For how many seconds it is valid; `None` means for ever.
        expires_in_seconds: Option<u64>,
    },
    /// What was asked about callbacks.
    Callback(CallbackReply),
}

/// An app as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppView {
    /// `org#app`
    #[serde(with = "text")]
    pub app: AppKey,
    /// The UUID that answers show as `application`.
    pub application: String,
    /// What clients send as `client_id`.
    pub client_id: String,
    /// Whether the configuration declares it, so that commands cannot change it.
    pub declared: bool,
    /// Whether calls are answered: a declared app that disappears from the configuration is disabled.
    pub enabled: bool,
}

/// A secret that is printed because that is what was asked for. `Debug` redacts it; serializing exposes it, so it
/// goes over the control socket only.
#[derive(Debug, Clone)]
pub struct Shown(SecretString);

/// Why a request of an administrator was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminError {
    /// No such app.
    #[error("there is no app `{app}`")]
    NoSuchApp {
        /// As it was asked for.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// The app key is taken.
    #[error("there is an app `{app}` already")]
    AppExists {
        /// As it was asked for.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// The configuration owns the app.
    #[error("the app `{app}` is declared in the configuration; change it there and start the server again")]
    Declared {
        /// As it was asked for.
        #[serde(with = "text")]
        app: AppKey,
    },
    /// The app has no such rule.
    #[error("the app `{app}` has no rule `{name}`{}", instead(nearest.as_deref()))]
    NoSuchRule {
        /// The app.
        #[serde(with = "text")]
        app: AppKey,
        /// As it was asked for.
        #[serde(with = "text")]
        name: RuleName,
        /// The rule whose name is nearest; `None` if there are no rules.
        nearest: Option<String>,
    },
    /// The name of a rule is taken.
    #[error("the app `{app}` has a rule `{name}` already")]
    RuleExists {
        /// The app.
        #[serde(with = "text")]
        app: AppKey,
        /// As it was asked for.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// The configuration owns the rule.
    #[error("the rule `{name}` is declared in the configuration; change it there and start the server again")]
    RuleDeclared {
        /// As it was asked for.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// Anything else, in a sentence without secrets.
    #[error("{0}")]
    Failed(String),
}

impl AdminRequest {
    /// The command that shows whether a request was carried out.
    pub(crate) fn look(&self) -> String {
        match self {
            Self::Callback { app, .. } => {
                format!("chatroom-server callback status --app {}/{}", app.org(), app.app())
            }
            _ => "chatroom-server app list".to_owned(),
        }
    }
}

impl Shown {
    /// Wraps a secret that will be printed.
    #[must_use]
    pub fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// The secret, to be printed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Shown {}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl AdminError {
    /// An error told by its display, with its causes.
    pub fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

fn instead(nearest: Option<&str>) -> String {
    nearest.map_or_else(
        || " and no other; `chatroom-server callback add` makes one".to_owned(),
        |name| format!("; did you mean `{name}`?"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_secret_is_redacted_in_debug_output() {
        let reply =
            AdminReply::Token { token: Shown::new("t0p".to_owned().into()), expires_in_seconds: None };
        assert!(!format!("{reply:?}").contains("t0p"));
    }

    #[test]
    fn a_request_is_one_small_json_object() {
        let request = AdminRequest::TokenIssue { app: "demo/chat".parse().unwrap(), ttl_seconds: Some(60) };
        let json = serde_json::to_string(&request).unwrap();
        insta::assert_snapshot!(json, @r##"{"token_issue":{"app":"demo#chat","ttl_seconds":60}}"##);
        assert_eq!(serde_json::from_str::<AdminRequest>(&json).unwrap(), request);
    }
}
