//! The rule of the demo set-up.

use std::sync::Arc;

use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_core::{ChangeRule, Ids, NewRule, Origin, RuleChange, RuleSecret};
use chatroom_server::cli::Terminal;
use chatroom_server::serve::{Environment, Server, Stores, SystemStopwatch};

use crate::support::{CALLBACK_SECRET, NOW, Receiver, Screen, config, open};

#[tokio::test]
async fn the_demo_set_up_tells_a_receiver_on_this_machine_what_happens_from_then_on() {
    let mut config = config();
    config.apps.clear();
    let (clock, ids) = (Arc::new(ManualClock::at(NOW)), Arc::new(CountingIds::default()));
    let stores = Stores::memory(&config, clock.clone());
    let environment = Environment { clock, watch: Arc::new(SystemStopwatch::start()), ids: ids.clone() };
    let server = Server::start(&config, false, stores.clone(), environment).await.unwrap();
    let app = stores.registry.apps().await.unwrap()[0].id;
    let [rule] = stores.rules.rules(app).await.unwrap().try_into().unwrap();
    assert_eq!(
        (rule.name.as_str(), &*rule.url, rule.origin),
        ("demo", "http://127.0.0.1:9080/", Origin::Demo)
    );
    let secret = rule.secrets.newest.expose().to_owned();
    let screen = Screen::default();
    let mut terminal = Terminal::new(Box::new(screen.clone()), Box::new(std::io::sink()), true);
    let _announced = server.announce(&mut terminal).unwrap();
    let banner = screen.text();
    assert!(secret.starts_with("whsec_"));
    assert!(banner.contains(&format!("CALLBACK_SECRET='{secret}' \\\n  cargo run")), "{banner}");

    // Another rule, since a test cannot have the port that the banner names.
    let mut receiver = Receiver::start().await;
    let second = NewRule {
        name: "second".parse().unwrap(),
        url: receiver.url.as_str().into(),
        secret: RuleSecret::new(CALLBACK_SECRET),
        enabled: true,
        events: None,
        rooms: None,
        origin: Origin::Command,
    };
    let change = ChangeRule { change: RuleChange::Add(second), max_rules: 4 };
    stores.rules.change_rule(ids.operation(), app, change).await.unwrap();
    let (_, removal) = banner.split_once("-X DELETE 'http://").unwrap();
    let path = removal.split('\'').next().unwrap().split_once('/').unwrap().1;
    let token = token(&banner, &server.addresses()[0].to_string()).await;
    let bearer = format!("Bearer {token}");
    let mut connection = open(&server.addresses()[0].to_string()).await;
    connection.ask("DELETE", &format!("/{path}"), &[("Authorization", &bearer)], "").await;
    assert_eq!(receiver.next_line().await, "LEAVE/KICK user1 (3)");
}

/// A token, as the banner says.
async fn token(banner: &str, address: &str) -> String {
    let body = banner.split("-d '").nth(1).unwrap().split('\'').next().unwrap();
    let answer = open(address).await.ask("POST", "/demo/chat/token", &[], body).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}
