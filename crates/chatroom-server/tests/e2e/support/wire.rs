//! HTTP/1.1 by hand: what is sent is what the test wrote, byte for byte.

use std::collections::BTreeMap;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What a server answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Status and body; how long it took is shown as 0.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.status, without_duration(&self.body))
    }

    /// Status, `error` and `error_description`.
    pub(crate) fn refusal(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        (self.status, text("error"), text("error_description"))
    }
}

fn without_duration(body: &str) -> String {
    const KEY: &str = "\"duration\":";
    let Some((before, rest)) = body.split_once(KEY) else { return body.to_owned() };
    format!("{before}{KEY}0{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A connection that stays open from one request to the next.
pub(crate) struct Connection(BufReader<TcpStream>);

/// Connects.
pub(crate) async fn open(address: &str) -> Connection {
    Connection(BufReader::new(TcpStream::connect(address).await.unwrap()))
}

impl Connection {
    /// Sends bytes as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).await.unwrap();
    }

    /// Sends bytes; a peer that went away is no failure.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.0.get_mut().write_all(bytes).await.is_ok()
    }

    /// Reads an answer; `None` if the connection ends instead.
    pub(crate) async fn answer(&mut self, to_head: bool) -> Option<Answer> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse::<usize>().unwrap());
        let mut body = vec![0; if to_head { 0 } else { length }];
        self.0.read_exact(&mut body).await.unwrap();
        Some(Answer { status, headers, body: String::from_utf8(body).unwrap() })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.send(request(method, path, headers, body).as_bytes()).await;
        self.answer(method == "HEAD").await.expect("an answer")
    }

    /// Whether the server closed the connection, with or without an answer before.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        let read =
            tokio::time::timeout(std::time::Duration::from_secs(20), self.0.read_to_end(&mut rest)).await;
        read.is_ok()
    }
}

/// A request as it goes over the wire. A body has its length, and no type (decision 24).
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let host = ("Host", "im.test");
    let length = body.len().to_string();
    let length = (!body.is_empty()).then_some(("Content-Length", length.as_str()));
    let lines = [host].into_iter().chain(headers.iter().copied()).chain(length);
    let lines: String = lines.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{body}")
}
