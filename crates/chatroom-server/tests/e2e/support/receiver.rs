//! An app's server that takes callbacks, on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chatroom_protocol::callbacks::{self, Callback, webhook};
use chatroom_server::config::{Config, DeclaredCallback, SecretSource};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::NOW;

/// What signs in tests.
pub(crate) const CALLBACK_SECRET: &str = "a secret of any length";
/// How long a delivery may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes what arrives.
pub(crate) struct Receiver {
    pub(crate) url: String,
    arrived: UnboundedReceiver<Delivery>,
    answers: Arc<Answers>,
}

/// The statuses of what is answered.
struct Answers {
    /// To the next delivery alone; 0 if that is like all others.
    next: AtomicU16,
    /// To all others.
    always: AtomicU16,
}

/// What arrived.
#[derive(Debug)]
pub(crate) struct Delivery {
    headers: HeaderMap,
    body: Bytes,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let (sender, arrived) = unbounded_channel();
        let answers = Arc::new(Answers { next: AtomicU16::new(0), always: AtomicU16::new(200) });
        let app = Router::new().fallback(post(take)).with_state((sender, answers.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, arrived, answers }
    }

    /// Answers this status from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.answers.always.store(status, Ordering::SeqCst);
    }

    /// Answers this status to the next delivery only, however soon another one follows it.
    pub(crate) fn answers_once(&self, status: u16) {
        self.answers.next.store(status, Ordering::SeqCst);
    }

    /// What arrives next.
    pub(crate) async fn next(&mut self) -> Delivery {
        tokio::time::timeout(PATIENCE, self.arrived.recv()).await.expect("a delivery").unwrap()
    }

    /// Passes over one that has arrived; answers whether there was one.
    pub(crate) fn seen_already(&mut self) -> bool {
        self.arrived.try_recv().is_ok()
    }

    /// What arrives next, with good signatures, on one line.
    pub(crate) async fn next_line(&mut self) -> String {
        line(&self.next().await.verified(CALLBACK_SECRET))
    }

    /// Declares a rule for the app of [`config`](super::config) that leads here.
    pub(crate) fn declare(&self, config: &mut Config) {
        config.callback.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.apps[0].callbacks.push(declared(&self.url));
    }
}

/// A rule as a file would declare it.
pub(crate) fn declared(url: &str) -> DeclaredCallback {
    DeclaredCallback {
        place: "chatroom.toml:7".to_owned(),
        name: "hook".parse().unwrap(),
        url: url.to_owned(),
        secret: CALLBACK_SECRET.to_owned().into(),
        secret_source: SecretSource::Inline,
        enabled: true,
        events: None,
        rooms: None,
    }
}

async fn take(
    State((sender, answers)): State<(UnboundedSender<Delivery>, Arc<Answers>)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    // A test that has seen enough takes no more.
    let _ = sender.send(Delivery { headers, body });
    let status = match answers.next.swap(0, Ordering::SeqCst) {
        0 => answers.always.load(Ordering::SeqCst),
        once => once,
    };
    (StatusCode::from_u16(status).unwrap(), "seen")
}

impl Delivery {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// What it says, whoever signed it.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What it says, if both of its signatures are good, and its two ids are one.
    pub(crate) fn verified(&self, secret: &str) -> Callback {
        let receiver = callbacks::Receiver::new(secret).unwrap();
        let headers = webhook::Headers {
            id: self.header(webhook::ID),
            timestamp: self.header(webhook::TIMESTAMP),
            signature: self.header(webhook::SIGNATURE),
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.unsigned_abs());
        let callback = receiver.accept(headers, &self.body, now).unwrap();
        assert_eq!(receiver.accept_security(&self.body, now).unwrap(), callback);
        assert_eq!(callback.call_id, format!("{}_{}", callback.app_key, headers.id));
        callback
    }
}

/// `LEAVE/KICK u1,u2 (3)`
fn line(callback: &Callback) -> String {
    let payload = &callback.raw["payload"];
    let kind = payload["type"].as_str().map(|kind| format!("/{kind}")).unwrap_or_default();
    let members = payload["member"].as_array().into_iter().flatten();
    let members: Vec<_> = members.map(|name| name.as_str().unwrap()).collect();
    let count = callback.member_count.map(|count| format!("({count})"));
    let words = [format!("{}{kind}", callback.operation), members.join(","), count.unwrap_or_default()];
    words.join(" ").trim_end().to_owned()
}
