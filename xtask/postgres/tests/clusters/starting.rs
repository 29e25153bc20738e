//! A cluster is started, looked at from outside, and gone afterwards.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use xtask_postgres::{Cluster, Server, TEMPLATE, shared, template};

use crate::support::{is_gone, runs, traces, until};

#[test]
fn a_cluster_answers_over_tcp_and_over_its_socket_and_is_gone_when_dropped() {
    let cluster = Cluster::start().unwrap();
    let (pid, data) = traces(cluster.server());
    cluster.create_database("one").unwrap();
    cluster.query("one", "CREATE TABLE t AS SELECT 7 AS n").unwrap();
    let over_socket = Server::of(&cluster.socket_url("one")).unwrap();
    assert_eq!(over_socket.query("one", "SELECT n, inet_client_addr() IS NULL FROM t").unwrap(), "7|t");
    assert!(cluster.query("postgres", "SELECT n FROM t").is_err(), "databases are apart");
    let again = cluster.create_database("one").unwrap_err().to_string();
    assert!(again.contains("already exists"), "{again}");
    assert!(runs(&pid) && data.exists());
    drop(cluster);
    assert!(is_gone(&pid, &data));
}

#[test]
fn a_cluster_is_gone_after_a_panic() {
    let (seen, traced) = std::sync::mpsc::channel();
    let panicked = std::thread::spawn(move || {
        let cluster = Cluster::start().unwrap();
        seen.send(traces(cluster.server())).unwrap();
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    let (pid, data) = traced.recv().unwrap();
    assert!(is_gone(&pid, &data));
}

/// A process that holds a cluster, and the URL of it.
fn holder(template: &Path) -> (Child, Server) {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_xtask-postgres"))
        .env(TEMPLATE, template)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut url).unwrap();
    (holder, Server::of(url.trim()).unwrap())
}

#[test]
fn clusters_of_processes_that_share_a_template_are_copies_of_it_and_end_with_them_even_by_sigkill() {
    let template = template().unwrap();
    let (mut one, server) = holder(&template);
    let (mut other, its_server) = holder(&template);
    let identity = "SELECT system_identifier FROM pg_control_system()";
    assert_eq!(server.query("postgres", identity).unwrap(), its_server.query("postgres", identity).unwrap());
    let traces = [traces(&server), traces(&its_server)];
    assert_ne!(traces[0].1, traces[1].1);
    one.kill().unwrap();
    one.wait().unwrap();
    until(|| is_gone(&traces[0].0, &traces[0].1));
    assert!(runs(&traces[1].0), "the other is not touched");
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    assert!(is_gone(&traces[1].0, &traces[1].1));
}

#[test]
fn a_database_of_a_test_is_gone_when_dropped() {
    let server = shared().unwrap();
    let database = server.fresh_database().unwrap();
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    assert_eq!(server.query(&name, "SELECT 1").unwrap(), "1");
    drop(database);
    let error = server.query(&name, "SELECT 1").unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_cluster_never_runs_as_root() {
    use std::os::unix::fs::MetadataExt as _;

    let cluster = Cluster::start().unwrap();
    let (pid, _) = traces(cluster.server());
    assert_ne!(std::fs::metadata(format!("/proc/{pid}")).unwrap().uid(), 0);
}
