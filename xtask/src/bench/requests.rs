//! Requests as bytes, made before anything is measured.

use std::io::Write as _;
use std::net::SocketAddr;

/// The path of the app that all benchmarks use.
const APP: &str = "demo/chat";

/// Whom requests go to, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

/// One after the other in one piece of memory.
#[derive(Default)]
pub(crate) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of the request at `index`; none beyond the last.
    pub(crate) fn get(&self, index: usize) -> Option<&[u8]> {
        let begin = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(begin..*self.ends.get(index)?)
    }

    /// Adds a call of the app that all benchmarks use. `path` begins behind the app's name.
    pub(crate) fn push(&mut self, peer: &Peer, method: &str, path: &str, body: &str) {
        self.push_of(peer, APP, method, path, body);
    }

    /// Adds a call of the app with this path.
    pub(crate) fn push_of(&mut self, peer: &Peer, app: &str, method: &str, path: &str, body: &str) {
        let Peer { address, token } = peer;
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        };
        // Writing to memory does not fail.
        let _written = write!(
            self.bytes,
            "{method} /{app}/{path} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\n\
             Authorization: Bearer {token}\r\n{length}\r\n{body}"
        );
        self.ends.push(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::{Peer, Requests};

    #[test]
    fn requests_are_kept_apart() {
        let peer = Peer { address: ([127, 0, 0, 1], 80).into(), token: "t".to_owned() };
        let mut requests = Requests::default();
        requests.push(&peer, "DELETE", "chatrooms/1/users/a", "");
        requests.push(&peer, "POST", "users", "{}");
        let texts: Vec<_> = (0..3).map(|i| requests.get(i).map(String::from_utf8_lossy)).collect();
        assert_eq!(
            texts[0].as_deref(),
            Some(
                "DELETE /demo/chat/chatrooms/1/users/a HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\
                 Accept: application/json\r\nAuthorization: Bearer t\r\n\r\n"
            )
        );
        assert!(texts[1].as_deref().is_some_and(|text| text.starts_with("POST /demo/chat/users ")
            && text.ends_with("Content-Length: 2\r\n\r\n{}")));
        assert_eq!((texts[2].as_deref(), requests.len()), (None, 2));
    }
}
