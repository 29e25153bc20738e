use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::admin::{Admin, AdminError, AdminReply, AdminRequest, CallbackRequest, Shown};

/// Answers tokens with their ttl, and everything else with an error; `AppList` waits to be let go.
#[derive(Default)]
struct FakeAdmin {
    reached: Notify,
    go: Notify,
}

#[async_trait]
impl Admin for FakeAdmin {
    async fn run(&self, request: AdminRequest) -> Result<AdminReply, AdminError> {
        match request {
            AdminRequest::TokenIssue { app, ttl_seconds } => Ok(AdminReply::Token {
                token: Shown::new(format!("token of {app}").into()),
                expires_in_seconds: ttl_seconds,
            }),
            AdminRequest::AppShow { app } => Err(AdminError::NoSuchApp { app }),
            _ => {
                self.reached.notify_one();
                self.go.notified().await;
                Ok(AdminReply::Apps(Vec::new()))
            }
        }
    }

    async fn close(&self) {}
}

struct Running {
    admin: Arc<FakeAdmin>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn start(data_dir: &Path) -> Running {
    let socket = ControlSocket::bind(data_dir).unwrap();
    let (admin, stop) = (Arc::new(FakeAdmin::default()), CancellationToken::new());
    let task = tokio::spawn(socket.serve(Arc::clone(&admin) as Arc<dyn Admin>, stop.clone()));
    Running { admin, stop, task }
}

impl Running {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn token() -> AdminRequest {
    AdminRequest::TokenIssue { app: "demo/chat".parse().unwrap(), ttl_seconds: Some(60) }
}

async fn raw(data_dir: &Path, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(data_dir.join("control.sock")).await.unwrap();
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request).await;
    let mut reply = String::new();
    let _ = stream.read_to_string(&mut reply).await;
    reply
}

#[tokio::test]
async fn a_request_is_answered_over_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let client = ControlClient::connect(dir.path()).await.unwrap().expect("a server runs");
    let AdminReply::Token { token, expires_in_seconds } = client.run(token()).await.unwrap() else {
        panic!("another reply");
    };
    assert_eq!((token.expose(), expires_in_seconds), ("token of demo#chat", Some(60)));
    server.end().await;
}

#[tokio::test]
async fn a_server_that_hangs_up_leaves_open_what_was_done_and_the_command_to_look_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let socket = tokio::net::UnixListener::bind(dir.path().join("control.sock")).unwrap();
    let hanging_up = tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            drop(stream);
        }
    });
    let client = ControlClient::connect(dir.path()).await.unwrap().unwrap();
    let app = || "demo/chat".parse().unwrap();
    let callback = AdminRequest::Callback { app: app(), ask: CallbackRequest::List };
    for (request, look) in [
        (AdminRequest::AppDelete { app: app() }, "`chatroom-server app list`"),
        (callback, "`chatroom-server callback status --app demo/chat`"),
    ] {
        let error = client.run(request).await.unwrap_err().to_string();
        assert!(error.starts_with("the running server did not answer (") && error.contains(look), "{error}");
    }
    hanging_up.abort();
}

#[tokio::test]
async fn a_refusal_crosses_the_socket_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let client = ControlClient::connect(dir.path()).await.unwrap().unwrap();
    let app: chatroom_core::AppKey = "demo/chat".parse().unwrap();
    let refusal = client.run(AdminRequest::AppShow { app: app.clone() }).await.unwrap_err();
    assert_eq!(refusal, AdminError::NoSuchApp { app });
    server.end().await;
}

#[tokio::test]
async fn only_the_owner_may_use_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let mode = std::fs::metadata(dir.path().join("control.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    server.end().await;
}

#[tokio::test]
async fn without_a_server_nobody_answers() {
    let dir = tempfile::tempdir().unwrap();
    assert!(ControlClient::connect(dir.path()).await.unwrap().is_none());
    assert!(ControlClient::connect(&dir.path().join("absent")).await.unwrap().is_none());
}

#[tokio::test]
async fn the_socket_of_a_killed_server_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    // A standard listener leaves its file when it is dropped, as a killed process does.
    drop(std::os::unix::net::UnixListener::bind(dir.path().join("control.sock")).unwrap());
    assert!(ControlClient::connect(dir.path()).await.unwrap().is_none());
    let server = start(dir.path());
    assert!(ControlClient::connect(dir.path()).await.unwrap().is_some());
    server.end().await;
}

#[tokio::test]
async fn the_socket_of_a_running_server_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let error = ControlSocket::bind(dir.path()).err().expect("refused");
    assert_eq!(error.to_string(), "another server answers on control.sock");
    assert!(ControlClient::connect(dir.path()).await.unwrap().is_some());
    server.end().await;
}

#[tokio::test]
async fn a_file_in_the_place_of_the_socket_is_not_removed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("control.sock"), "mine").unwrap();
    assert!(ControlSocket::bind(dir.path()).is_err());
    assert_eq!(std::fs::read_to_string(dir.path().join("control.sock")).unwrap(), "mine");
}

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_removes_the_socket() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let client = ControlClient::connect(dir.path()).await.unwrap().unwrap();
    let begun = tokio::spawn(async move { client.run(AdminRequest::AppList).await });
    server.admin.reached.notified().await;
    server.stop.cancel();
    server.admin.go.notify_one();
    assert!(matches!(begun.await.unwrap(), Ok(AdminReply::Apps(_))));
    server.task.await.unwrap();
    assert!(!dir.path().join("control.sock").exists());
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let reply = raw(dir.path(), &vec![b'x'; LONGEST_REQUEST + 1]).await;
    assert_eq!(reply, "{\"Err\":{\"failed\":\"the line is too long\"}}\n");
    server.end().await;
}

#[tokio::test]
async fn a_request_of_another_version_is_answered_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let reply = raw(dir.path(), b"{\"app_paint\":{}}\n").await;
    assert!(reply.contains("does not understand this command"), "{reply}");
    server.end().await;
}

#[tokio::test]
async fn a_caller_that_hangs_up_or_says_nothing_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(dir.path());
    let silent = UnixStream::connect(dir.path().join("control.sock")).await.unwrap();
    drop(UnixStream::connect(dir.path().join("control.sock")).await.unwrap());
    let client = ControlClient::connect(dir.path()).await.unwrap().unwrap();
    assert!(client.run(token()).await.is_ok());
    server.end().await;
    drop(silent);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_data_directory_with_a_long_path_has_a_socket_too() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let server = start(&deep);
    let client = ControlClient::connect(&deep).await.unwrap().unwrap();
    assert!(client.run(token()).await.is_ok());
    server.end().await;
    assert!(!deep.join("control.sock").exists());
}
