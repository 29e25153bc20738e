//! No 200 leaves before the sync that covers its write: read off a trace of the system calls.
//!
//! SIGKILL cannot show this, because what was written and not synced survives it in the page cache.

use std::collections::HashMap;

use super::api::{Api, names, start};

const CALLS: &str = "trace=recvfrom,read,sendto,write,writev,sendmsg,pwrite64,fsync,fdatasync";
const CLIENTS: usize = 8;
const REMOVALS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_no_200_leaves_before_the_sync_that_covers_its_write() {
    let answered = trace_removals("").await;
    assert_eq!(answered.len(), REMOVALS);
    let early: Vec<_> = answered.iter().filter(|answer| !answer.covered).map(|answer| answer.line).collect();
    assert!(early.is_empty(), "answers left before the sync, on these lines of the trace: {early:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crash_without_syncing_the_trace_shows_answers_that_no_sync_covers() {
    let answered = trace_removals("[store]\nsync = \"none\"\n").await;
    assert_eq!(answered.len(), REMOVALS);
    assert!(answered.iter().all(|answer| !answer.covered), "something was synced with sync = \"none\"");
}

/// Removes members from several clients at once under strace. Answers what the trace says of each 200.
async fn trace_removals(config: &str) -> Vec<Answered> {
    let (dir, trace) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let output = trace.path().to_str().unwrap();
    // -D: the tracer is the grandchild, so the process that is started is the server.
    let strace = ["strace", "-D", "-f", "-qq", "-y", "-s", "48", "-e", CALLS, "-o", output];
    let server = start(dir.path(), &strace, config);
    let api = Api::of(&server).await;
    let users = names(REMOVALS);
    let room = api.room_with(&users).await;
    let clients: Vec<_> = users
        .chunks(REMOVALS.div_ceil(CLIENTS))
        .map(|part| {
            let (api, room, part) = (api.clone(), room.clone(), part.to_vec());
            tokio::spawn(async move {
                let mut remover = api.remover().await;
                for user in part {
                    assert_eq!(remover.remove(&room, &user).await, Some(200));
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    server.stop();
    read_trace(&std::fs::read_to_string(trace.path()).unwrap())
}

/// A removal that was answered with 200.
#[derive(Debug)]
struct Answered {
    /// The line of the trace on which the answer left.
    line: usize,
    /// Whether the journal was written after the request came, and a sync that began after that ended before the
    /// answer left.
    covered: bool,
}

/// A removal that is under way on a socket.
#[derive(Debug, Default, Clone, Copy)]
struct UnderWay {
    written: bool,
    synced: bool,
}

/// Reads a trace line by line. Each line is one system call, or the first or the second half of one.
fn read_trace(trace: &str) -> Vec<Answered> {
    let mut answered = Vec::new();
    let mut under_way: HashMap<String, UnderWay> = HashMap::new();
    // By thread: the removals that its sync, which has begun, will cover.
    let mut syncing: HashMap<&str, Vec<String>> = HashMap::new();
    let mut halves: HashMap<&str, &str> = HashMap::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, call)) = text.split_once(' ') else { continue };
        let call = call.trim_start();
        let resumed = call.starts_with("<...");
        let unfinished = call.ends_with("<unfinished ...>");
        let beginning = if resumed { halves.remove(thread).unwrap_or_default() } else { call };
        if unfinished {
            halves.insert(thread, call);
        }
        let name = beginning.split('(').next().unwrap_or_default();
        let file =
            beginning.split_once('(').map_or("", |(_, rest)| rest.split(',').next().unwrap_or_default());
        match name {
            "recvfrom" | "read" if !unfinished && call.contains("\"DELETE /") => {
                under_way.insert(file.to_owned(), UnderWay::default());
            }
            // What is written is on its way when the call ends.
            "pwrite64" if !unfinished && file.contains("-wal>") => {
                under_way.values_mut().for_each(|removal| removal.written = true);
            }
            "fsync" | "fdatasync" if file.contains("-wal>") => {
                if !resumed {
                    let covers = under_way.iter().filter(|(_, removal)| removal.written);
                    syncing.insert(thread, covers.map(|(socket, _)| socket.clone()).collect());
                }
                if !unfinished && call.ends_with("= 0") {
                    for socket in syncing.remove(thread).unwrap_or_default() {
                        if let Some(removal) = under_way.get_mut(&socket) {
                            removal.synced = true;
                        }
                    }
                }
            }
            // An answer leaves when its call begins.
            "sendto" | "write" | "writev" | "sendmsg" if !resumed && call.contains("HTTP/1.1 200") => {
                if let Some(removal) = under_way.remove(file) {
                    answered.push(Answered { line: line + 1, covered: removal.synced });
                }
            }
            _ => {}
        }
    }
    answered
}
