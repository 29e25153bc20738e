//! A receiver of callbacks, on a thread: tells what arrives and answers as it is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::{Receiver as Arrivals, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long an event may take to arrive on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends when it is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    arrived: Arrivals<serde_json::Value>,
}

struct Shared {
    status: AtomicU16,
    ended: AtomicBool,
}

impl Receiver {
    /// Answers 200 until it is told otherwise.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { status: AtomicU16::new(200), ended: AtomicBool::new(false) });
        let (sender, arrived) = channel();
        let serving = shared.clone();
        std::thread::spawn(move || {
            let sender = Arc::new(Mutex::new(sender));
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                let (serving, sender) = (serving.clone(), sender.clone());
                std::thread::spawn(move || serve(stream, &serving, &sender));
            }
        });
        Self { address, shared, arrived }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers this from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// The body of the next delivery, whatever was answered to it.
    pub(crate) fn next(&self) -> serde_json::Value {
        self.arrived.recv_timeout(PATIENCE).expect("a delivery arrives")
    }

    /// The ids of the next deliveries, in the order in which they arrived.
    pub(crate) fn next_ids(&self, deliveries: usize) -> Vec<String> {
        (0..deliveries).map(|_| self.next()["callId"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

/// Answers one request and closes.
fn serve(mut stream: TcpStream, shared: &Shared, sender: &Mutex<Sender<serde_json::Value>>) {
    let mut read = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let Ok(some @ 1..) = stream.read(&mut buffer) else { return };
        read.extend_from_slice(&buffer[..some]);
        let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8(read[..head].to_vec()).unwrap();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let body = &read[head + 4..];
        if body.len() < length.unwrap().parse().unwrap() {
            continue;
        }
        let status = shared.status.load(Ordering::SeqCst);
        let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 4\r\nconnection: close\r\n\r\nseen");
        // Told first: who waits for it may end the test, and the answer is in the system's hands by then or nobody's.
        let told = sender.lock().unwrap().send(serde_json::from_slice(body).unwrap());
        drop((told, stream.write_all(answer.as_bytes())));
        return;
    }
}
