//! Single calls, outside of what is measured.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// The status and the body of one call. `request` is all of it but its `Host` and its end.
fn call(address: SocketAddr, request: &str, body: &str) -> Result<(u16, String)> {
    let patience = Duration::from_secs(60);
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end of its head")?;
    let status = head.split(' ').nth(1).context("an answer without a status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// Whether `/readyz` answers 200.
pub(super) fn is_ready(address: SocketAddr) -> bool {
    call(address, "GET /readyz", "").is_ok_and(|(status, _)| status == 200)
}

/// A token of the app.
pub(super) fn token(address: SocketAddr, client_id: &str, client_secret: &str) -> Result<String> {
    let body = serde_json::json!({
        "grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret,
    });
    let (status, answer) = call(address, "POST /demo/chat/token", &body.to_string())?;
    ensure!(status == 200, "no token: {status} {answer}");
    let answer: Value = serde_json::from_str(&answer)?;
    Ok(answer["access_token"].as_str().context("no access_token")?.to_owned())
}
