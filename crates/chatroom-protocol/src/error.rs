//! The body of every error (contract §1.4, decision 23). The HTTP status goes beside it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::lenient::or_default;

/// An error as the vendor writes it. What is absent or `null` is read as empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody<'a> {
    /// The machine's word: `forbidden_op`, `resource_not_found`, … Clients key on it.
    #[serde(deserialize_with = "or_default")]
    pub error: Cow<'a, str>,
    /// The class of the exception in the vendor's service.
    #[serde(deserialize_with = "or_default")]
    pub exception: Cow<'a, str>,
    /// When the answer was made: milliseconds since 1970-01-01T00:00:00Z.
    #[serde(deserialize_with = "or_default")]
    pub timestamp: i64,
    /// How long the request took: whole milliseconds.
    #[serde(deserialize_with = "or_default")]
    pub duration: u64,
    /// The text for people. Clients in the field compare some of them word for word.
    #[serde(deserialize_with = "or_default")]
    pub error_description: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal;

    #[test]
    fn decision_23_the_error_body_has_five_keys_in_order() {
        let refusal = refusal::unauthorized();
        insta::assert_snapshot!(serde_json::to_string(&refusal.body(1559816593002, 0)).unwrap(), @r#"{"error":"unauthorized","exception":"EasemobSecurityException","timestamp":1559816593002,"duration":0,"error_description":"Unable to authenticate (OAuth)"}"#);
    }

    #[test]
    fn an_error_of_a_newer_server_is_read() {
        let text = r#"{"error":"group_authorization","timestamp":1775788832237,"properties":{},"exception":null,"error_description":"no"}"#;
        let body: ErrorBody<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(
            (&*body.error, &*body.exception, &*body.error_description),
            ("group_authorization", "", "no")
        );
    }
}
