use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;

mod apps;
mod callbacks;
mod documentation;
mod errors;
mod store;

/// A directory that holds `chatroom.toml`; in errors it is called `chatroom.toml`.
struct Dir(tempfile::TempDir);

impl Dir {
    fn with(text: &str) -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        dir.write("chatroom.toml", text.as_bytes(), 0o600);
        dir
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn load(&self) -> Result<Loaded, ConfigErrors> {
        Config::load(Some(&self.0.path().join("chatroom.toml")), [], &Overlay::default())
    }

    /// The errors, without the directory.
    fn errors(&self) -> String {
        let root = format!("{}/", self.0.path().display());
        self.load().expect_err("this configuration is wrong").to_string().replace(&root, "")
    }
}

fn file(text: &str) -> Config {
    Dir::with(text).load().unwrap().config
}

fn file_errors(text: &str) -> String {
    Dir::with(text).errors()
}

fn environment(variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Config::load(None, variables, &Overlay::default()).map(|loaded| loaded.config)
}

fn environment_errors(variables: &[(&str, &str)]) -> String {
    environment(variables).unwrap_err().to_string()
}

const EVERYTHING: &str = r#"
listen = ["[::1]:8081", "unix:./c.sock"]
public_url = "https://im.example.com/"
shutdown_grace = "3s"
[store]
kind = "memory"
path = "/var/lib/chatroom"
sync = "none"
max_members = 5_000_000
[rate_limit]
per_second = 200
token_per_second = 10
overrides = { create_room = 7, get_user = 0 }
[limits]
remove_batch = 10
batch = 20
max_users = 300
head = "8KiB"
body = "2MiB"
head_timeout = "500ms"
request_timeout = "1m"
connections = 9
[compat]
not_member_status = 403
blank_token = "recorded"
[cors]
origins = ["https://chat.example.com"]
[callback]
keep = "1h"
keep_bytes = "1MiB"
max_rules = 9
timeout = "3s"
give_up_after = "2h"
allow_networks = ["127.0.0.0/8", "fd00::/8"]
[log]
level = "warn,chatroom_server=debug"
format = "json"
"#;

#[test]
fn without_any_layer_the_defaults_are_in_force() {
    let config = environment(&[]).unwrap();
    assert_eq!(config.data_dir(), Some(Path::new("./data")));
    insta::assert_snapshot!(config.to_toml(), @r#"
    listen = "127.0.0.1:8080"
    shutdown_grace = "10s"

    [store]
    kind = "embedded"
    path = "./data"
    sync = "full"
    migrate = true

    [rate_limit]
    per_second = 100
    token_per_second = 300

    [rate_limit.overrides]
    create_room = 50
    list_rooms = 50

    [limits]
    remove_batch = 100
    batch = 60
    max_users = 10000
    head = "16KiB"
    body = "1MiB"
    head_timeout = "5s"
    request_timeout = "30s"
    connections = 4096

    [compat]
    not_member_status = 400
    blank_token = "documented"

    [cors]
    origins = []

    [callback]
    keep = "7d"
    keep_bytes = "1GiB"
    max_rules = 4
    timeout = "10s"
    give_up_after = "3d"
    allow_networks = []

    [log]
    level = "info"
    format = "auto"
    "#);
}

#[test]
fn a_file_sets_every_key() {
    let config = file(EVERYTHING);
    assert_eq!(config.data_dir(), None);
    insta::assert_snapshot!(config.to_toml(), @r#"
    listen = ["[::1]:8081", "unix:./c.sock"]
    public_url = "https://im.example.com"
    shutdown_grace = "3s"

    [store]
    kind = "memory"
    path = "/var/lib/chatroom"
    sync = "none"
    max_members = 5000000
    migrate = true

    [rate_limit]
    per_second = 200
    token_per_second = 10

    [rate_limit.overrides]
    create_room = 7
    list_rooms = 50
    get_user = 0

    [limits]
    remove_batch = 10
    batch = 20
    max_users = 300
    head = "8KiB"
    body = "2MiB"
    head_timeout = "500ms"
    request_timeout = "1m"
    connections = 9

    [compat]
    not_member_status = 403
    blank_token = "recorded"

    [cors]
    origins = ["https://chat.example.com"]

    [callback]
    keep = "1h"
    keep_bytes = "1MiB"
    max_rules = 9
    timeout = "3s"
    give_up_after = "2h"
    allow_networks = ["127.0.0.0/8", "fd00::/8"]

    [log]
    level = "warn,chatroom_server=debug"
    format = "json"
    "#);
}

#[test]
fn what_is_shown_reads_back_the_same() {
    for text in ["", EVERYTHING] {
        let shown = file(text).to_toml();
        assert_eq!(file(&shown).to_toml(), shown);
    }
}

#[test]
fn listen_is_a_string_or_a_list() {
    let one = file("listen = \"[::1]:8080\"").listen;
    assert_eq!(one, ["[::1]:8080".parse().unwrap()]);
    let two = environment(&[("CHATROOM__LISTEN", "127.0.0.1:1, unix:/run/c.sock")]).unwrap().listen;
    assert_eq!(two, ["127.0.0.1:1".parse().unwrap(), "unix:/run/c.sock".parse().unwrap()]);
    assert_eq!(
        file_errors("listen = []"),
        "chatroom.toml:1: `listen` must be an address or a list of them, each `127.0.0.1:8080`, `[::1]:8080` or `unix:PATH`, not an empty list"
    );
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let dir = Dir::with("listen = \"127.0.0.1:1\"\nshutdown_grace = \"1s\"\nstore.path = \"/file\"");
    let path = dir.0.path().join("chatroom.toml");
    let variables =
        [("CHATROOM__LISTEN", "127.0.0.1:2"), ("CHATROOM__STORE__PATH", "/environment"), ("PATH", "/bin")];
    let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let flags = Overlay { listen: vec!["127.0.0.1:3".parse().unwrap()], ..Overlay::default() };
    let config = Config::load(Some(&path), variables, &flags).unwrap().config;
    assert_eq!(config.listen, flags.listen);
    assert_eq!(config.store.path, Path::new("/environment"));
    assert_eq!(config.shutdown_grace, Duration::from_secs(1));
}

#[test]
fn the_flags_about_data_choose_the_store() {
    let ephemeral = Overlay { ephemeral: true, ..Overlay::default() };
    assert_eq!(Config::load(None, [], &ephemeral).unwrap().config.data_dir(), None);
    let variables = [(OsString::from("CHATROOM__STORE__KIND"), OsString::from("memory"))];
    let data_dir = Overlay { data_dir: Some("/d".into()), ..Overlay::default() };
    assert_eq!(Config::load(None, variables, &data_dir).unwrap().config.data_dir(), Some(Path::new("/d")));
}

#[test]
fn variables_of_others_are_not_looked_at() {
    assert!(
        environment(&[("CHATROOM_PORT", "tcp://10.0.0.1:80"), ("RUST_LOG", "debug"), ("CHATROOM", "x")])
            .is_ok()
    );
}

#[test]
fn the_environment_types_its_values_by_the_key() {
    let config = environment(&[
        ("CHATROOM__LIMITS__BATCH", "61"),
        ("CHATROOM__RATE_LIMIT__OVERRIDES__LIST_ROOMS", "9"),
        ("CHATROOM__COMPAT__NOT_MEMBER_STATUS", "403"),
        ("CHATROOM__CORS__ORIGINS", "https://a.example, https://b.example"),
        ("CHATROOM__CALLBACK__KEEP_BYTES", "2GiB"),
        ("CHATROOM__CALLBACK__ALLOW_NETWORKS", "10.0.0.0/8,::1/128"),
    ])
    .unwrap();
    assert_eq!(config.limits.calls.batch, 61);
    assert_eq!(config.rate_limit.of(Endpoint::ListRooms).map(u32::from), Some(9));
    assert_eq!(config.compat.not_member_status.as_u16(), 403);
    assert_eq!(config.cors.origins.texts(), ["https://a.example", "https://b.example"]);
    assert_eq!(config.callback.keep_bytes, 2 << 30);
    let networks: Vec<_> = config.callback.allow_networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    assert_eq!(
        environment(&[("CHATROOM__CORS__ORIGINS", "")]).unwrap().cors.origins,
        Origins::Listed(vec![])
    );
}
