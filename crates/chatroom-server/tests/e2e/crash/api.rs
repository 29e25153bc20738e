//! The calls that the crash tests make, on connections that stay open.

use std::path::Path;

use crate::support::{Answer, Binary, CALLBACK_SECRET, command, open, request};

/// No rate limit, and a declared app.
pub(crate) const CONFIG: &str = r#"
[rate_limit]
per_second = 0
[[apps]]
org = "demo"
app = "chat"
client_id = "id"
client_secret = "secret"
"#;

/// A server with a declared app and no rate limit, its data in `dir/data`, under this program if one is named.
pub(crate) fn start(dir: &Path, under: &[&str], config: &str) -> Binary {
    std::fs::write(dir.join("c.toml"), format!("{config}{CONFIG}")).unwrap();
    let mut server = match under {
        [] => command(dir),
        [program, arguments @ ..] => {
            let mut traced = std::process::Command::new(program);
            traced.args(arguments).arg(env!("CARGO_BIN_EXE_chatroom-server")).current_dir(dir);
            traced
        }
    };
    server.args(["--listen", "127.0.0.1:0", "--config", "c.toml"]);
    Binary::spawn(server)
}

/// The same, with a rule of the app that leads to this URL.
pub(crate) fn start_telling(dir: &Path, url: &str) -> Binary {
    let config = format!(
        "[callback]\nallow_networks = [\"127.0.0.0/8\"]\n{CONFIG}[[apps.callbacks]]\nname = \"hook\"\nurl = \"{url}\"\n\
         secret = \"{CALLBACK_SECRET}\"\n"
    );
    std::fs::write(dir.join("c.toml"), config).unwrap();
    let mut server = command(dir);
    server.args(["--listen", "127.0.0.1:0", "--config", "c.toml"]);
    Binary::spawn(server)
}

/// A server and a token for it.
#[derive(Clone)]
pub(crate) struct Api {
    address: String,
    authorization: String,
}

impl Api {
    pub(crate) async fn of(server: &Binary) -> Self {
        Self::of_address(&server.address).await
    }

    /// Of a server whose app has the same credentials.
    pub(crate) async fn of_address(address: &str) -> Self {
        let body = r#"{"grant_type":"client_credentials","client_id":"id","client_secret":"secret"}"#;
        let answer = open(address).await.ask("POST", "/demo/chat/token", &[], body).await;
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        Self { address: address.to_owned(), authorization: format!("Bearer {token}") }
    }

    /// The same token, at another server.
    pub(crate) fn at(&self, server: &Binary) -> Self {
        Self { address: server.address.clone(), authorization: self.authorization.clone() }
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let headers = [("Authorization", self.authorization.as_str())];
        open(&self.address).await.ask(method, &format!("/demo/chat{path}"), &headers, body).await
    }

    async fn done(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let answer = self.call(method, path, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub(crate) async fn register(&self, names: &[String]) {
        for part in names.chunks(60) {
            let users: Vec<_> =
                part.iter().map(|name| serde_json::json!({"username": name, "password": "p"})).collect();
            self.done("POST", "/users", &serde_json::to_string(&users).unwrap()).await;
        }
    }

    /// A room of this user, who is registered.
    pub(crate) async fn create_room(&self, owner: &str) -> String {
        let body = format!(r#"{{"name":"n","description":"d","owner":"{owner}"}}"#);
        self.done("POST", "/chatrooms", &body).await["data"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn add(&self, room: &str, names: &[String]) {
        for part in names.chunks(60) {
            let body = serde_json::json!({ "usernames": part }).to_string();
            self.done("POST", &format!("/chatrooms/{room}/users"), &body).await;
        }
    }

    /// Registers `owner` and these users, and makes their room.
    pub(crate) async fn room_with(&self, names: &[String]) -> String {
        self.register(&["owner".to_owned()]).await;
        self.register(names).await;
        let room = self.create_room("owner").await;
        self.add(&room, names).await;
        room
    }

    pub(crate) async fn remove(&self, room: &str, user: &str) -> Answer {
        self.call("DELETE", &format!("/chatrooms/{room}/users/{user}"), "").await
    }

    /// The names of the members, the owner last.
    pub(crate) async fn members(&self, room: &str) -> Vec<String> {
        let json = self.done("GET", &format!("/chatrooms/{room}/users"), "").await;
        let name = |item: &serde_json::Value| item.as_object().unwrap().values().next().unwrap().clone();
        json["data"].as_array().unwrap().iter().map(|item| name(item).as_str().unwrap().to_owned()).collect()
    }

    /// A connection on which members are removed one after the other.
    pub(crate) async fn remover(&self) -> Remover {
        Remover { connection: open(&self.address).await, authorization: self.authorization.clone() }
    }
}

/// Removes members on one connection.
pub(crate) struct Remover {
    connection: crate::support::Connection,
    authorization: String,
}

impl Remover {
    /// The status, or `None` if the server is gone.
    pub(crate) async fn remove(&mut self, room: &str, user: &str) -> Option<u16> {
        self.call(&format!("/chatrooms/{room}/users/{user}")).await
    }

    /// The status of a removal of this path, or `None` if the server is gone.
    pub(crate) async fn call(&mut self, path: &str) -> Option<u16> {
        let path = format!("/demo/chat{path}");
        let request = request("DELETE", &path, &[("Authorization", &self.authorization)], "");
        if !self.connection.try_send(request.as_bytes()).await {
            return None;
        }
        self.connection.answer(false).await.map(|answer| answer.status)
    }
}

/// `u0`, `u1`, …
pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("u{n}")).collect()
}
