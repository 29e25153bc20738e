//! How the binary starts: the demo set-up, declared apps, and what it refuses.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chatroom_server::cli::Terminal;
use chatroom_server::config::StoreKind;
use chatroom_server::serve::{Environment, Server, Stores};
use tempfile::tempdir;

use crate::support::{Binary, Screen, command, config, ended, paste};

/// The commands of a banner: what stands behind a blank line and begins at the left, without the sentences.
fn commands(banner: &str) -> String {
    let blocks =
        banner.split("\n\n").filter(|block| block.starts_with("TOKEN=") || block.starts_with("curl"));
    blocks.collect::<Vec<_>>().join("\n")
}

fn write(dir: &Path, text: &str) {
    std::fs::write(dir.join("chatroom.toml"), text).unwrap();
}

const DECLARED: &str = r#"
[[apps]]
org = "demo"
app = "chat"
client_id = "id"
client_secret = "declared-secret"
"#;

#[test]
fn the_first_start_prints_commands_that_work_when_pasted_and_no_secret() {
    let dir = tempdir().unwrap();
    let mut server = Binary::start(dir.path(), &[]);
    let banner = server.first_banner();
    let file = dir.path().join("data/demo-credentials");
    let credentials: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let secret = credentials["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("YXA6") && !banner.contains(secret), "{banner}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(banner.contains(&server.address) && banner.contains("demo#chat"), "{banner}");
    let callback_secret = credentials["callback_secret"].as_str().unwrap();
    assert!(callback_secret.starts_with("whsec_") && !banner.contains(callback_secret), "{banner}");
    let receive = banner.split("\n\n").find(|block| block.starts_with("CALLBACK_SECRET=")).unwrap();
    let (assignment, run) = receive.split_once(" \\\n").unwrap();
    assert_eq!(run.trim(), "cargo run --release -p chatroom-callback --example receiver");
    assert_eq!(paste(dir.path(), &format!("{assignment}\necho $CALLBACK_SECRET")).trim(), callback_secret);

    let removed: serde_json::Value = serde_json::from_str(&paste(dir.path(), &commands(&banner))).unwrap();
    assert_eq!(removed["data"]["action"], "remove_member");
    assert_eq!((&removed["data"]["result"], &removed["data"]["user"]), (&true.into(), &"user1".into()));
    assert_eq!(removed["action"], "delete");
    server.stop();
}

#[test]
fn a_later_start_says_how_to_get_on_and_has_everything() {
    let dir = tempdir().unwrap();
    let mut first = Binary::start(dir.path(), &[]);
    let lines = commands(&first.first_banner());
    assert!(paste(dir.path(), &lines).contains(r#""result":true"#));
    first.stop();

    let mut second = Binary::start(dir.path(), &[]);
    // The same removal, with the new address: the first was durable.
    let (old, new) =
        (lines.split("http://").nth(1).unwrap().split('/').next().unwrap(), second.address.clone());
    let again = paste(dir.path(), &lines.replace(old, &new));
    assert!(again.contains("users [user1] are not members of this group!"), "{again}");
    second.signal("TERM");
    assert!(second.wait().success());
    let banner = second.banner();
    assert!(banner.contains("chatroom-server app show demo/chat"), "{banner}");
    assert!(banner.contains("app rotate-secret demo/chat"), "{banner}");
    assert!(!banner.contains("TOKEN="), "{banner}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_terminal_the_banner_has_the_secret_and_no_file_has_it() {
    let dir = tempdir().unwrap();
    let mut config = config();
    config.apps.clear();
    config.store.kind = StoreKind::Embedded;
    config.store.path = dir.path().join("it's data");
    let stores = Stores::open(&config).await.unwrap();
    let server = Server::start(&config, false, stores, Environment::system()).await.unwrap();
    let screen = Screen::default();
    let mut terminal = Terminal::new(Box::new(screen.clone()), Box::new(std::io::sink()), true);
    let _announced = server.announce(&mut terminal).unwrap();
    let banner = screen.text();
    assert!(banner.contains("client secret  YXA6"), "{banner}");
    assert!(!config.store.path.join("demo-credentials").exists());
    let lines = commands(&banner);
    let path = dir.path().to_owned();
    let printed = tokio::task::spawn_blocking(move || paste(&path, &lines)).await.unwrap();
    assert!(printed.contains(r#""action":"remove_member","user":"user1""#), "{printed}");
    server.stop().await;
}

#[test]
fn an_ephemeral_server_has_a_demo_app_and_leaves_nothing_behind() {
    let (dir, temporary) = (tempdir().unwrap(), tempdir().unwrap());
    let mut command = command(dir.path());
    command.args(["--ephemeral", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary.path());
    let mut server = Binary::spawn(command);
    let banner = server.first_banner();
    assert!(paste(dir.path(), &commands(&banner)).contains(r#""result":true"#));
    server.stop();
    for dir in [&dir, &temporary] {
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{banner}");
    }
}

#[test]
fn the_demo_app_is_not_shown_to_other_machines_unless_that_is_allowed() {
    let dir = tempdir().unwrap();
    let arguments = ["--listen", "0.0.0.0:0"];
    let refused = ended(command(dir.path()).args(arguments));
    assert_eq!(refused.status.code(), Some(1));
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(text.contains("--public-demo") && text.contains("demo app"), "{text}");

    let mut allowed = command(dir.path());
    allowed.args(arguments).arg("--public-demo");
    let mut server = Binary::spawn(allowed);
    // The refused start made nothing, so this one is the first.
    let banner = server.first_banner();
    assert!(paste(dir.path(), &commands(&banner)).contains(r#""result":true"#), "{banner}");
    server.stop();
    let refused = ended(command(dir.path()).args(arguments));
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn decision_38_a_browser_may_call_the_demo_set_up_from_anywhere() {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &["--ephemeral"]);
    let curl = format!(
        "curl -s -i -X OPTIONS -H 'Origin: https://x.test' http://{}/demo/chat/token",
        server.address
    );
    let answer = paste(dir.path(), &curl);
    assert!(answer.contains("access-control-allow-origin: *"), "{answer}");
    server.stop();
}

#[test]
fn with_a_declared_app_no_demo_app_is_made_and_other_machines_may_call() {
    let dir = tempdir().unwrap();
    write(dir.path(), DECLARED);
    let mut command = command(dir.path());
    command.args(["--config", "chatroom.toml", "--listen", "0.0.0.0:0", "--ephemeral"]);
    let server = Binary::spawn(command);
    let port = server.address.rsplit(':').next().unwrap();
    let curl = format!(
        r#"curl -s http://127.0.0.1:{port}/demo/chat/token -d '{{"grant_type":"client_credentials","client_id":"id","client_secret":"declared-secret"}}'"#
    );
    assert!(paste(dir.path(), &curl).contains("access_token"));
    let banner = server.stop();
    assert!(!banner.contains("TOKEN") && !banner.contains("declared-secret"), "{banner}");
}

#[test]
fn decision_32_a_declared_app_that_disappears_is_disabled_and_comes_back_as_the_same_application() {
    let dir = tempdir().unwrap();
    write(dir.path(), DECLARED);
    let with_config = ["--config", "chatroom.toml"];
    let application = |server: &Binary| {
        let curl = format!(
            r#"curl -s http://{}/demo/chat/token -d '{{"grant_type":"client_credentials","client_id":"id","client_secret":"declared-secret"}}'"#,
            server.address
        );
        let answer: serde_json::Value = serde_json::from_str(&paste(dir.path(), &curl)).unwrap();
        (answer["application"].clone(), answer["error"].clone())
    };
    let server = Binary::start(dir.path(), &with_config);
    let (before, _) = application(&server);
    assert!(before.is_string());
    server.stop();

    write(dir.path(), "");
    let mut server = Binary::start(dir.path(), &with_config);
    assert!(server.seen.iter().any(|line| line.contains("no longer declares")), "{:?}", server.seen);
    assert_eq!(application(&server).1, "organization_application_not_found");
    // It is there, so this is no first start.
    assert!(!server.banner_lines(4).contains("TOKEN"));
    server.stop();

    write(dir.path(), DECLARED);
    let server = Binary::start(dir.path(), &with_config);
    assert_eq!(application(&server).0, before);
    server.stop();
}

#[test]
fn a_declared_callback_is_made_at_a_start_and_disabled_with_a_line_when_it_disappears() {
    let dir = tempdir().unwrap();
    let with_config = ["--config", "chatroom.toml"];
    let callback =
        "[[apps.callbacks]]\nname = \"hook\"\nurl = \"http://127.0.0.1:1/\"\nsecret = \"hush-hush\"\n";
    let allowed = "[callback]\nallow_networks = [\"127.0.0.0/8\"]\n";
    for (declared, line) in [
        (callback, "made the callback hook of demo#chat"),
        ("", "no longer declares the callback hook of demo#chat"),
        (callback, "changed the callback hook of demo#chat"),
    ] {
        write(dir.path(), &format!("{DECLARED}{declared}{allowed}"));
        let mut server = Binary::start(dir.path(), &with_config);
        server.signal("TERM");
        assert!(server.wait().success());
        let about: Vec<_> = server.seen.iter().filter(|seen| seen.contains("the callback")).collect();
        assert!(about.len() == 1 && about[0].contains(line), "{about:?}");
        assert!(!server.seen.join("").contains("hush-hush"));
    }
}

#[test]
fn a_data_directory_is_held_by_one_server_at_a_time() {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &[]);
    let second = ended(command(dir.path()).args(["--listen", "127.0.0.1:0"]));
    assert_eq!(second.status.code(), Some(1));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains("in use by another process"), "{text}");
    server.stop();
}

#[test]
fn an_address_that_is_taken_is_named() {
    let dir = tempdir().unwrap();
    let server = Binary::start(dir.path(), &["--ephemeral"]);
    let second = ended(command(dir.path()).args(["--listen", &server.address, "--ephemeral"]));
    assert_eq!(second.status.code(), Some(1));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains(&format!("cannot listen on {}", server.address)), "{text}");
    server.stop();
}

#[test]
fn a_server_listens_on_several_addresses_and_on_a_unix_socket() {
    let dir = tempdir().unwrap();
    let server =
        Binary::start(dir.path(), &["--listen", "[::1]:0", "--listen", "unix:chat.sock", "--ephemeral"]);
    let live = paste(dir.path(), "curl -s --unix-socket chat.sock http://localhost/livez");
    assert_eq!(live, r#"{"status":"alive"}"#);
    let curl = format!("curl -s http://{}/livez", server.address);
    assert_eq!(paste(dir.path(), &curl), r#"{"status":"alive"}"#);
    server.stop();
    assert!(!dir.path().join("chat.sock").exists());
}

#[test]
fn a_server_on_a_unix_socket_only_prints_commands_that_work_too() {
    let dir = tempdir().unwrap();
    let mut command = command(dir.path());
    command.args(["--listen", "unix:chat.sock", "--ephemeral"]);
    let mut server = Binary::spawn(command);
    let banner = server.first_banner();
    assert!(paste(dir.path(), &commands(&banner)).contains(r#""result":true"#), "{banner}");
    server.stop();
}

#[test]
fn sync_none_is_named_in_the_banner_and_in_readyz() {
    let dir = tempdir().unwrap();
    write(dir.path(), "[store]\nsync = \"none\"\n");
    let server = Binary::start(dir.path(), &["--config", "chatroom.toml"]);
    let ready = paste(dir.path(), &format!("curl -s http://{}/readyz", server.address));
    assert!(ready.contains("store.sync is none") && ready.contains(r#""status":"ready""#), "{ready}");
    assert!(server.stop().contains("sync           none"));
}

#[test]
fn tokens_and_secrets_are_not_logged() {
    let dir = tempdir().unwrap();
    let mut command = command(dir.path());
    command.args(["--listen", "127.0.0.1:0"]).env("CHATROOM__LOG__LEVEL", "trace");
    let mut server = Binary::spawn(command);
    let banner = server.first_banner();
    let token = paste(dir.path(), &format!("{}\necho; echo \"$TOKEN\"", commands(&banner)));
    let token = token.lines().last().unwrap();
    assert!(token.starts_with("YWMt"), "{token}");
    let file = std::fs::read(dir.path().join("data/demo-credentials")).unwrap();
    let credentials: serde_json::Value = serde_json::from_slice(&file).unwrap();
    server.signal("TERM");
    assert!(server.wait().success());
    let log = server.seen.join("\n");
    assert!(log.contains("answered"), "{log}");
    for secret in [
        token,
        credentials["client_secret"].as_str().unwrap(),
        credentials["callback_secret"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
