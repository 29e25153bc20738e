use std::borrow::Cow;

use chatroom_protocol::path::{InvalidSegment, decode};

/// The segments of a path, each decoded once.
pub(super) struct Path<'r> {
    segments: [Cow<'r, str>; MOST],
    /// What stands behind `/{org}/{app}/`, as it was sent.
    pub(super) rest: &'r str,
}

/// The most segments that a route has: org, app, `chatrooms`, room, `users`, names.
const MOST: usize = 6;

impl<'r> Path<'r> {
    /// Decodes the raw path of a request that has a route, so it has at most six segments.
    ///
    /// # Errors
    /// [`InvalidSegment`] for the first segment that cannot be read.
    pub(super) fn decode(raw: &'r str) -> Result<Self, InvalidSegment> {
        let mut segments = [const { Cow::Borrowed("") }; MOST];
        for (place, segment) in segments.iter_mut().zip(raw.split('/').skip(1)) {
            *place = decode(segment)?;
        }
        Ok(Self { segments, rest: raw.splitn(4, '/').nth(3).unwrap_or_default() })
    }

    pub(super) fn org(&self) -> &str {
        &self.segments[0]
    }

    pub(super) fn app(&self) -> &str {
        &self.segments[1]
    }

    /// What stands behind `chatrooms` or `users`: a room's id, or a username.
    pub(super) fn name(&self) -> &str {
        &self.segments[3]
    }

    /// What stands behind `chatrooms/{id}/users`.
    pub(super) fn members(&self) -> &str {
        &self.segments[5]
    }
}

/// Whether a path holds `.` or `..`, plain or encoded. Such a path has no meaning before somebody resolves it, so no
/// route is looked for.
pub(super) fn has_dots(raw: &str) -> bool {
    raw.split('/').any(|segment| decode(segment) == Err(InvalidSegment::Dots))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_segment_by_segment_and_once() {
        let path = Path::decode("/o/a%20b/chatrooms/1/users/u%2Cv%252C").unwrap();
        assert_eq!((path.org(), path.app(), path.name(), path.members()), ("o", "a b", "1", "u,v%2C"));
        assert_eq!(path.rest, "chatrooms/1/users/u%2Cv%252C");
    }

    #[test]
    fn dot_segments_are_seen_plain_and_encoded() {
        for dots in ["/o/a/../b", "/o/./a", "/o/%2e%2E/a", "/o/a/.."] {
            assert!(has_dots(dots), "{dots}");
        }
        assert!(!has_dots("/o/a.b/..c"));
    }
}
