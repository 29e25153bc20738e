//! Apps and their credentials, made on the database and known on all nodes.

use std::time::{Duration, Instant};

use xtask_postgres::shared;

use super::node::Nodes;
use crate::crash::api::Api;
use crate::support::{Answer, Binary, field, open, run};

/// Within this a node knows of a change.
const LONGEST: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_made_rotated_and_deleted_are_known_on_all_nodes_within_a_second() {
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = Nodes::on(database.url(), "");
    let servers = nodes.start_together(2);
    let command = |arguments: &[&str]| run(nodes.dir(), &[arguments, &["--config", "c.toml"]].concat());

    let made = command(&["app", "create", "acme/support"]);
    let (id, secret) = (field(&made, "client id"), field(&made, "client secret"));
    until_all(&servers, async |server| token(server, &id, &secret).await.status == 200).await;
    let old = token(&servers[0], &id, &secret).await.json()["access_token"].as_str().unwrap().to_owned();
    for server in &servers {
        assert_eq!(rooms(server, &old).await.status, 200, "a token of one node is good on the other");
    }

    let rotated = command(&["app", "rotate-secret", "acme/support"]);
    until_all(&servers, async |server| rooms(server, &old).await.status == 401).await;
    let secret = field(&rotated, "client secret");
    let new = token(&servers[1], &id, &secret).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(rooms(&servers[0], &new).await.status, 200);

    // Nothing of it is in the memory of a process only.
    for server in servers {
        server.stop();
    }
    let servers = nodes.start_together(2);
    for server in &servers {
        assert_eq!(rooms(server, &new).await.status, 200, "after a restart");
    }
    let issued = command(&["token", "issue", "acme/support"]);
    assert_eq!(rooms(&servers[0], issued.trim()).await.status, 200);

    command(&["app", "delete", "acme/support"]);
    until_all(&servers, async |server| rooms(server, &new).await.status == 404).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_a_command_made_is_told_what_happens_on_any_node() {
    let mut receiver = crate::support::Receiver::start().await;
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = Nodes::on(database.url(), "");
    let servers = nodes.start_together(2);
    let add = ["callback", "add", "late", &receiver.url, "--app", "demo/chat", "--config", "c.toml"];
    run(nodes.dir(), &add);
    let api = Api::of(&servers[1]).await;
    let room = api.room_with(&["u1".to_owned()]).await;
    api.at(&servers[0]).remove(&room, "u1").await;
    let mut told = Vec::new();
    while told.last().is_none_or(|kind| kind != "LEAVE") {
        let delivery = receiver.next().await;
        told.push(delivery.json()["operation"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(told, ["CREATE", "JOIN", "LEAVE"]);
}

async fn token(server: &Binary, id: &str, secret: &str) -> Answer {
    let body =
        format!(r#"{{"grant_type":"client_credentials","client_id":"{id}","client_secret":"{secret}"}}"#);
    open(&server.address).await.ask("POST", "/acme/support/token", &[], &body).await
}

async fn rooms(server: &Binary, token: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    let headers = [("Authorization", authorization.as_str())];
    open(&server.address).await.ask("GET", "/acme/support/chatrooms", &headers, "").await
}

/// Waits until it is so on all nodes, for as long as that may take.
async fn until_all(servers: &[Binary], is_so: impl AsyncFn(&Binary) -> bool) {
    let began = Instant::now();
    for server in servers {
        while !is_so(server).await {
            assert!(began.elapsed() < LONGEST, "not within {LONGEST:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
