//! A server in this process: on the memory store unless told otherwise, with time and ids made by hand.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_server::config::{CallbackConfig, Config, DeclaredApp, ListenAddress, SecretSource, StoreKind};
use chatroom_server::serve::{Environment, Server, Stopwatch, Stores};
use chatroom_store_embedded::{EmbeddedStore, Options, Sync};

use super::wire::{Answer, open};

pub(crate) const ORG: &str = "demo";
pub(crate) const APP: &str = "chat";
pub(crate) const CLIENT_ID: &str = "YXA6id";
pub(crate) const CLIENT_SECRET: &str = "YXA6secret";
/// When tests happen.
pub(crate) const NOW: i64 = 1_729_497_896_834;

/// Stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct ManualStopwatch(AtomicU64);

impl Stopwatch for ManualStopwatch {
    fn micros(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The memory store, port 0, and one declared app.
pub(crate) fn config() -> Config {
    let app = DeclaredApp {
        key: format!("{ORG}#{APP}").parse().unwrap(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned().into(),
        secret_source: SecretSource::Inline,
        callbacks: Vec::new(),
    };
    let mut config = Config {
        listen: vec![ListenAddress::Tcp(([127, 0, 0, 1], 0).into())],
        shutdown_grace: Duration::from_secs(5),
        apps: vec![app],
        ..Config::default()
    };
    config.store.kind = StoreKind::Memory;
    config
}

/// The durable store, in a directory. Nothing is synced: no test pulls the plug.
pub(crate) fn embedded(dir: &Path, config: &Config, clock: Arc<ManualClock>) -> Stores {
    let CallbackConfig { keep, keep_bytes, .. } = config.callback;
    let options = Options { sync: Sync::None, keep, keep_bytes, ..Options::new(dir) };
    Stores::of(Arc::new(EmbeddedStore::open(&options, clock).unwrap()))
}

pub(crate) struct TestServer {
    pub(crate) address: String,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) watch: Arc<ManualStopwatch>,
    /// An app token that never expires.
    pub(crate) token: String,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(config()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let stores = Stores::memory(&config, clock.clone());
        Self::on(config, stores, clock).await
    }

    pub(crate) async fn on(config: Config, stores: Stores, clock: Arc<ManualClock>) -> Self {
        let watch = Arc::new(ManualStopwatch::default());
        let ids = Arc::new(CountingIds::default());
        let environment = Environment { clock: clock.clone(), watch: watch.clone(), ids };
        let server = Server::start(&config, false, stores, environment).await.unwrap();
        Self::speaking_to(&server, clock, watch).await
    }

    /// The calls of a server that the test has for itself.
    pub(crate) async fn speaking_to(
        server: &Server,
        clock: Arc<ManualClock>,
        watch: Arc<ManualStopwatch>,
    ) -> Self {
        let address = server.addresses()[0].to_string();
        let mut started = Self { address, clock, watch, token: String::new() };
        started.token = started.new_token(0).await;
        started
    }

    /// Moves the stopwatch of the rate limits.
    pub(crate) fn advance_micros(&self, micros: u64) {
        self.watch.0.fetch_add(micros, Ordering::SeqCst);
    }

    pub(crate) async fn new_token(&self, ttl: u64) -> String {
        let body = format!(
            r#"{{"grant_type":"client_credentials","client_id":"{CLIENT_ID}","client_secret":"{CLIENT_SECRET}","ttl":{ttl}}}"#
        );
        let answer = self.plain("POST", "/token", &[], &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A call of the app, on a connection of its own. `path` stands behind `/{org}/{app}`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let authorization = format!("Bearer {}", self.token);
        self.plain(method, path, &[("Authorization", &authorization)], body).await
    }

    /// The same with other headers.
    pub(crate) async fn plain(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.raw(method, &format!("/{ORG}/{APP}{path}"), headers, body).await
    }

    /// A request of the whole path.
    pub(crate) async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        open(&self.address).await.ask(method, path, headers, body).await
    }

    /// Registers users.
    pub(crate) async fn register(&self, names: &[&str]) {
        for names in names.chunks(60) {
            let users: Vec<_> =
                names.iter().map(|name| format!(r#"{{"username":"{name}","password":"p"}}"#)).collect();
            let answer = self.call("POST", "/users", &format!("[{}]", users.join(","))).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    /// Registers an owner and members, and makes their room. Answers its id.
    pub(crate) async fn room(&self, owner: &str, members: &[&str]) -> String {
        self.register(&[&[owner], members].concat()).await;
        self.room_of(owner, members).await
    }

    /// Makes a room of users that are there.
    pub(crate) async fn room_of(&self, owner: &str, members: &[&str]) -> String {
        let members = serde_json::to_string(members).unwrap();
        let body = format!(r#"{{"name":"n","description":"d","owner":"{owner}","members":{members}}}"#);
        let answer = self.call("POST", "/chatrooms", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["data"]["id"].as_str().unwrap().to_owned()
    }

    /// The members as the list shows them: `member:u1`, …, `owner:o`.
    pub(crate) async fn members(&self, room: &str) -> Vec<String> {
        let answer = self.call("GET", &format!("/chatrooms/{room}/users"), "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let data = answer.json()["data"].clone();
        let one = |item: &serde_json::Value| {
            let (role, name) = item.as_object().unwrap().iter().next().unwrap();
            format!("{role}:{}", name.as_str().unwrap())
        };
        data.as_array().unwrap().iter().map(one).collect()
    }
}
