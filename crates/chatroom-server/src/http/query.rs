use std::borrow::Cow;

use axum::extract::Query;
use chatroom_core::ChatroomId;
use chatroom_protocol::{Params, refusal};
use http::Uri;

use crate::error::Failure;

/// The query of a request, decoded; names and values in the order sent.
pub(super) fn params(uri: &Uri) -> Params<'static> {
    let pairs =
        Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    Params::from_pairs(pairs.into_iter().map(|(name, value)| (Cow::Owned(name), Cow::Owned(value))))
}

/// A whole number, if it was given. One that does not fit is as large as can be, since sizes are cut anyway.
///
/// # Errors
/// 400 `invalid_parameter` for anything else than digits.
pub(super) fn number(params: &Params<'_>, name: &str) -> Result<Option<usize>, Failure> {
    match params.first(name) {
        None | Some("") => Ok(None),
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Some(text.parse().unwrap_or(usize::MAX)))
        }
        Some(_) => Err(refusal::invalid_parameter(format!("{name} must be a whole number")).into()),
    }
}

/// Where a list goes on: `Some` if a cursor was given that an answer could have held.
///
/// # Errors
/// 400 `invalid_parameter` for another text.
pub(super) fn cursor(params: &Params<'_>, name: &str) -> Result<Option<u64>, Failure> {
    match params.first(name) {
        None | Some("") => Ok(None),
        Some(text) => match u64::from_str_radix(text, 36) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(unknown_cursor(name)),
        },
    }
}

/// The same, of a list of rooms.
///
/// # Errors
/// 400 `invalid_parameter` for a text that no answer could have held.
pub(super) fn room_cursor(params: &Params<'_>, name: &str) -> Result<Option<ChatroomId>, Failure> {
    match cursor(params, name)?.map(ChatroomId::from_number).transpose() {
        Ok(room) => Ok(room),
        Err(_) => Err(unknown_cursor(name)),
    }
}

/// The refusal of a cursor that no answer held.
pub(super) fn unknown_cursor(name: &str) -> Failure {
    let text =
        format!("{name} must be the one of the answer before: leave it out to begin at the first page");
    refusal::invalid_parameter(text).into()
}

/// A place as a cursor shows it: opaque to callers, in digits and letters.
pub(super) fn show_cursor(mut place: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(place % 36).unwrap_or_default();
        digits.extend(char::from_digit(digit, 36));
        place /= 36;
        if place == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Params<'static> {
        params(&format!("/x?{query}").parse().unwrap())
    }

    #[test]
    fn a_number_is_digits_and_as_large_as_can_be_if_it_does_not_fit() {
        assert_eq!(number(&of("limit=12"), "limit").unwrap(), Some(12));
        assert_eq!(number(&of("limit=99999999999999999999999"), "limit").unwrap(), Some(usize::MAX));
        assert_eq!(number(&of("limit=&x=1"), "limit").unwrap(), None);
        for bad in ["limit=-1", "limit=x", "limit=1.5", "limit=+1"] {
            assert!(number(&of(bad), "limit").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_is_read_back_as_it_was_shown() {
        for place in [0, 35, 36, 123_456_789_012_345, u64::MAX] {
            let query = format!("cursor={}", show_cursor(place));
            assert_eq!(cursor(&of(&query), "cursor").unwrap(), Some(place));
        }
        assert!(cursor(&of("cursor=..."), "cursor").is_err());
        assert_eq!(cursor(&of("cursor="), "cursor").unwrap(), None);
    }

    #[test]
    fn decision_26_unknown_parameters_are_kept_for_the_echo() {
        let params = of("_v=1&pagenum=2&a=%E4%BD%A0+x");
        assert_eq!(serde_json::to_string(&params).unwrap(), r#"{"_v":["1"],"pagenum":["2"],"a":["你 x"]}"#);
    }
}
