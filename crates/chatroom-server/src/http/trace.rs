use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::{NoContext, Uuid};

use crate::error::Stage;
use crate::rate::Peer;

/// The header that carries a request's id, in and out.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a request.
const LONGEST: usize = 128;

/// What is known of a request wherever it is.
pub(super) struct Trace {
    pub(super) started: Instant,
    pub(super) request_id: HeaderValue,
    pub(super) peer: Peer,
    stage: AtomicU8,
}

impl Trace {
    /// Begins with the request's head.
    pub(super) fn begin(headers: &HeaderMap, peer: Peer) -> Self {
        let request_id = headers.get(X_REQUEST_ID).filter(|id| is_sane(id)).cloned();
        let request_id = request_id.unwrap_or_else(new_id);
        Self { started: Instant::now(), request_id, peer, stage: AtomicU8::new(0) }
    }

    /// Milliseconds since the head.
    pub(super) fn duration(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The id as text; it is visible ASCII.
    pub(super) fn id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// How far the request got.
    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Arriving,
            1 => Stage::Reading,
            _ => Stage::Changing,
        }
    }

    /// The store is about to be asked.
    pub(super) fn reached(&self, stage: Stage) {
        let number = match stage {
            Stage::Arriving => 0,
            Stage::Reading => 1,
            Stage::Changing => 2,
        };
        self.stage.store(number, Ordering::Release);
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    !id.is_empty() && id.len() <= LONGEST && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

/// A UUID of version 7: ids in a log sort by time.
fn new_id() -> HeaderValue {
    let id = Uuid::new_v7(uuid::Timestamp::now(NoContext));
    let mut text = [0; uuid::fmt::Simple::LENGTH];
    HeaderValue::from_str(id.simple().encode_lower(&mut text)).unwrap_or(HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id_for(sent: &[u8]) -> String {
        let sent = HeaderValue::from_bytes(sent).unwrap();
        Trace::begin(&HeaderMap::from_iter([(X_REQUEST_ID, sent)]), Peer::Local).id().to_owned()
    }

    #[test]
    fn an_id_of_visible_ascii_is_taken_over_and_any_other_is_replaced() {
        assert_eq!(id_for(b"req-1/a:b"), "req-1/a:b");
        assert_eq!(id_for(&[b'x'; 128]).len(), 128);
        for bad in [&b""[..], b"a b", b"\xff", b"a\tb", &[b'x'; 129]] {
            assert_eq!(id_for(bad).len(), 32, "{bad:?}");
        }
    }
}
