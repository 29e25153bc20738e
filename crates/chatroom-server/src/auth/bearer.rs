use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What stands in the `Authorization` header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bearer<'a> {
    /// `Bearer` and a token.
    Token(&'a str),
    /// Something else than a bearer token.
    Other,
    /// Nothing, or `Bearer` without a token (decision 7).
    Blank,
}

/// Reads the header. The scheme's case does not matter (RFC 9110), everything else does.
pub(crate) fn bearer(headers: &HeaderMap) -> Bearer<'_> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Bearer::Blank };
    let Ok(text) = value.to_str() else { return Bearer::Other };
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    match (scheme.eq_ignore_ascii_case("Bearer"), token.trim()) {
        (true, "") => Bearer::Blank,
        (true, token) => Bearer::Token(token),
        (false, _) if text.trim().is_empty() => Bearer::Blank,
        (false, _) => Bearer::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_7_a_missing_header_and_one_without_a_token_are_blank() {
        assert_eq!(bearer(&HeaderMap::new()), Bearer::Blank);
        for (text, found) in [
            ("", Bearer::Blank),
            ("Bearer", Bearer::Blank),
            ("Bearer  ", Bearer::Blank),
            ("Bearer abc", Bearer::Token("abc")),
            ("bearer abc", Bearer::Token("abc")),
            ("Basic abc", Bearer::Other),
            ("abc", Bearer::Other),
        ] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, text.parse().unwrap())]);
            assert_eq!(bearer(&headers), found, "{text:?}");
        }
    }
}
