//! `POST /{org}/{app}/token` (contract §2.1). The answer has no envelope (decision 22).

use axum::response::Response;
use chatroom_protocol::Object;
use chatroom_protocol::refusal;
use chatroom_protocol::token::{CLIENT_CREDENTIALS, Request, Response as Issued};
use subtle::ConstantTimeEq;

use super::answer;
use super::call::Call;
use super::gate::{Endpoint, Guard};
use crate::auth::{self, DEFAULT_TTL};
use crate::error::Failure;

/// Issues an app token for client credentials. `ttl` is in seconds, 60 days if absent; 0 is for ever, and then
/// `expires_in` is 0 too.
pub(super) struct IssueToken;

impl Endpoint for IssueToken {
    const GUARD: Guard = Guard::Credentials;

    async fn answer(call: &Call<'_>) -> Result<Response, Failure> {
        let Object(request): Object<Request<'_>> = call.json()?;
        if request.grant_type.as_deref() != Some(CLIENT_CREDENTIALS) {
            return Err(refusal::grant_type_unsupported().into());
        }
        let given =
            |text: &'_ Option<std::borrow::Cow<'_, str>>| text.as_deref().is_some_and(|t| !t.is_empty());
        if !given(&request.client_id) {
            return Err(refusal::client_id_missing().into());
        }
        if !given(&request.client_secret) {
            return Err(refusal::client_secret_missing().into());
        }
        let credentials = &call.entry.app.credentials;
        let client_id = request.client_id.as_deref().unwrap_or_default();
        if !bool::from(client_id.as_bytes().ct_eq(credentials.client_id.as_bytes())) {
            return Err(refusal::client_id_does_not_match().into());
        }
        if !auth::matches(request.client_secret.as_deref().unwrap_or_default(), &credentials.secret) {
            return Err(refusal::client_secret_does_not_match().into());
        }
        let ttl = request.ttl.unwrap_or(DEFAULT_TTL);
        answer::json(&Issued {
            access_token: call.entry.signer.issue(call.shared.clock.now(), ttl).into(),
            expires_in: ttl,
            application: Some(call.entry.application.as_str().into()),
        })
    }
}
