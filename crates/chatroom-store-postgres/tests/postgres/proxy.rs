//! A way to the cluster that can be cut at a chosen moment.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio_postgres::config::Host;

/// What happens to connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// All is passed on.
    Open,
    /// The next commit arrives, and its answer does not. Then the way is as it is then.
    LoseAnswer(Then),
    /// The connection ends as soon as the next commit was sent on, whatever becomes of it. Then the way is open.
    CutBehindCommit,
    /// The next commit does not arrive. Then the way is open.
    LoseCommit,
    /// The next commit is held until [`Proxy::pass_on`]. Other connections are open.
    Hold,
    /// The same, and the connection ends at once for who sent it.
    HoldAndCut,
    /// No connection is made.
    Closed,
    /// Connections are made, and nothing is answered.
    Silent,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Open,
    Closed,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    way: Arc<Mutex<Way>>,
    held: Arc<Held>,
    url: String,
}

/// A commit that is held.
#[derive(Default)]
struct Held {
    caught: Notify,
    pass_on: Notify,
    answered: Notify,
}

impl Proxy {
    pub(crate) async fn to(cluster: &str) -> Self {
        let config: tokio_postgres::Config = cluster.parse().expect("the URL of a cluster");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let user = config.get_user().unwrap_or("postgres");
        let password = String::from_utf8_lossy(config.get_password().unwrap_or_default());
        let database = config.get_dbname().unwrap_or(user);
        let url = format!("postgresql://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=disable");
        let way = Arc::new(Mutex::new(Way::Open));
        let proxy = Self { way, held: Arc::default(), url };
        tokio::spawn({
            let proxy = proxy.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(proxy.clone().serve(client, config.clone()));
                }
            }
        });
        proxy
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn set(&self, way: Way) {
        *self.way.lock().expect("a lock") = way;
    }

    /// Waits until a commit is held.
    pub(crate) async fn caught(&self) {
        self.held.caught.notified().await;
    }

    /// Lets the commit that is held arrive.
    pub(crate) fn pass_on(&self) {
        self.held.pass_on.notify_one();
    }

    /// Waits until a commit that was held and cut off is answered to nobody.
    pub(crate) async fn answered(&self) {
        self.held.answered.notified().await;
    }

    async fn hold(&self) {
        self.set(Way::Open);
        self.held.caught.notify_one();
        self.held.pass_on.notified().await;
    }

    fn way(&self) -> Way {
        *self.way.lock().expect("a lock")
    }

    async fn serve(self, mut client: TcpStream, config: tokio_postgres::Config) {
        match self.way() {
            Way::Closed => return,
            Way::Silent => {
                let mut void = Vec::new();
                drop(client.read_to_end(&mut void).await);
                return;
            }
            _ => {}
        }
        let port = config.get_ports().first().copied().unwrap_or(5432);
        match config.get_hosts().first() {
            Some(Host::Unix(path)) => {
                let server =
                    UnixStream::connect(path.join(format!(".s.PGSQL.{port}"))).await.expect("a socket");
                self.pass(&mut client, server).await;
            }
            Some(Host::Tcp(host)) => {
                let server = TcpStream::connect((host.as_str(), port)).await.expect("a cluster");
                self.pass(&mut client, server).await;
            }
            None => panic!("the URL of the cluster names no host"),
        }
    }

    async fn pass(&self, client: &mut TcpStream, mut server: impl AsyncRead + AsyncWrite + Unpin) {
        let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut statements = Statements::default();
        loop {
            tokio::select! {
                read = client.read(&mut up) => {
                    let Ok(length @ 1..) = read else { return };
                    let sent = &up[..length];
                    let commits = statements.commit(sent);
                    match self.way() {
                        Way::LoseCommit if commits => {
                            self.set(Way::Open);
                            return;
                        }
                        Way::CutBehindCommit if commits => {
                            self.set(Way::Open);
                            drop(server.write_all(sent).await);
                            return;
                        }
                        Way::LoseAnswer(then) if commits => {
                            self.set(if then == Then::Open { Way::Open } else { Way::Closed });
                            if server.write_all(sent).await.is_ok() {
                                committed(&mut server).await;
                            }
                            return;
                        }
                        Way::Hold if commits => self.hold().await,
                        Way::HoldAndCut if commits => {
                            drop(client.shutdown().await);
                            self.hold().await;
                            if server.write_all(sent).await.is_ok() {
                                committed(&mut server).await;
                            }
                            self.held.answered.notify_one();
                            return;
                        }
                        Way::Closed => return,
                        _ => {}
                    }
                    if server.write_all(sent).await.is_err() {
                        return;
                    }
                }
                read = server.read(&mut down) => {
                    let Ok(length @ 1..) = read else { return };
                    if client.write_all(&down[..length]).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// The prepared statements of a connection that are transactions of their own.
#[derive(Default)]
struct Statements(HashSet<Vec<u8>>);

impl Statements {
    /// Whether something of what is sent commits: the command, or one of those statements.
    fn commit(&mut self, mut sent: &[u8]) -> bool {
        let mut commits = false;
        // What is sent before the first message with a kind says who connects.
        while let [kind @ b'A'..=b'z', length @ .., _] = sent
            && let Some(length) = length.first_chunk()
        {
            let end = usize::try_from(u32::from_be_bytes(*length)).expect("a length") + 1;
            let body = sent.get(5..end).unwrap_or_default();
            let mut texts = body.split(|byte| *byte == 0);
            match (kind, texts.next(), texts.next()) {
                (b'Q', Some(b"COMMIT"), _) => commits = true,
                (b'P', Some(name), Some(text)) if text.windows(11).any(|part| part == b"SELECT 1 / ") => {
                    self.0.insert(name.to_owned());
                }
                (b'B', _, Some(name)) => commits |= self.0.contains(name),
                _ => {}
            }
            sent = sent.get(end..).unwrap_or_default();
        }
        commits
    }
}

/// Waits until the server has said that it is idle again, outside a transaction.
async fn committed(server: &mut (impl AsyncRead + Unpin)) {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    let idle = b"Z\x00\x00\x00\x05I";
    let wait = async {
        while !all.ends_with(idle) {
            let Ok(length @ 1..) = server.read(&mut part).await else { return };
            all.extend_from_slice(&part[..length]);
        }
    };
    drop(tokio::time::timeout(Duration::from_secs(10), wait).await);
}
