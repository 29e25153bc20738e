//! A server that stores nothing and checks nothing: what `cargo xtask bench` divides by. It parses the path of a
//! removal and answers with the bytes that a removal gets. Its one line of output is its address; it ends when
//! its input does, so it never outlives who started it.

use std::io;
use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, Request};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::IntoResponse;
use axum::routing::delete;
use axum::serve::ListenerExt as _;
use mimalloc::MiMalloc;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const APPLICATION: &str = "8be024f0-e978-41e8-b697-5d598d5f8402";

#[tokio::main]
async fn main() -> io::Result<()> {
    std::thread::spawn(|| {
        let _closed = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    say(&listener.local_addr()?.to_string());
    // A connection that cannot be set so is as fast as the system lets it be.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let app = Router::new().route("/{org}/{app}/chatrooms/{room}/users/{user}", delete(remove));
    axum::serve(listener, app).await
}

async fn remove(
    Path((org, app, room, user)): Path<(String, String, String, String)>,
    request: Request,
) -> impl IntoResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = request.uri().path();
    let body = format!(
        r#"{{"action":"delete","application":"{APPLICATION}","uri":"http://{host}{path}","entities":[],"data":{{"result":true,"action":"remove_member","user":"{user}","id":"{room}"}},"timestamp":{},"duration":0,"organization":"{org}","applicationName":"{app}"}}"#,
        now()
    );
    ([(CONTENT_TYPE, "application/json")], body)
}

#[expect(clippy::disallowed_methods, reason = "there is no core here that could be given the time")]
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[expect(clippy::print_stdout, reason = "the address is all that it ever says")]
fn say(text: &str) {
    println!("{text}");
}
