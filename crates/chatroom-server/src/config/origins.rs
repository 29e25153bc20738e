use http::{HeaderValue, Uri};

/// Who may call from a browser (decision 38).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every page: `*`.
    Any,
    /// Pages of these origins only, each as a browser sends it in `Origin`. An empty list means none.
    Listed(Vec<HeaderValue>),
}

/// A text that is no origin, or a `*` that does not stand alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotAnOrigin(pub(super) String);

impl Origins {
    pub(super) fn parse(texts: &[&str]) -> Result<Self, NotAnOrigin> {
        if texts == ["*"] {
            return Ok(Self::Any);
        }
        texts
            .iter()
            .map(|text| origin(text).ok_or_else(|| NotAnOrigin((*text).to_owned())))
            .collect::<Result<_, _>>()
            .map(Self::Listed)
    }

    pub(super) fn texts(&self) -> Vec<String> {
        match self {
            Self::Any => vec!["*".to_owned()],
            Self::Listed(origins) => {
                origins.iter().map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned()).collect()
            }
        }
    }
}

/// A scheme, a host and perhaps a port. Browsers send them in lower case.
fn origin(text: &str) -> Option<HeaderValue> {
    let lower = text.to_ascii_lowercase();
    let uri = lower.parse::<Uri>().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    let whole = lower == format!("{scheme}://{authority}") && !authority.as_str().contains('@');
    if whole { HeaderValue::from_str(&lower).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_38_origins_are_listed_or_all() {
        assert_eq!(Origins::parse(&["*"]), Ok(Origins::Any));
        assert_eq!(Origins::parse(&[]), Ok(Origins::Listed(vec![])));
        let listed =
            Origins::parse(&["https://Chat.example.com", "http://localhost:3000", "capacitor://localhost"]);
        assert_eq!(
            listed.unwrap().texts(),
            ["https://chat.example.com", "http://localhost:3000", "capacitor://localhost"]
        );
    }

    #[test]
    fn what_no_browser_sends_as_an_origin_is_refused() {
        for bad in [
            "",
            "chat.example.com",
            "https://x/",
            "https://x/path",
            "https://x?q",
            "https://u@x",
            "*",
            "https://*.x y",
        ] {
            assert_eq!(Origins::parse(&["https://x", bad]), Err(NotAnOrigin(bad.to_owned())), "{bad:?}");
        }
    }
}
