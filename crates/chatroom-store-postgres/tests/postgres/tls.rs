//! TLS to a real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use chatroom_core::test_util::ManualClock;
use chatroom_store_postgres::{OpenError, Options, PostgresStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use xtask_postgres::Cluster;

use crate::world::run;

/// Who signs, and its certificate.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    fn file(&self, directory: &Path, name: &str) -> PathBuf {
        let path = directory.join(name);
        fs::write(&path, &self.pem).expect("a file");
        path
    }

    /// Lets the server speak TLS, with a certificate for this name.
    fn certify(&self, cluster: &Cluster, name: &str) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let query = |sql: &str| cluster.query("postgres", sql).expect("a statement that succeeds");
        // The server writes its files itself, so they are its own.
        for (file, text) in [("server.crt", certificate.pem()), ("server.key", key.serialize_pem())] {
            query(&format!(
                "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) TO PROGRAM 'umask 077; cat > {file}'"
            ));
        }
        query("ALTER SYSTEM SET ssl = on");
        query("SELECT pg_reload_conf()");
        while query("SHOW ssl") != "on" {
            sleep(Duration::from_millis(5));
        }
    }
}

fn url(cluster: &Cluster, mode: &str) -> String {
    format!("{}?sslmode={mode}&application_name=node", cluster.url("postgres"))
}

async fn open(url: &str, ca: Option<PathBuf>) -> Result<PostgresStore, OpenError> {
    let mut options = Options::new(url);
    options.tls_ca = ca;
    PostgresStore::open(options, Arc::new(ManualClock::default())).await
}

/// Whether the connections of the node are encrypted: `t` or `f`, once if they agree.
fn encrypted(cluster: &Cluster) -> String {
    let sql = "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'node'";
    cluster.query("postgres", sql).expect("an answer")
}

/// Why the store does not open.
async fn refusal(url: &str, ca: Option<PathBuf>) -> String {
    let error = open(url, ca).await.err().expect("a refusal");
    assert!(matches!(error, OpenError::Connect { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn with_an_authority_only_a_server_of_this_name_that_it_vouches_for_is_talked_to() {
    let files = tempfile::tempdir().expect("a directory");
    let (right, wrong) = (Authority::new(), Authority::new());
    let cluster = Cluster::start().expect("a cluster");
    right.certify(&cluster, "127.0.0.1");
    let (right, wrong) = (right.file(files.path(), "right.pem"), wrong.file(files.path(), "wrong.pem"));
    run(async {
        for mode in ["require", "prefer"] {
            let store = open(&url(&cluster, mode), Some(right.clone())).await.expect("a store that opens");
            assert_eq!(encrypted(&cluster), "t", "{mode}");
            store.close().await;
            let error = refusal(&url(&cluster, mode), Some(wrong.clone())).await;
            assert!(error.contains("certificate"), "{mode}: {error}");
        }
        let other_name = url(&cluster, "require").replace("127.0.0.1", "localhost");
        let error = refusal(&other_name, Some(right)).await;
        assert!(error.contains("certificate"), "{error}");
    });
}

#[test]
fn without_an_authority_the_connection_is_encrypted_if_the_url_requires_it_or_the_server_can() {
    let files = tempfile::tempdir().expect("a directory");
    let authority = Authority::new();
    let cluster = Cluster::start().expect("a cluster");
    let opens = async |mode: &str, is: &str| {
        let store = open(&url(&cluster, mode), None).await.expect("a store that opens");
        assert_eq!(encrypted(&cluster), is, "{mode}");
        store.close().await;
        while !encrypted(&cluster).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    run(async {
        refusal(&url(&cluster, "require"), None).await;
        refusal(&url(&cluster, "require"), Some(authority.file(files.path(), "ca.pem"))).await;
        opens("prefer", "f").await;
        authority.certify(&cluster, "another.example");
        for (mode, is) in [("require", "t"), ("prefer", "t"), ("disable", "f")] {
            opens(mode, is).await;
        }
    });
}
