//! The real binary, several times, on one database, as one configuration file says it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use chatroom_core::{AppRegistry, RoomKey};
use chatroom_store_postgres::{Options, PostgresStore};

use crate::crash::api::CONFIG;
use crate::crash::log::{Log, SystemClock, log_of};
use crate::support::{Binary, CALLBACK_SECRET, command};

/// The directory and the file that all nodes share.
pub(crate) struct Nodes {
    dir: tempfile::TempDir,
}

impl Nodes {
    /// On this database, with a declared app and no rate limit. `store` is added to its section.
    pub(crate) fn on(url: &str, store: &str) -> Self {
        Self::with(url, store, "")
    }

    /// The same, and events are posted to this receiver.
    pub(crate) fn telling(url: &str, receiver: &str) -> Self {
        let callback = format!(
            "[[apps.callbacks]]\nname = \"hook\"\nurl = \"{receiver}\"\nsecret = \"{CALLBACK_SECRET}\"\n"
        );
        Self::with(url, "", &callback)
    }

    fn with(url: &str, store: &str, app: &str) -> Self {
        let nodes = Self { dir: tempfile::tempdir().unwrap() };
        let mut text = format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\n{store}\n");
        writeln!(text, "[callback]\nallow_networks = [\"127.0.0.0/8\"]\n{CONFIG}{app}").unwrap();
        std::fs::write(nodes.dir().join("c.toml"), text).unwrap();
        nodes
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The command of a node on a free port.
    pub(crate) fn command(&self) -> Command {
        let mut server = command(self.dir());
        server.args(["--listen", "127.0.0.1:0", "--config", "c.toml"]);
        server
    }

    pub(crate) fn start(&self) -> Binary {
        Binary::spawn(self.command())
    }

    /// So many, all at once.
    pub(crate) fn start_together(&self, count: usize) -> Vec<Binary> {
        std::thread::scope(|scope| {
            let starting: Vec<_> = (0..count).map(|_| scope.spawn(|| self.start())).collect();
            starting.into_iter().map(|node| node.join().unwrap()).collect()
        })
    }
}

/// What the logs of these rooms of the one app tell.
pub(crate) async fn logs(url: &str, rooms: &[String]) -> Vec<Log> {
    let options = Options { migrate: false, ..Options::new(url) };
    let store = PostgresStore::open(options, Arc::new(SystemClock)).await.unwrap();
    let app = store.apps().await.unwrap()[0].id;
    let mut logs = Vec::new();
    for room in rooms {
        logs.push(log_of(&store, &RoomKey { app, id: room.parse().unwrap() }).await);
    }
    store.close().await;
    logs
}
