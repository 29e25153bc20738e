//! A loop that posts and does nothing else: what `cargo xtask bench callbacks` divides by. It takes a URL, a number of
//! connections, and a file with a body on each line; its one line of output is how long it took, in microseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use mimalloc::MiMalloc;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let [url, connections, file] =
        std::env::args().skip(1).collect::<Vec<_>>().try_into().ok().context("URL CONNECTIONS FILE")?;
    let connections = connections.parse()?;
    let bodies: Arc<[Bytes]> =
        std::fs::read_to_string(file)?.lines().map(|line| line.to_owned().into()).collect();
    let client = client(connections)?;
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut posting = JoinSet::new();
    for _ in 0..connections {
        posting.spawn(post(client.clone(), url.clone(), bodies.clone(), next.clone()));
    }
    while let Some(posted) = posting.join_next().await {
        posted??;
    }
    say(&began.elapsed().as_micros().to_string());
    Ok(())
}

async fn post(client: Client, url: String, bodies: Arc<[Bytes]>, next: Arc<AtomicUsize>) -> Result<()> {
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = client.post(&url).header(CONTENT_TYPE, "application/json").body(body.clone());
        let status = request.send().await?.status();
        ensure!(status.is_success(), "{status}");
    }
    Ok(())
}

/// As the server's own client is made, which is given its TLS by hand too.
fn client(connections: usize) -> Result<Client> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let client = Client::builder().tls_backend_preconfigured(tls).http1_only().no_proxy();
    Ok(client.pool_max_idle_per_host(connections).build()?)
}

#[expect(clippy::print_stdout, reason = "the time is all that it ever says")]
fn say(text: &str) {
    println!("{text}");
}
