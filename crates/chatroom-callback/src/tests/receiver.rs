//! A server that takes deliveries and, if it is told to, misbehaves.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chatroom_protocol::callbacks::webhook::Headers;
use chatroom_protocol::callbacks::{self, Callback};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What is done with a delivery that was read.
#[derive(Debug, Clone)]
pub(super) enum Manner {
    /// Answers this.
    Says(String),
    /// Takes its time first.
    Late(Duration, String),
    /// Closes without having read, so that the other side sees a reset.
    Resets,
    /// Reads and closes.
    Hangs,
    /// Never answers.
    Silent,
    /// Answers 200 with a body that does not end.
    Endless,
    /// Says something that is not HTTP.
    Babbles,
}

pub(super) fn says(status: &str, headers: &str) -> Manner {
    Manner::Says(format!("HTTP/1.1 {status}\r\n{headers}content-length: 2\r\n\r\nok"))
}

pub(super) fn ok() -> Manner {
    says("200 OK", "")
}

/// One delivery as it arrived.
#[derive(Debug, Clone)]
pub(super) struct Arrived {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    pub(super) taken: bool,
}

impl Arrived {
    pub(super) fn header(&self, name: &str) -> String {
        let line = self.head.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| *key == name));
        line.map(|(_, value)| value.to_owned()).unwrap_or_default()
    }

    /// The delivery, if both of its signatures are good.
    pub(super) fn verified(&self, secret: &str, now: SystemTime) -> Callback {
        self.verified_within(secret, now, Duration::from_secs(5 * 60))
    }

    pub(super) fn verified_at_any_time(&self, secret: &str, now: SystemTime) -> Callback {
        self.verified_within(secret, now, Duration::from_secs(1_000_000_000))
    }

    fn verified_within(&self, secret: &str, now: SystemTime, tolerance: Duration) -> Callback {
        let receiver = callbacks::Receiver::new(secret).unwrap().tolerance(tolerance);
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signature = self.header("webhook-signature");
        let headers = Headers { id: &id, timestamp: &timestamp, signature: &signature };
        let callback = receiver.accept(headers, &self.body, now).unwrap();
        assert_eq!(receiver.accept_security(&self.body, now).unwrap(), callback);
        assert_eq!(callback.event_id(), id);
        callback
    }
}

type Manners = Box<dyn FnMut(&Arrived) -> Manner + Send>;

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    state: Arc<State>,
    serving: Mutex<JoinSet<()>>,
}

struct State {
    manners: Mutex<Manners>,
    arrived: Mutex<Vec<Arrived>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    dead: AtomicBool,
}

impl Receiver {
    pub(super) async fn new(manners: impl FnMut(&Arrived) -> Manner + Send + 'static) -> Self {
        let state = Arc::new(State {
            manners: Mutex::new(Box::new(manners)),
            arrived: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            dead: AtomicBool::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, Arc::clone(&state)));
        Self { address, state, serving: Mutex::new(serving) }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook?token=hunter2", self.address)
    }

    pub(super) fn arrived(&self) -> Vec<Arrived> {
        self.state.arrived.lock().unwrap().clone()
    }

    /// Connections so far, and the most that were open at once.
    pub(super) fn connections(&self) -> (usize, usize) {
        (self.state.connections.load(Ordering::SeqCst), self.state.most_open.load(Ordering::SeqCst))
    }

    /// Closes every connection at once, now and as soon as it is made, until it lives again.
    pub(super) fn die(&self, dead: bool) {
        self.state.dead.store(dead, Ordering::SeqCst);
    }

    /// Stops listening.
    pub(super) fn end(&self) {
        self.serving.lock().unwrap().abort_all();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::SeqCst);
        let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
        state.most_open.fetch_max(open, Ordering::SeqCst);
        let state = Arc::clone(&state);
        connections.spawn(async move {
            drop(serve(stream, &state).await);
            state.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut read = Vec::new();
    loop {
        let Some(head_end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
            continue;
        };
        if state.dead.load(Ordering::SeqCst) {
            return Ok(());
        }
        let head = String::from_utf8(read[..head_end].to_vec()).unwrap();
        let mut arrived = Arrived { head, body: Vec::new(), taken: false };
        let length: usize = arrived.header("content-length").parse().unwrap();
        while read.len() < head_end + 4 + length {
            if stream.read_buf(&mut read).await? == 0 {
                return Ok(());
            }
        }
        arrived.body = read[head_end + 4..head_end + 4 + length].to_vec();
        read.drain(..head_end + 4 + length);
        let manner = (state.manners.lock().unwrap())(&arrived);
        let says = match &manner {
            Manner::Says(says) | Manner::Late(_, says) => says.as_str(),
            Manner::Endless => "HTTP/1.1 200 OK\r\n",
            _ => "",
        };
        arrived.taken = says.starts_with("HTTP/1.1 2");
        state.arrived.lock().unwrap().push(arrived);
        match manner {
            Manner::Says(says) => stream.write_all(says.as_bytes()).await?,
            Manner::Late(wait, says) => {
                tokio::time::sleep(wait).await;
                stream.write_all(says.as_bytes()).await?;
            }
            Manner::Hangs => return Ok(()),
            Manner::Resets => {
                // What is left unread when a socket closes makes the system reset the connection.
                stream.write_all(b"HTTP/1.1 2").await?;
                return stream.set_zero_linger();
            }
            Manner::Silent => while stream.read_buf(&mut read).await? > 0 {},
            Manner::Babbles => {
                stream.write_all(b"\x16\x03\x01 220 smtp ready\r\n\r\n").await?;
                return Ok(());
            }
            Manner::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"400\r\n".as_slice(), &[b'x'; 1_024], b"\r\n"].concat();
                loop {
                    stream.write_all(&chunk).await?;
                }
            }
        }
    }
}
