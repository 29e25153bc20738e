//! Tokens from the server itself: `POST …/token` with `client_credentials`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::AppKey;
use chatroom_protocol::token;
use secrecy::{ExposeSecret, SecretString};

use super::{Token, TokenSource};
use crate::http::{Call, Effect, Http};

pub(crate) struct Credentials {
    pub(crate) http: Arc<Http>,
    pub(crate) app: AppKey,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) ttl: Option<Duration>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("app", &self.app).finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for Credentials {
    async fn fetch(&self) -> Result<Token, Box<dyn std::error::Error + Send + Sync>> {
        let request = token::Request {
            grant_type: Some(token::CLIENT_CREDENTIALS.into()),
            client_id: Some(self.client_id.as_str().into()),
            client_secret: Some(self.client_secret.expose_secret().into()),
            ttl: self.ttl.map(|ttl| ttl.as_secs()),
        };
        // One token more or less changes nothing, so its outcome is never in doubt.
        let call = Call::post("fetch a token", token::path(self.app.org(), self.app.app()))
            .effect(Effect::Read)
            .json(&request);
        let answer = self.http.send(&call, None).await?;
        let token: token::Response<'static> = match answer.read() {
            Ok(token) => token,
            // The beginning of that body may be the token.
            Err(_) => return Err(Box::new(answer.not_done(Some("the body is not that of a token")))),
        };
        let valid_for = (token.expires_in > 0).then(|| Duration::from_secs(token.expires_in));
        Ok(Token::new(token.access_token.into_owned().into(), valid_for))
    }
}
