//! Apps and their credentials.

use std::fmt;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::error::{StorageError, TransactError};
use crate::id::{AppId, AppKey, OperationId};

/// An app: a tenant with credentials of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its internal id, never used again.
    pub id: AppId,
    /// Its name, unique while the app is not deleted.
    pub key: AppKey,
    /// What it shows to get a token.
    pub credentials: Credentials,
    /// Signs its tokens. Made once; a rotation of the secret does not change it.
    pub signing_key: SigningKey,
    /// Who may change it.
    pub origin: Origin,
    /// Whether it answers.
    pub state: AppState,
    /// When it was made.
    pub created: Timestamp,
}

impl App {
    /// Whether it answers calls.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.state == AppState::Enabled
    }
}

/// What an app shows to get a token. A token names the generation it was issued under and is good only while that
/// generation lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The public half.
    pub client_id: Box<str>,
    /// SHA-256 of the secret half, which is not kept.
    pub secret: SecretDigest,
    /// 1, 2, 3, …: grows whenever the credentials change.
    pub generation: u32,
}

/// SHA-256 of a client secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretDigest(pub [u8; 32]);

/// The HMAC-SHA256 key of an app's tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SigningKey(pub [u8; 32]);

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Who made an app and may change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Made by a command; commands change it.
    Command,
    /// Declared in the configuration, which owns it.
    Configuration,
    /// Made at the first start to try things out. It must not be reachable from other machines by accident.
    Demo,
}

/// Whether an app answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppState {
    /// It does.
    Enabled,
    /// It does not: it was declared in a configuration that no longer names it. Its data is kept.
    Disabled,
    /// It does not, and its data is being removed.
    Deleted,
}

/// What is needed to make an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApp {
    /// Its name.
    pub key: AppKey,
    /// The public half of its credentials.
    pub client_id: Box<str>,
    /// SHA-256 of the secret half.
    pub secret: SecretDigest,
    /// The key of its tokens; used only if the app is new.
    pub signing_key: SigningKey,
    /// Who makes it.
    pub origin: Origin,
}

/// A change to the apps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppChange {
    /// Make an app. Rejected if its key is taken.
    Create(NewApp),
    /// Make an app or give it these credentials, and take it into the configuration's hands.
    Declare(NewApp),
    /// Disable an app that the configuration declared and no longer names.
    Retire(AppKey),
    /// Replace the secret. Tokens issued under the old one end.
    RotateSecret(AppKey, SecretDigest),
    /// Delete the app and all that it has.
    Delete(AppKey),
}

/// Holds the apps. A trait of its own: who imports the core to use [`Chatrooms`](crate::Chatrooms) need not
/// implement it.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AppRegistry: Send + Sync + 'static {
    /// All apps that are not deleted, by key. What it tells of is durable.
    ///
    /// # Errors
    /// [`StorageError`] if the store cannot read.
    async fn apps(&self) -> Result<Vec<App>, StorageError>;

    /// Makes a change; durable on return. Answers the app as it is now, or as it was before it was deleted. A new
    /// app gets the id `app`, which is not used otherwise.
    /// Dropping the future may or may not make the change, never half of it.
    ///
    /// # Errors
    /// [`TransactError`]: rejected, or the store failed.
    async fn change(
        &self,
        operation: OperationId,
        app: AppId,
        change: AppChange,
    ) -> Result<App, TransactError>;
}
