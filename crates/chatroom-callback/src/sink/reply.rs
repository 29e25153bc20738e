//! What a receiver says.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use chatroom_core::{DeliveryFailure, Timestamp};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use tokio::time::Instant;

/// How much of a body is read. The rest is of no interest to anybody.
const LONGEST: usize = 4 * 1_024;
/// How long a body is waited for, so that the connection can be used again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// How long it asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, up to 4 KiB.
    pub beginning: Bytes,
    /// How long it took to say the status.
    pub took: Duration,
}

impl Reply {
    /// Whether it took the event: any 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The status as a failure, in words.
    #[must_use]
    pub fn failure(&self) -> DeliveryFailure {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        let mut words = format!("answered {}", self.status);
        if let Some(reason) = reason {
            words = format!("{words} {reason}");
        }
        if (300..400).contains(&self.status) {
            words.push_str(" (redirects are not followed)");
        }
        DeliveryFailure { words: words.into(), retry_after: self.retry_after }
    }
}

/// Reads an answer whose head is there. Nothing that is wrong with the body matters.
pub(super) async fn read(mut response: Response, began: Instant, now: Timestamp) -> Reply {
    let took = began.elapsed();
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers(), now);
    let mut body = BytesMut::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = LONGEST - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return;
            }
        }
    };
    // A body that does not end in time costs its connection, nothing else.
    tokio::time::timeout(PATIENCE, reading).await.unwrap_or_default();
    Reply { status, retry_after, beginning: body.freeze(), took }
}

/// `Retry-After` as a span, from seconds or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis()).ok()?);
    let then = httpdate::parse_http_date(text).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = Timestamp::from_millis(784_111_770_000);
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now)
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(read("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        for bad in ["soon", "-1", "1.5", ""] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn a_failure_names_the_status_and_what_was_asked() {
        let reply = |status| Reply {
            status,
            retry_after: Some(Duration::from_secs(3)),
            beginning: Bytes::from_static(b"token=hunter2"),
            took: Duration::ZERO,
        };
        let failure = reply(500).failure();
        assert_eq!(&*failure.words, "answered 500 Internal Server Error");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
        let moved = reply(301).failure();
        assert_eq!(&*moved.words, "answered 301 Moved Permanently (redirects are not followed)");
        assert_eq!(&*reply(599).failure().words, "answered 599");
        assert!(reply(204).is_success() && reply(299).is_success() && !reply(300).is_success());
    }
}
