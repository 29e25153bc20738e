//! Declared callbacks.

use secrecy::ExposeSecret;

use super::*;

const APP: &str = "[[apps]]\norg = \"demo\"\napp = \"chat\"\nclient_id = \"i\"\nclient_secret = \"hush\"\n";

fn errors(callbacks: &str) -> String {
    file_errors(&format!("{APP}{callbacks}"))
}

#[test]
fn a_declared_app_has_callbacks_with_secrets_of_any_length() {
    let dir = Dir::with("");
    let secret = dir.write("hook", b"x\n", 0o600);
    let text = format!(
        "{APP}[[apps.callbacks]]\nname = \"all\"\nurl = \"https://chat.example.com/hook\"\nsecret_file = {:?}\n\
         [[apps.callbacks]]\nname = \"some\"\nurl = \"http://10.1.2.3:9000\"\nsecret = \"{}\"\nenabled = false\n\
         events = [\"LEAVE\", \"join/direct\"]\nrooms = [\"254636824002561\"]\n\
         [callback]\nallow_networks = [\"10.0.0.0/8\"]\n",
        secret.display().to_string(),
        "long".repeat(100),
    );
    dir.write("chatroom.toml", text.as_bytes(), 0o600);
    let config = dir.load().unwrap().config;
    let callbacks = &config.apps[0].callbacks;
    assert_eq!(callbacks[0].secret.expose_secret(), "x");
    assert_eq!(callbacks[1].secret.expose_secret().len(), 400);
    assert!(!format!("{config:?}").contains("longlong"));
    let shown = config.to_toml().replace(&secret.display().to_string(), "/hook");
    let (_, shown) = shown.split_once("[[apps]]").unwrap();
    insta::assert_snapshot!(shown, @r#"
    org = "demo"
    app = "chat"
    client_id = "i"
    client_secret = "[redacted]"

    [[apps.callbacks]]
    name = "all"
    url = "https://chat.example.com/hook"
    secret_file = "/hook"
    enabled = true

    [[apps.callbacks]]
    name = "some"
    url = "http://10.1.2.3:9000"
    secret = "[redacted]"
    enabled = false
    events = ["JOIN/DIRECT", "LEAVE/KICK", "LEAVE/QUIT", "LEAVE/DELETE"]
    rooms = ["254636824002561"]
    "#);
}

#[test]
fn what_is_shown_of_callbacks_reads_back_the_same() {
    let text = format!(
        "{APP}[[apps.callbacks]]\nname = \"a\"\nurl = \"https://x.example\"\nsecret = \"s\"\nevents = [\"LEAVE\"]\n"
    );
    let shown = file(&text).to_toml();
    assert_eq!(file(&shown).to_toml(), shown);
}

#[test]
fn a_declared_callback_that_is_wrong_names_its_line_and_key() {
    insta::assert_snapshot!(errors(
        r#"[[apps.callbacks]]
[[apps.callbacks]]
name = "with-dash"
url = "ftp://example.com"
secret = ""
enabled = "yes"
events = ["LEAVE", "KICK"]
rooms = ["1"]
[[apps.callbacks]]
name = "a"
url = "http://user:hush@example.com"
secret = "hush"
secret_file = "/hush"
events = "LEAVE"
rooms = []
[[apps.callbacks]]
name = "b"
url = 7
secret = "whsec_hush!"
secrets = "hush"
events = [7]
[[apps.callbacks]]
name = "c"
url = "https://example.com"
secret_file = "/nowhere/secret"
"#
    ), @"
    chatroom.toml:6: a callback needs `apps.callbacks.name`
    chatroom.toml:6: a callback needs `apps.callbacks.url`
    chatroom.toml:6: a callback needs `apps.callbacks.secret` or `apps.callbacks.secret_file`
    chatroom.toml:8: `apps.callbacks.name`: use 1 to 32 letters, digits and underscores
    chatroom.toml:9: `apps.callbacks.url`: the URL must begin with http:// or https://
    chatroom.toml:10: `apps.callbacks.secret` must not be empty
    chatroom.toml:11: `apps.callbacks.enabled` must be `true` or `false`, not a string
    chatroom.toml:12: `apps.callbacks.events`: `KICK` is no kind of event: use CREATE, JOIN, LEAVE, DELETE, or one of JOIN/DIRECT, LEAVE/KICK, LEAVE/QUIT, LEAVE/DELETE
    chatroom.toml:13: `apps.callbacks.rooms`: an id of a room is a decimal number of 15 digits
    chatroom.toml:14: give `apps.callbacks.secret` or `apps.callbacks.secret_file`, not both
    chatroom.toml:16: `apps.callbacks.url`: the URL must not hold a user or a password
    chatroom.toml:19: `apps.callbacks.events` must be a list of kinds such as `LEAVE/KICK` or `JOIN`, not a string
    chatroom.toml:20: `apps.callbacks.rooms`: the list is empty: leave it out to mean all
    chatroom.toml:23: `apps.callbacks.url` must be a URL that begins with `http://` or `https://`, not a whole number
    chatroom.toml:24: `apps.callbacks.secret`: a secret that begins with `whsec_` must go on with base64
    chatroom.toml:25: unknown key `apps.callbacks.secrets`; did you mean `apps.callbacks.secret`?
    chatroom.toml:26: `apps.callbacks.events` must be a list of kinds such as `LEAVE/KICK` or `JOIN`, not a list with a whole number
    chatroom.toml:30: `apps.callbacks.secret_file`: /nowhere/secret cannot be read: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(errors("[apps.callbacks]\nname = \"a\""), @"chatroom.toml:6: `apps.callbacks` must be an array of tables, each written `[[apps.callbacks]]`, not a table");
    insta::assert_snapshot!(errors("callbacks = [1]"), @"chatroom.toml:6: a callback is a table, written `[[apps.callbacks]]`, not a whole number");
}

#[test]
fn callbacks_are_judged_by_the_whole_configuration() {
    let callback = |name: &str, url: &str| {
        format!("[[apps.callbacks]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret = \"s\"\n")
    };
    let (a, b) = (callback("a", "http://127.0.0.1:1/"), callback("b", "https://b.example"));
    insta::assert_snapshot!(errors(&format!("{a}{b}{b}[callback]\nmax_rules = 2\n")), @"
    chatroom.toml:14: the callback `b` is declared twice
    chatroom.toml:6: `apps.callbacks.url`: 127.0.0.1 is a loopback address, which `callback.allow_networks` does not allow
    chatroom.toml:14: the app `demo#chat` has 3 callbacks, and `callback.max_rules` is 2
    ");
    let dir = Dir::with(&format!("{APP}{a}"));
    let path = dir.0.path().join("chatroom.toml");
    let allowed = [(OsString::from("CHATROOM__CALLBACK__ALLOW_NETWORKS"), OsString::from("127.0.0.0/8"))];
    assert!(Config::load(Some(&path), allowed, &Overlay::default()).is_ok());
}
