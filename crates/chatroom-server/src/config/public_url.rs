use std::str::FromStr;

use http::Uri;

/// What `uri` in answers begins with, instead of `http://` and the `Host` header: scheme, host and perhaps a path,
/// without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Why a text is no public URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a public URL begins with http:// or https:// and has no query")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// The URL, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let uri = text.parse::<Uri>().or(Err(InvalidPublicUrl))?;
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = uri.authority().is_some_and(|at| !at.host().is_empty() && !at.as_str().contains('@'));
        if web && host && uri.query().is_none() && !text.contains(['?', '#']) {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidPublicUrl)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_kept_without_the_slash_at_its_end() {
        for (text, kept) in [
            ("https://im.example.com", "https://im.example.com"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("https://example.com/im/", "https://example.com/im"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), kept);
        }
    }

    #[test]
    fn what_no_uri_could_begin_with_is_refused() {
        for bad in [
            "",
            "im.example.com",
            "ftp://x",
            "https://",
            "https:///x",
            "https://x?y",
            "https://x#y",
            "https://u:p@x",
            "/x",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad:?}");
        }
    }
}
