//! Servers, clocks and token sources of these tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use chatroom_protocol::{Envelope, Refusal};
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::ResponseTemplate;

use crate::clock::Clock;
use crate::{AppKey, Client, ClientBuilder, Token, TokenSource, Username};

pub(super) const ROOM: &str = "/demo/chat/chatrooms/181234567890123";

pub(super) fn app() -> AppKey {
    AppKey::from_parts("demo", "chat").unwrap()
}

pub(super) fn room() -> crate::ChatroomId {
    "181234567890123".parse().unwrap()
}

pub(super) fn user(name: &str) -> Username {
    name.parse().unwrap()
}

pub(super) fn users(names: std::ops::Range<usize>) -> Vec<Username> {
    names.map(|number| user(&format!("u{number}"))).collect()
}

/// A builder with a token that is always valid, and a clock that nobody waits for.
pub(super) fn builder(base_url: &str) -> (ClientBuilder, Arc<QuickClock>) {
    let clock = Arc::new(QuickClock::default());
    let builder = Client::builder(base_url, app())
        .token_source(Tokens::valid_for(None))
        .clock(Arc::clone(&clock) as Arc<dyn Clock>);
    (builder, clock)
}

pub(super) fn client(base_url: &str) -> Client {
    builder(base_url).0.build().unwrap()
}

/// A clock whose sleeps take no time, but move it.
#[derive(Debug)]
pub(super) struct QuickClock {
    begun: Instant,
    passed: Mutex<Duration>,
    slept: Mutex<Vec<Duration>>,
}

impl Default for QuickClock {
    fn default() -> Self {
        Self { begun: Instant::now(), passed: Mutex::default(), slept: Mutex::default() }
    }
}

impl QuickClock {
    pub(super) fn pass(&self, span: Duration) {
        *self.passed.lock().unwrap() += span;
    }

    /// All sleeps so far.
    pub(super) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Instant {
        self.begun + *self.passed.lock().unwrap()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + *self.passed.lock().unwrap()
    }

    fn chance(&self) -> f64 {
        0.0
    }

    async fn sleep(&self, span: Duration) {
        self.slept.lock().unwrap().push(span);
        self.pass(span);
        tokio::task::yield_now().await;
    }
}

/// A source of `token-1`, `token-2`, …, that counts its calls.
#[derive(Clone)]
pub(super) struct Tokens {
    valid_for: Option<Duration>,
    calls: Arc<AtomicUsize>,
    /// Taken by a call before it answers, so that a test says when.
    pub(super) gate: Arc<tokio::sync::Semaphore>,
    pub(super) fail: Arc<std::sync::atomic::AtomicBool>,
}

impl Tokens {
    pub(super) fn valid_for(valid_for: Option<Duration>) -> Self {
        let gate = Arc::new(tokio::sync::Semaphore::new(1_000_000));
        Self { valid_for, calls: Arc::default(), gate, fail: Arc::default() }
    }

    pub(super) fn closed(self) -> Self {
        Self { gate: Arc::new(tokio::sync::Semaphore::new(0)), ..self }
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TokenSource for Tokens {
    async fn fetch(&self) -> Result<Token, Box<dyn std::error::Error + Send + Sync>> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        self.gate.acquire().await?.forget();
        if self.fail.load(Ordering::SeqCst) {
            return Err("the vault is closed".into());
        }
        Ok(Token::new(format!("token-{number}").into(), self.valid_for))
    }
}

/// A 200 with this `data`.
pub(super) fn ok(data: impl Serialize) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(envelope(data))
}

pub(super) fn envelope<D>(data: D) -> Envelope<'static, D> {
    Envelope {
        action: "get".into(),
        application: None,
        params: None,
        path: None,
        uri: "".into(),
        entities: vec![],
        data: Some(data),
        timestamp: 1,
        duration: 0,
        organization: None,
        application_name: None,
        count: None,
        cursor: None,
    }
}

/// This refusal.
pub(super) fn refuse(refusal: &Refusal) -> ResponseTemplate {
    ResponseTemplate::new(refusal.status).set_body_json(refusal.body(1, 0))
}

/// A server that reads requests and answers each with the next of these bytes as they are; an empty answer closes
/// the connection, and so does one that says `connection: close`.
pub(super) struct RawServer {
    pub(super) url: String,
    requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl RawServer {
    pub(super) async fn start(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let task = tokio::spawn(async move {
            let mut answers = answers.into_iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                while read_request(&mut stream).await {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let answer = answers.next().unwrap_or_default();
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    if answer.is_empty() || answer.contains("connection: close") {
                        break;
                    }
                }
            }
        });
        Self { url, requests, task }
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads the head of a request without a body.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0_u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}
