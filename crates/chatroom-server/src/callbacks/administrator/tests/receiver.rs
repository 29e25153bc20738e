//! A receiver on loopback that answers as it is told and remembers what came.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;

type Arrived = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

pub(super) struct Receiver {
    pub(super) url: String,
    arrived: Arrived,
    serving: tokio::task::JoinHandle<()>,
}

impl Receiver {
    pub(super) async fn answering(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> Self {
        let arrived = Arrived::default();
        let kept = arrived.clone();
        let take = move |head: HeaderMap, bytes: Bytes| async move {
            kept.lock().unwrap().push((head, bytes));
            let headers = headers.iter().map(|(name, value)| {
                (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
            });
            (StatusCode::from_u16(status).unwrap(), headers.collect::<HeaderMap>(), body).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            axum::serve(listener, Router::new().fallback(post(take))).await.unwrap();
        });
        Self { url, arrived, serving }
    }

    pub(super) fn arrived(&self) -> Vec<(HeaderMap, Bytes)> {
        self.arrived.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
