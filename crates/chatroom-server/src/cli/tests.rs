mod callback;

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatroom_core::test_util::HandFacts;
use chatroom_core::{ExportId, Import, MockPicture};
use clap::Parser;
use tokio_util::sync::CancellationToken;

use super::run::dispatch;
use super::{Backend, Cli, Serve, Terminal};
use crate::admin::{Admin, AdminError, AdminReply, AdminRequest, AppView, Shown};
use crate::config::{Config, StoreKind};
use crate::control::ControlSocket;
use crate::transfer::Export;

/// What was written, and how it ended.
#[derive(Debug)]
struct Said {
    code: u8,
    out: String,
    err: String,
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A pipe whose reader is gone.
struct Closed;

impl io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says where it runs, and answers every request with something fitting.
struct FakeAdmin {
    place: &'static str,
}

fn view(app: chatroom_core::AppKey) -> AppView {
    AppView {
        app,
        application: "8be024f0-e978-11e8-b697-5d598d5f8402".to_owned(),
        client_id: "YXA6demo".to_owned(),
        declared: false,
        enabled: true,
    }
}

#[async_trait]
impl Admin for FakeAdmin {
    async fn run(&self, request: AdminRequest) -> Result<AdminReply, AdminError> {
        let secret = || Shown::new(format!("secret-of-the-{}", self.place).into());
        Ok(match request {
            AdminRequest::AppCreate { app } => {
                AdminReply::Created { app: view(app), client_secret: secret() }
            }
            AdminRequest::AppList => {
                let declared =
                    AppView { declared: true, enabled: false, ..view("acme/support-desk".parse().unwrap()) };
                AdminReply::Apps(vec![declared, view("demo/chat".parse().unwrap())])
            }
            AdminRequest::AppShow { app } => return Err(AdminError::NoSuchApp { app }),
            AdminRequest::AppRotateSecret { app } => {
                AdminReply::SecretRotated { app: view(app), client_secret: secret() }
            }
            AdminRequest::AppDelete { app } => AdminReply::Deleted { app },
            AdminRequest::TokenIssue { ttl_seconds, .. } => {
                AdminReply::Token { token: secret(), expires_in_seconds: ttl_seconds.filter(|ttl| *ttl > 0) }
            }
            AdminRequest::Callback { app, ask } => AdminReply::Callback(callback::answer(&app, ask)?),
        })
    }

    async fn close(&self) {}
}

/// Remembers what was served, and opens a fake store.
#[derive(Default)]
struct FakeBackend {
    served: Mutex<Option<(Config, bool)>>,
}

#[async_trait]
impl Backend for FakeBackend {
    async fn serve(&self, serve: Serve, _: &mut Terminal) -> anyhow::Result<()> {
        *self.served.lock().unwrap() = Some((serve.config, serve.public_demo));
        Err(anyhow::anyhow!("the disk is gone").context("the server had to end"))
    }

    async fn open_admin(&self, _: &Config) -> Result<Box<dyn Admin>, AdminError> {
        Ok(Box::new(FakeAdmin { place: "store" }))
    }

    async fn open_export(&self, _: &Config) -> anyhow::Result<Export> {
        let mut picture = MockPicture::new();
        picture.expect_next().returning(|| Ok(Vec::new()));
        Ok(Export { id: ExportId(1), at: HandFacts::NOW, picture: Box::new(picture) })
    }

    async fn migrate(&self, _: &Config) -> anyhow::Result<(i32, i32)> {
        Ok((0, 1))
    }

    async fn open_import(&self, _: &Config) -> anyhow::Result<Box<dyn Import>> {
        Err(anyhow::anyhow!("there is nothing to import into"))
    }
}

async fn run_in(
    backend: &FakeBackend,
    interactive: bool,
    environment: &[(&str, &str)],
    line: &[&str],
) -> Said {
    let (out, err) = (Captured::default(), Captured::default());
    let mut terminal = Terminal::new(Box::new(out.clone()), Box::new(err.clone()), interactive);
    let cli = Cli::try_parse_from(std::iter::once(&"chatroom-server").chain(line)).unwrap();
    let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let code = dispatch(cli, environment.collect(), backend, &mut terminal).await;
    Said { code, out: out.text(), err: err.text() }
}

async fn run(line: &[&str]) -> Said {
    run_in(&FakeBackend::default(), true, &[], line).await
}

fn refused(line: &[&str]) -> String {
    Cli::try_parse_from(std::iter::once(&"chatroom-server").chain(line)).unwrap_err().to_string()
}

fn in_dir<'a>(dir: &'a Path, line: &[&'a str]) -> Vec<&'a str> {
    line.iter().copied().chain(["--data-dir", dir.to_str().unwrap()]).collect()
}

#[tokio::test]
async fn without_a_running_server_a_command_opens_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(&in_dir(dir.path(), &["app", "create", "demo/chat"])).await;
    assert_eq!(said.code, 0);
    insta::assert_snapshot!(said.out, @"
    created the app demo#chat
    application    8be024f0-e978-11e8-b697-5d598d5f8402
    client id      YXA6demo
    client secret  secret-of-the-store
    state          enabled
    ");
    insta::assert_snapshot!(said.err, @"
    the secret is not kept and cannot be shown again; `chatroom-server app rotate-secret demo/chat` makes a new one
    ");
}

#[tokio::test]
async fn with_a_running_server_a_command_goes_through_its_socket() {
    let dir = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let socket = ControlSocket::bind(dir.path()).unwrap();
    let server = tokio::spawn(socket.serve(Arc::new(FakeAdmin { place: "server" }), stop.clone()));
    let said = run(&in_dir(dir.path(), &["app", "rotate-secret", "demo#chat"])).await;
    stop.cancel();
    server.await.unwrap();
    assert_eq!(said.code, 0, "{said:?}");
    insta::assert_snapshot!(said.out, @"
    replaced the client secret of demo#chat
    application    8be024f0-e978-11e8-b697-5d598d5f8402
    client id      YXA6demo
    client secret  secret-of-the-server
    state          enabled
    ");
}

#[tokio::test]
async fn apps_are_listed_as_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(&in_dir(dir.path(), &["app", "list"])).await;
    insta::assert_snapshot!(said.out, @"
    APP                APPLICATION                           CLIENT ID  STATE
    acme#support-desk  8be024f0-e978-11e8-b697-5d598d5f8402  YXA6demo   disabled, no longer declared in the configuration
    demo#chat          8be024f0-e978-11e8-b697-5d598d5f8402  YXA6demo   enabled
    ");
}

#[tokio::test]
async fn a_refusal_goes_to_standard_error_and_the_status_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let said = run(&in_dir(dir.path(), &["app", "show", "demo/none"])).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert_eq!(said.err, "error: there is no app `demo#none`\n");
}

#[tokio::test]
async fn a_token_stands_alone_on_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let line = in_dir(dir.path(), &["token", "issue", "demo/chat", "--ttl", "12h"]);
    let said = run(&line).await;
    assert_eq!((said.out.as_str(), said.err.as_str()), ("secret-of-the-store\n", "valid for 12h\n"));
    let piped = run_in(&FakeBackend::default(), false, &[], &line).await;
    assert_eq!((piped.out.as_str(), piped.err.as_str()), ("secret-of-the-store\n", ""));
}

#[tokio::test]
async fn a_secret_that_could_not_be_written_is_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let err = Captured::default();
    let mut terminal = Terminal::new(Box::new(Closed), Box::new(err.clone()), false);
    let line = in_dir(dir.path(), &["app", "create", "demo/chat"]);
    let cli = Cli::try_parse_from(std::iter::once("chatroom-server").chain(line)).unwrap();
    assert_eq!(dispatch(cli, Vec::new(), &FakeBackend::default(), &mut terminal).await, 1);
    assert_eq!(err.text(), "error: the output could not be written: broken pipe\n");
}

#[tokio::test]
async fn with_the_memory_store_a_command_says_that_there_is_nothing_to_work_on() {
    let environment = [("CHATROOM__STORE__KIND", "memory")];
    let said = run_in(&FakeBackend::default(), true, &environment, &["app", "list"]).await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @"
    error: the memory store keeps nothing that a command could work on: declare apps in the configuration with `[[apps]]`, or give `--data-dir`
    ");
}

#[tokio::test]
async fn a_wrong_configuration_ends_every_command_with_two() {
    for line in [&["app", "list"][..], &["token", "issue", "demo/chat"], &["check-config"], &["serve"], &[]] {
        let said = run_in(&FakeBackend::default(), true, &[("CHATROOM__LISTN", "x")], line).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{line:?}");
        assert_eq!(said.err, "CHATROOM__LISTN: unknown key; did you mean `CHATROOM__LISTEN`?\n");
    }
}

#[tokio::test]
async fn serving_is_what_happens_without_a_subcommand() {
    let backend = FakeBackend::default();
    let line = ["--listen", "127.0.0.1:1", "--listen", "[::1]:2", "--ephemeral", "--public-demo"];
    let said = run_in(&backend, true, &[], &line).await;
    // Logs are set up once in a process; no other test gets this far.
    assert_eq!((said.code, said.err.as_str()), (1, "error: the server had to end: the disk is gone\n"));
    let (config, public_demo) = backend.served.lock().unwrap().take().unwrap();
    assert_eq!(config.listen.len(), 2);
    assert_eq!((config.store.kind, public_demo), (StoreKind::Memory, true));
}

#[tokio::test]
async fn the_checked_configuration_is_printed_as_toml() {
    let said = run(&["check-config", "--listen", "127.0.0.1:9"]).await;
    assert_eq!((said.code, said.err.as_str()), (0, "ok\n"));
    assert!(said.out.starts_with("listen = \"127.0.0.1:9\"\n"), "{}", said.out);
}

#[tokio::test]
async fn the_version_is_printed() {
    assert_eq!(run(&["version"]).await.out, format!("chatroom-server {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn flags_before_and_after_the_subcommand_of_app_and_token_are_taken() {
    for line in [
        &["app", "--data-dir", "d", "list"][..],
        &["app", "list", "--data-dir", "d", "--config", "f"],
        &["token", "--config", "f", "issue", "demo/chat", "--ttl", "0s"],
        &["serve", "--config", "f", "--data-dir", "d"],
        &["--config", "f"],
    ] {
        assert!(Cli::try_parse_from(std::iter::once(&"chatroom-server").chain(line)).is_ok(), "{line:?}");
    }
}

#[test]
fn an_unknown_flag_names_the_nearest_one() {
    insta::assert_snapshot!(refused(&["--listne", "127.0.0.1:1"]), @"
    error: unexpected argument '--listne' found

      tip: a similar argument exists: '--listen'

    Usage: chatroom-server --listen <ADDRESS>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(&["app", "rotate", "demo/chat"]), @"
    error: unrecognized subcommand 'rotate'

      tip: a similar subcommand exists: 'rotate-secret'

    Usage: chatroom-server app [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn a_wrong_value_of_a_flag_says_what_is_right() {
    insta::assert_snapshot!(refused(&["--listen", "8080"]), @"
    error: invalid value '8080' for '--listen <ADDRESS>': an address is written `127.0.0.1:8080`, `[::1]:8080` or `unix:PATH`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(&["app", "show", "demo"]), @"
    error: invalid value 'demo' for '<ORG/APP>': `demo` is not an app key: write `org#app` or `org/app`, both parts non-empty, at most 128 bytes each

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(&["token", "issue", "demo/chat", "--ttl", "1500ms"]), @"
    error: invalid value '1500ms' for '--ttl <DURATION>': write whole seconds

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(&["--ephemeral", "--data-dir", "d"]), @"
    error: the argument '--ephemeral' cannot be used with '--data-dir <DIR>'

    Usage: chatroom-server --ephemeral

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(refused(&["--listen", "127.0.0.1:1", "app", "list"]), @"
    error: the subcommand 'app' cannot be used with '--listen <ADDRESS>'

    Usage: chatroom-server [OPTIONS]
           chatroom-server <COMMAND>

    For more information, try '--help'.
    ");
}

#[tokio::test]
async fn an_export_goes_to_a_file_or_through_a_pipe_and_not_to_a_terminal_unasked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup.ndjson");
    let to_file = run(&["export", "--to", file.to_str().unwrap()]).await;
    assert_eq!((to_file.code, to_file.out.as_str()), (0, ""));
    insta::assert_snapshot!(to_file.err.lines().take(3).collect::<Vec<_>>().join("\n"), @"
    exported 0 records
    KIND         RECORDS  HASH
    app          0        0000000000000000000000000000000000000000000000000000000000000000
    ");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with(r#"{"kind":"chatroom_export","format":1,"#), "{written}");

    let piped = run_in(&FakeBackend::default(), false, &[], &["export"]).await;
    assert_eq!((piped.code, piped.out), (0, written.clone()));
    let asked = run(&["export", "--to", "-"]).await;
    assert_eq!((asked.code, asked.out), (0, written));
    let unasked = run(&["export"]).await;
    assert_eq!((unasked.code, unasked.out.as_str()), (1, ""));
    insta::assert_snapshot!(unasked.err, @"error: an export holds secrets and is long: give a file with `--to FILE`, or send it on through a pipe");
}

#[tokio::test]
async fn what_cannot_be_written_or_read_is_named() {
    let nowhere = run(&["export", "--to", "/nowhere/backup.ndjson"]).await;
    assert_eq!(nowhere.code, 1);
    insta::assert_snapshot!(nowhere.err, @"error: /nowhere/backup.ndjson cannot be written: No such file or directory (os error 2)");
    let missing = run(&["import", "/nowhere/backup.ndjson"]).await;
    assert_eq!(missing.code, 1);
    insta::assert_snapshot!(missing.err, @"error: /nowhere/backup.ndjson cannot be opened: No such file or directory (os error 2)");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("other");
    std::fs::write(&file, "{}\n").unwrap();
    let other = run(&["import", file.to_str().unwrap()]).await;
    assert_eq!(other.code, 1);
    insta::assert_snapshot!(other.err.replace(dir.path().to_str().unwrap(), "DIR"), @"error: DIR/other: it is no export of chatroom-server: its first line does not say so");
}
