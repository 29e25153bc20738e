//! Declared apps and their secrets.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn declared_apps_have_a_secret_of_their_own_or_in_a_file() {
    let dir = Dir::with("");
    let secret = dir.write("secret", b"from-a-file\r\n", 0o600);
    let text = format!(
        "[[apps]]\norg = \"demo\"\napp = \"chat\"\nclient_id = \"id1\"\nclient_secret = \"inline\"\n\
         [[apps]]\norg = \"demo\"\napp = \"other\"\nclient_id = \"id2\"\nclient_secret_file = {:?}\n",
        secret.display().to_string()
    );
    dir.write("chatroom.toml", text.as_bytes(), 0o600);
    let loaded = dir.load().unwrap();
    let secrets: Vec<_> = loaded.config.apps.iter().map(|app| app.client_secret.expose_secret()).collect();
    assert_eq!(secrets, ["inline", "from-a-file"]);
    assert_eq!(loaded.config.apps[1].key.to_string(), "demo#other");
    assert!(loaded.warnings.is_empty());
    let shown = loaded.config.to_toml();
    assert!(
        shown.contains("client_secret = \"[redacted]\"") && shown.contains("client_secret_file = "),
        "{shown}"
    );
    assert!(!shown.contains("inline") && !shown.contains("from-a-file"), "{shown}");
    assert!(!format!("{:?}", loaded.config).contains("inline"));
}

#[test]
fn a_secret_file_that_others_can_read_is_warned_of() {
    let dir = Dir::with("");
    let secret = dir.write("secret", b"s", 0o644);
    let text = format!(
        "apps = [{{ org = \"o\", app = \"a\", client_id = \"i\", client_secret_file = {:?} }}]",
        secret.display().to_string()
    );
    dir.write("chatroom.toml", text.as_bytes(), 0o600);
    let warnings = dir.load().unwrap().warnings;
    assert_eq!(
        warnings,
        [format!("{} holds a client secret and can be read by others; `chmod 600` it", secret.display())]
    );
}

#[test]
fn a_declared_app_that_is_not_complete_names_its_line() {
    insta::assert_snapshot!(file_errors(
        r#"listen = "127.0.0.1:1"
[[apps]]
org = "demo"
[[apps]]
org = "demo"
app = "a/b"
client_id = 7
client_secret = "hush"
client_secret_file = "/hush"
[[apps]]
org = "demo"
app = "chat"
client_id = ""
client_secrt = "hush"
[[apps]]
org = "demo"
app = "chat"
client_id = "i"
client_secret_file = "/nowhere/secret"
[[apps]]
org = "demo"
app = "twice"
client_id = "i"
client_secret = "hush"
[[apps]]
org = "demo"
app = "twice"
client_id = "i"
client_secret = "hush"
"#
    ), @"
    chatroom.toml:2: an app needs `apps.app`
    chatroom.toml:2: an app needs `apps.client_id`
    chatroom.toml:2: an app needs `apps.client_secret` or `apps.client_secret_file`
    chatroom.toml:4: give `apps.client_secret` or `apps.client_secret_file`, not both
    chatroom.toml:4: `apps.org` and `apps.app` make no app key: neither may be longer than 128 bytes or hold `#`, `/` or a control character
    chatroom.toml:7: `apps.client_id` must be a string, not a whole number
    chatroom.toml:10: an app needs `apps.client_secret` or `apps.client_secret_file`
    chatroom.toml:13: `apps.client_id` must not be empty
    chatroom.toml:14: unknown key `apps.client_secrt`; did you mean `apps.client_secret`?
    chatroom.toml:19: `apps.client_secret_file`: /nowhere/secret cannot be read: No such file or directory (os error 2)
    chatroom.toml:25: the app `demo#twice` is declared twice
    ");
    insta::assert_snapshot!(file_errors("[apps]\norg = \"demo\""), @"
    chatroom.toml:1: `apps` must be an array of tables, each written `[[apps]]`, not a table
    ");
    insta::assert_snapshot!(file_errors("apps = [1]"), @"
    chatroom.toml:1: an app is a table, written `[[apps]]`, not a whole number
    ");
}
