//! What is said of a wrong configuration, word for word.

use std::os::unix::ffi::OsStringExt;

use super::*;

#[test]
fn an_unknown_key_in_the_file_names_its_line_and_the_nearest_key() {
    insta::assert_snapshot!(file_errors(
        "lisen = \"x\"\n\n[rate_limit]\nper_secnd = 5\n[rate_limit.overrides]\nkick_members = 1\n[storage]\npath = \"x\"\n[cros]\n[limits]\nhead.timeout = 1\n"
    ), @"
    chatroom.toml:1: unknown key `lisen`; did you mean `listen`?
    chatroom.toml:4: unknown key `rate_limit.per_secnd`; did you mean `rate_limit.per_second`?
    chatroom.toml:6: unknown key `rate_limit.overrides.kick_members`; did you mean `rate_limit.overrides.list_members`?
    chatroom.toml:8: unknown key `storage.path`; did you mean `store.path`?
    chatroom.toml:9: unknown key `cros`; did you mean `cors`?
    chatroom.toml:11: `limits.head` must be a size from `8KiB` to `1MiB`, with the unit `B`, `KiB`, `MiB`, `GiB` or `TiB`, not a table
    ");
    insta::assert_snapshot!(file_errors("\"limits.batch\" = 1\n\"a\\nb\" = 2"), @r#"
    chatroom.toml:1: unknown key `"limits.batch"`; did you mean `limits.batch`?
    chatroom.toml:2: unknown key `"a\nb"`; did you mean `apps`?
    "#);
}

#[test]
fn an_unknown_variable_names_the_nearest_one() {
    insta::assert_snapshot!(environment_errors(&[
        ("CHATROOM__RATE_LIMIT__PER_SECND", "5"),
        ("CHATROOM__Listen", "x"),
        ("CHATROOM__", ""),
        ("CHATROOM__RATE_LIMIT", "5"),
        ("CHATROOM__CLIENT_SECRT", "hush"),
        ("CHATROOM__APPS__0__CLIENT_SECRET", "hush"),
    ]), @"
    CHATROOM__: unknown key; did you mean `CHATROOM__LISTEN`?
    CHATROOM__APPS__0__CLIENT_SECRET: apps are declared in the file, as `[[apps]]`, not in the environment
    CHATROOM__CLIENT_SECRT: unknown key; did you mean `CHATROOM__LISTEN`?
    CHATROOM__Listen: unknown key; did you mean `CHATROOM__LISTEN`?
    CHATROOM__RATE_LIMIT: this is a section, not a key; a key of it is `CHATROOM__RATE_LIMIT__PER_SECOND`
    CHATROOM__RATE_LIMIT__PER_SECND: unknown key; did you mean `CHATROOM__RATE_LIMIT__PER_SECOND`?
    ");
}

#[test]
fn a_wrong_type_in_the_file_names_its_line_and_what_it_must_be() {
    insta::assert_snapshot!(file_errors(
        "listen = 8080\npublic_url = \"im.example.com\"\nshutdown_grace = 10\nstore = \"embedded\"\n[limits]\nbatch = \"60\"\nremove_batch = 0\nmax_users = -1\nhead = \"1KiB\"\nconnections = 1.5\n[limits.body]\n"
    ), @"
    chatroom.toml:1: `listen` must be an address or a list of them, each `127.0.0.1:8080`, `[::1]:8080` or `unix:PATH`, not a whole number
    chatroom.toml:2: `public_url` must be a URL such as `https://im.example.com`, without a query, not `im.example.com`
    chatroom.toml:3: `shutdown_grace` must be a duration from `0s` to `1h`, with the unit `ms`, `s`, `m`, `h` or `d`, not a whole number
    chatroom.toml:4: `store` must be a table, written `[store]`, not a string
    chatroom.toml:6: `limits.batch` must be a whole number from 1 to 1000, not a string
    chatroom.toml:7: `limits.remove_batch` must be a whole number from 1 to 1000, not `0`
    chatroom.toml:8: `limits.max_users` must be a whole number from 1 to 10000000, not `-1`
    chatroom.toml:9: `limits.head` must be a size from `8KiB` to `1MiB`, with the unit `B`, `KiB`, `MiB`, `GiB` or `TiB`, not `1KiB`
    chatroom.toml:10: `limits.connections` must be a whole number from 1 to 1000000, not a fraction
    chatroom.toml:11: `limits.body` must be a size from `1KiB` to `1GiB`, with the unit `B`, `KiB`, `MiB`, `GiB` or `TiB`, not a table
    ");
    insta::assert_snapshot!(file_errors(
        "store.kind = \"sqlite\"\nstore.sync = false\ncompat.not_member_status = 404\ncompat.blank_token = 1\ncors.origins = [\"*\", \"https://x\"]\nlog.level = \"a=b=c\"\nlog.format = \"xml\"\n[[store.path]]\n[callback]\ntimeout = \"30s\"\nallow_networks = [\"127.0.0.1\"]\n"
    ), @"
    chatroom.toml:1: `store.kind` must be `embedded`, `postgres` or `memory`, not `sqlite`
    chatroom.toml:2: `store.sync` must be `full` or `none`, not a boolean
    chatroom.toml:3: `compat.not_member_status` must be `400` or `403`, not `404`
    chatroom.toml:4: `compat.blank_token` must be `documented` or `recorded`, not a whole number
    chatroom.toml:5: `cors.origins` must be a list of origins such as `https://chat.example.com`, without a path, or of `*` alone, not `*`
    chatroom.toml:6: `log.level` must be a level (`error`, `warn`, `info`, `debug`, `trace`) or directives such as `info,chatroom_server=debug`, not `a=b=c`
    chatroom.toml:7: `log.format` must be `auto`, `pretty` or `json`, not `xml`
    chatroom.toml:8: `store.path` must be a path, not a list
    chatroom.toml:10: `callback.timeout` must be a duration from `1ms` to `20s`, with the unit `ms`, `s`, `m`, `h` or `d`, not `30s`
    chatroom.toml:11: `callback.allow_networks` must be a list of networks such as `127.0.0.0/8` or `fd00::/8`, not `127.0.0.1`
    ");
}

#[test]
fn a_wrong_value_in_the_environment_names_the_variable() {
    insta::assert_snapshot!(environment_errors(&[
        ("CHATROOM__LIMITS__BATCH", "sixty"),
        ("CHATROOM__RATE_LIMIT__PER_SECOND", ""),
        ("CHATROOM__STORE__MAX_MEMBERS", "0"),
        ("CHATROOM__LISTEN", "localhost:8080"),
        ("CHATROOM__CALLBACK__KEEP", "a week"),
        ("CHATROOM__LOG__LEVEL", "inof"),
    ]), @"
    CHATROOM__CALLBACK__KEEP: `callback.keep` must be a duration from `1ms` to `3650d`, with the unit `ms`, `s`, `m`, `h` or `d`, not `a week`
    CHATROOM__LIMITS__BATCH: `limits.batch` must be a whole number from 1 to 1000, not `sixty`
    CHATROOM__LISTEN: `listen` must be an address or a list of them, each `127.0.0.1:8080`, `[::1]:8080` or `unix:PATH`, not `localhost:8080`
    CHATROOM__LOG__LEVEL: `log.level` must be a level (`error`, `warn`, `info`, `debug`, `trace`) or directives such as `info,chatroom_server=debug`, not `inof`
    CHATROOM__RATE_LIMIT__PER_SECOND: `rate_limit.per_second` must be a whole number from 0 to 1000000, not an empty text
    CHATROOM__STORE__MAX_MEMBERS: `store.max_members` must be a whole number from 1 to 10000000000, not `0`
    ");
}

#[test]
fn a_variable_that_is_not_text_is_refused() {
    let value = OsString::from_vec(vec![0xff]);
    let errors = Config::load(None, [(OsString::from("CHATROOM__STORE__PATH"), value)], &Overlay::default());
    assert_eq!(errors.unwrap_err().to_string(), "CHATROOM__STORE__PATH: the value is not UTF-8");
}

#[test]
fn what_is_no_toml_names_the_line_and_keeps_secrets_to_itself() {
    let errors = file_errors(
        "listen = \"127.0.0.1:1\"\n[[apps]]\nclient_secret = hush-hush\nclient_secret = \"hush-hush\n",
    );
    assert!(!errors.contains("hush"), "{errors}");
    insta::assert_snapshot!(errors, @r#"
    chatroom.toml:3: string values must be quoted, expected literal string
    chatroom.toml:4: invalid basic string, expected `"`
    chatroom.toml:4: duplicate key
    "#);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let errors = Config::load(Some(Path::new("/nowhere/c.toml")), [], &Overlay::default()).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "/nowhere/c.toml: the file cannot be read: No such file or directory (os error 2)"
    );
}
