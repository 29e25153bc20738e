//! `POST /{org}/{app}/token` with `client_credentials` (contract §2.1).
//!
//! The answer is not in the common envelope.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lenient::number;
use crate::path::{InvalidSegment, encode};

/// The route's template.
pub const ROUTE: &str = "/{org}/{app}/token";
/// The only grant there is.
pub const CLIENT_CREDENTIALS: &str = "client_credentials";

/// The path of the request.
///
/// # Errors
/// [`InvalidSegment`] if a part cannot stand in a path.
pub fn path(org: &str, app: &str) -> Result<String, InvalidSegment> {
    encode(&[org, app, "token"])
}

/// The body of the request. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request<'a> {
    /// [`CLIENT_CREDENTIALS`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_type: Option<Cow<'a, str>>,
    /// The app's client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Cow<'a, str>>,
    /// The app's client secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Cow<'a, str>>,
    /// How long the token is to be valid, in seconds; 0 means for ever.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("grant_type", &self.grant_type)
            .field("client_id", &self.client_id)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

/// The answer. Its `Debug` shows no token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response<'a> {
    /// What goes behind `Bearer `.
    pub access_token: Cow<'a, str>,
    /// How long it is valid, in seconds; 0 means for ever.
    #[serde(default)]
    pub expires_in: u64,
    /// The app's UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<Cow<'a, str>>,
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("expires_in", &self.expires_in)
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_read_also_with_the_ttl_as_a_string_and_never_printed() {
        let text = r#"{"grant_type":"client_credentials","client_id":"i","client_secret":"s3cret","ttl":"60","x":1}"#;
        let request: Request<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(request.ttl, Some(60));
        assert!(!format!("{request:?}").contains("s3cret"));
        insta::assert_snapshot!(serde_json::to_string(&request).unwrap(), @r#"{"grant_type":"client_credentials","client_id":"i","client_secret":"s3cret","ttl":60}"#);
        assert!(serde_json::from_str::<Request<'_>>(r#"{"ttl":-1}"#).is_err());
        assert!(serde_json::from_str::<Request<'_>>(r#"{"ttl":"soon"}"#).is_err());
        let null: Request<'_> = serde_json::from_str(r#"{"ttl":null,"client_id":null}"#).unwrap();
        assert_eq!((null.ttl, null.client_id), (None, None));
    }

    #[test]
    fn the_answer_is_the_samples_and_never_printed() {
        let answer = Response {
            access_token: "YWMte3bG".into(),
            expires_in: 1024000,
            application: Some("8be024f0-e978-11e8-b697-5d598d5f8402".into()),
        };
        insta::assert_snapshot!(serde_json::to_string(&answer).unwrap(), @r#"{"access_token":"YWMte3bG","expires_in":1024000,"application":"8be024f0-e978-11e8-b697-5d598d5f8402"}"#);
        assert!(!format!("{answer:?}").contains("YWMt"));
    }
}
