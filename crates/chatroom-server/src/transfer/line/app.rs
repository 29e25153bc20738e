//! An app with its credentials.

use std::borrow::Cow;

use chatroom_core::{App, AppId, AppState, Credentials, Origin, SecretDigest, SigningKey, Timestamp};
use serde::{Deserialize, Serialize};

use super::Invalid;
use super::ids::{Bytes, Id};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct AppLine<'a> {
    id: Id,
    app_key: Cow<'a, str>,
    client_id: Cow<'a, str>,
    secret_sha256: Bytes,
    generation: u32,
    signing_key: Bytes,
    #[serde(with = "OriginName")]
    origin: Origin,
    #[serde(with = "StateName")]
    state: AppState,
    created: i64,
}

/// Who made an app or a rule.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Origin", rename_all = "snake_case")]
pub(super) enum OriginName {
    Command,
    Configuration,
    Demo,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AppState", rename_all = "snake_case")]
enum StateName {
    Enabled,
    Disabled,
    Deleted,
}

impl<'a> AppLine<'a> {
    pub(super) fn of(app: &'a App) -> Self {
        let Credentials { client_id, secret, generation } = &app.credentials;
        Self {
            id: app.id.into(),
            app_key: app.key.to_string().into(),
            client_id: Cow::Borrowed(client_id),
            secret_sha256: Bytes(secret.0),
            generation: *generation,
            signing_key: Bytes(app.signing_key.0),
            origin: app.origin,
            state: app.state,
            created: app.created.as_millis(),
        }
    }

    pub(super) fn into_app(self) -> Result<App, Invalid> {
        Ok(App {
            id: AppId(self.id.0),
            key: self.app_key.parse().map_err(Invalid::because)?,
            credentials: Credentials {
                client_id: self.client_id.into(),
                secret: SecretDigest(self.secret_sha256.0),
                generation: self.generation,
            },
            signing_key: SigningKey(self.signing_key.0),
            origin: self.origin,
            state: self.state,
            created: Timestamp::from_millis(self.created),
        })
    }
}
