//! Who may call: apps, credentials, tokens.

use super::{Refusal, illegal_argument, row};

/// The token is missing, expired, foreign or none (decisions 6 and 7). Clients in the field compare the whole text.
#[must_use]
pub fn unauthorized() -> Refusal {
    row(401, "unauthorized", "EasemobSecurityException", "Unable to authenticate (OAuth)")
}

/// The token is missing or blank, as the live service answers it (decision 7, `compat.blank_token = "recorded"`).
#[must_use]
pub fn token_is_blank() -> Refusal {
    let exception = "com.easemob.group.exception.GroupAuthorizationException";
    row(401, "group_authorization", exception, "token is blank!")
}

/// There is no such app (decision 5). `rest` is the raw path behind `/{org}/{app}/`.
#[must_use]
pub fn no_such_app(org: &str, app: &str, rest: &str) -> Refusal {
    let text = format!("Could not find application for {org}/{app} from URI: {org}/{app}/{rest}");
    row(404, "organization_application_not_found", "OrganizationApplicationNotFoundException", text)
}

/// A token was asked for without `client_id`. The vendor ends this text with a dot, and the next without one.
#[must_use]
pub fn client_id_missing() -> Refusal {
    illegal_argument("client_id must be provided.")
}

/// A token was asked for without `client_secret`.
#[must_use]
pub fn client_secret_missing() -> Refusal {
    illegal_argument("client_secret must be provided")
}

/// A token was asked for with another `grant_type` than `client_credentials`.
#[must_use]
pub fn grant_type_unsupported() -> Refusal {
    illegal_argument("grant_type must be client_credentials")
}

/// A token was asked for with a wrong `client_id`.
#[must_use]
pub fn client_id_does_not_match() -> Refusal {
    row(400, "invalid_grant", "InvalidGrantException", "client_id does not match")
}

/// A token was asked for with a wrong `client_secret`.
#[must_use]
pub fn client_secret_does_not_match() -> Refusal {
    row(400, "invalid_grant", "InvalidGrantException", "client_secret does not match")
}
