//! A server that takes callbacks, checks both signatures and prints what it gets.
//!
//! ```sh
//! cargo run --release -p chatroom-callback --example receiver -- --secret SECRET [--listen 127.0.0.1:9080]
//! ```
//!
//! The secret can come in the environment variable `CALLBACK_SECRET` instead. While it rotates, give both, separated
//! by a comma.

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use chatroom_client::callbacks::{Callback, Delivery, DeliveryRejection, Event, Receiver, Verifier};

#[derive(Clone)]
struct Known {
    verifier: Verifier,
    /// The ids that were seen: an event may arrive more than once, always with the same id.
    seen: Arc<Mutex<HashSet<String>>>,
}

impl FromRef<Known> for Verifier {
    fn from_ref(known: &Known) -> Self {
        known.verifier.clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (secrets, listen) = arguments()?;
    let mut secrets = secrets.split(',');
    let mut receiver = Receiver::new(secrets.next().unwrap_or_default())?;
    for secret in secrets {
        receiver = receiver.or(secret)?;
    }
    let known = Known { verifier: Verifier::new(receiver), seen: Arc::default() };
    let listener = tokio::net::TcpListener::bind(&listen).await?;
    print(&format!("waiting for callbacks on http://{}/", listener.local_addr()?));
    let app = Router::new().fallback(post(take)).with_state(known);
    axum::serve(listener, app).with_graceful_shutdown(stopped()).await?;
    Ok(())
}

/// Answers 200 only once the event is safe with us: what is answered otherwise comes again.
async fn take(
    State(known): State<Known>,
    delivery: Result<Delivery, DeliveryRejection>,
) -> Result<(), DeliveryRejection> {
    let Delivery(callback) = delivery.inspect_err(|refused| print(&format!("refused: {refused}")))?;
    let mut seen = known.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let again = if seen.insert(callback.event_id().to_owned()) { "" } else { " (again)" };
    print(&format!("{}{again}", line(&callback)));
    Ok(())
}

fn line(callback: &Callback) -> String {
    let what = match &callback.event {
        Event::Left { members, why } => format!("{} left: {why:?}", members.join(", ")),
        Event::Joined { members, .. } => format!("{} joined", members.join(", ")),
        Event::Created { roles, .. } => format!("was created: {roles:?}"),
        Event::Dissolved => "was dissolved".to_owned(),
        other => format!("{other:?}"),
    };
    let count = callback.member_count.map(|count| format!(", {count} members now")).unwrap_or_default();
    let (app, room, id) = (&callback.app_key, &callback.room, callback.event_id());
    format!("{app} room {room}: {what}{count} [{id}, both signatures good]")
}

fn arguments() -> Result<(String, String), Box<dyn Error>> {
    let mut secret = std::env::var("CALLBACK_SECRET").ok();
    let mut listen = "127.0.0.1:9080".to_owned();
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--secret" => secret = Some(value),
            "--listen" => listen = value,
            _ => return Err(format!("unknown flag {flag}: use --secret and --listen").into()),
        }
    }
    Ok((secret.ok_or("give --secret SECRET or CALLBACK_SECRET")?, listen))
}

async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[expect(clippy::print_stdout, reason = "what it gets is what it is for")]
fn print(line: &str) {
    println!("{line}");
}
