//! Servers that are killed, and those that take over.

use xtask_postgres::{Cluster, Replication};

use crate::support::{runs, traces, until};

#[test]
fn a_killed_server_ends_with_all_its_processes_in_the_middle_of_what_they_do() {
    let mut cluster = Cluster::start().unwrap();
    let (pid, data) = traces(cluster.server());
    let server = cluster.server().clone();
    // It looks neither at clients nor at the server's other processes.
    let busy = "SET statement_timeout = '20s'; DO 'BEGIN LOOP END LOOP; END'";
    let query = std::thread::spawn(move || server.query("postgres", busy));
    let is_busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SET stat%' AND state = 'active'";
    until(|| cluster.query("postgres", is_busy).unwrap() == "1");
    cluster.kill9().unwrap();
    let error = query.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("server closed the connection unexpectedly"), "{error}");
    until(|| !runs(&pid));
    assert!(data.exists(), "what it wrote stays for who wants to look");
    assert!(cluster.kill9().is_err(), "it was killed before");
    drop(cluster);
    assert!(!data.exists());
}

#[test]
fn a_synchronous_standby_has_every_commit_when_the_primary_is_killed() {
    let mut primary = Cluster::start().unwrap();
    primary.create_database("db").unwrap();
    primary.query("db", "CREATE TABLE t (n int)").unwrap();
    let standby = primary.standby(Replication::Synchronous).unwrap();
    let state = "SELECT sync_state FROM pg_stat_replication";
    assert_eq!(primary.query("postgres", state).unwrap(), "sync");
    assert!(standby.query("db", "INSERT INTO t VALUES (0)").unwrap_err().to_string().contains("read-only"));
    for n in 1..=20 {
        primary.query("db", &format!("INSERT INTO t VALUES ({n})")).unwrap();
    }
    primary.kill9().unwrap();
    let mut promoted = standby.promote().unwrap();
    assert_eq!(promoted.query("db", "SELECT count(*) FROM t").unwrap(), "20");
    promoted.query("db", "INSERT INTO t VALUES (21)").unwrap();
    // It has a standby in turn, so that a test can go round.
    let next = promoted.standby(Replication::Synchronous).unwrap();
    assert_eq!(next.query("db", "SELECT max(n) FROM t").unwrap(), "21");
}

#[test]
fn a_paused_asynchronous_standby_lacks_what_was_committed_since_until_it_is_resumed() {
    let mut primary = Cluster::start().unwrap();
    primary.query("postgres", "CREATE TABLE t (n int)").unwrap();
    let standby = primary.standby(Replication::Asynchronous).unwrap();
    assert_eq!(primary.query("postgres", "SELECT sync_state FROM pg_stat_replication").unwrap(), "async");
    let count = "SELECT count(*) FROM t";
    primary.query("postgres", "INSERT INTO t VALUES (1)").unwrap();
    primary.wait_until_in_sync(&standby).unwrap();
    until(|| standby.query("postgres", count).unwrap() == "1");

    standby.pause().unwrap();
    primary.query("postgres", "INSERT INTO t VALUES (2)").unwrap();
    standby.resume().unwrap();
    primary.wait_until_in_sync(&standby).unwrap();
    until(|| standby.query("postgres", count).unwrap() == "2");

    standby.pause().unwrap();
    primary.query("postgres", "INSERT INTO t VALUES (3)").unwrap();
    primary.kill9().unwrap();
    let promoted = standby.promote().unwrap();
    assert_eq!(promoted.query("postgres", count).unwrap(), "2", "the third is lost");
}
