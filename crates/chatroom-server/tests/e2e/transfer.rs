//! Export and import with the real binary: whole, beside a server that removes members, interrupted and damaged.

mod world;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use self::world::{ROOMS, World, membership, sums};
use crate::support::{Binary, command, open, run, try_to};

/// How long a process may take to show that it works.
const PATIENCE: Duration = Duration::from_secs(30);

/// Exports to this file in `dir`, and answers what it holds.
fn export(dir: &Path, to: &str, arguments: &[&str]) -> String {
    run(dir, &[&["export", "--to", to], arguments].concat());
    std::fs::read_to_string(dir.join(to)).unwrap()
}

/// Removes members of every room, until `stop` says so or nobody is left. Answers how many.
async fn remove(
    address: String,
    token: String,
    rooms: Vec<String>,
    stop: tokio::sync::watch::Receiver<bool>,
) -> usize {
    let authorization = format!("Bearer {token}");
    let mut connection = open(&address).await;
    let mut removed = 0;
    for member in 1..world::MEMBERS {
        for room in &rooms {
            if *stop.borrow() {
                return removed;
            }
            let name = world::member_of(room, member);
            let path = format!("/acme/support/chatrooms/{room}/users/{name}");
            let headers = [("Authorization", authorization.as_str())];
            let answer = connection.ask("DELETE", &path, &headers, "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            removed += 1;
        }
    }
    removed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_beside_a_server_that_removes_members_is_of_one_moment_and_is_served_elsewhere() {
    let world = World::new().await;
    let dir = world.dir.path();
    std::fs::write(dir.join("c.toml"), "[rate_limit]\nper_second = 0\n").unwrap();
    let server = Binary::start(dir, &["--config", "c.toml"]);
    let token = run(dir, &["token", "issue", "acme/support"]).trim().to_owned();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let halves = world.rooms.chunks(ROOMS / 2).map(<[String]>::to_vec);
    let removers: Vec<_> = halves
        .map(|rooms| tokio::spawn(remove(server.address.clone(), token.clone(), rooms, stopped.clone())))
        .collect();
    let mut sizes = Vec::new();
    for n in 0..3 {
        let name = format!("{n}.ndjson");
        let beside = dir.to_owned();
        let text = tokio::task::spawn_blocking(move || export(&beside, &name, &[])).await.unwrap();
        for (room, (records, log)) in membership(&text) {
            let differ: Vec<_> = records.symmetric_difference(&log).collect();
            assert!(differ.is_empty(), "the log of {room} tells otherwise of {differ:?}");
        }
        sizes.push(sums(&text)["membership"]["records"].as_u64().unwrap());
    }
    stop.send(true).unwrap();
    let mut removed = 0;
    for remover in removers {
        removed += remover.await.unwrap();
    }
    assert!(removed > 0 && sizes[0] > sizes[2], "{removed} were removed: {sizes:?}");
    server.stop();

    let last = export(dir, "last.ndjson", &[]);
    assert_eq!(std::fs::metadata(dir.join("last.ndjson")).unwrap().permissions().mode() & 0o777, 0o600);
    let said = run(dir, &["import", "last.ndjson", "--data-dir", "copy"]);
    assert!(said.starts_with("imported ") && said.contains("the store tells the same ones"), "{said}");
    let copy = export(dir, "copy.ndjson", &["--data-dir", "copy"]);
    for kind in ["app", "user", "room", "membership", "event", "rule", "cursor", "dead_letter"] {
        assert!(sums(&last)[kind]["records"].as_u64().unwrap() > 0, "nothing of kind {kind}");
    }
    assert_eq!(sums(&copy), sums(&last));

    let server = Binary::start(dir, &["--data-dir", "copy"]);
    let headers = [("Authorization", format!("Bearer {token}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let path = format!("/acme/support/chatrooms/{}/users", world.rooms[0]);
    let answer = open(&server.address).await.ask("GET", &path, &headers, "").await;
    assert_eq!(answer.status, 200, "the token that was made before: {answer:?}");
    server.stop();
}

/// How many bytes the log of a journal has.
fn size_of_log(data: &Path) -> u64 {
    std::fs::metadata(data.join("journal.db-wal")).map_or(0, |wal| wal.len())
}

/// Kills an import into this store when it has `begun`, and runs it again.
fn kill_and_go_on(world: &World, into: [&str; 2], unfinished: &str, begun: impl Fn() -> bool) {
    let dir = world.dir.path();
    let text = export(dir, "e.ndjson", &[]);
    let mut child = command(dir)
        .args(["import", "-"])
        .args(into)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Two thirds of it, and no end: it waits for more.
    let mut input = child.stdin.take().unwrap();
    input.write_all(&text.as_bytes()[..text.len() * 2 / 3]).unwrap();
    let until = Instant::now() + PATIENCE;
    while !begun() {
        assert!(Instant::now() < until, "nothing was imported");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    for line in [&["serve", "--listen", "127.0.0.1:0"][..], &["app", "list"], &["export"]] {
        let (code, out, err) = try_to(dir, &[line, &into].concat());
        assert!(code == 1 && out.is_empty() && err.contains(unfinished), "{line:?} {out}\n{err}");
    }
    export(dir, "other.ndjson", &[]);
    let (code, _, err) = try_to(dir, &["import", "other.ndjson", into[0], into[1]]);
    assert!(code == 1 && err.contains("it holds a part of another export"), "{err}");

    let finished = command(dir).args(["import", "e.ndjson"]).args(into).output().unwrap();
    assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));
    let said = String::from_utf8(finished.stderr).unwrap();
    let behind =
        said.strip_prefix("went on behind ").and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    assert!(behind.is_some_and(|behind| behind > 0), "{said}");
    let copy = export(dir, "copy.ndjson", &into);
    assert_eq!(sums(&copy), sums(&text));
    let (code, _, err) = try_to(dir, &["import", "e.ndjson", into[0], into[1]]);
    let filled = "it holds data: an export is imported into an empty store only";
    assert!(code == 1 && err.contains(filled), "{err}");
}

#[tokio::test]
async fn an_import_that_is_killed_goes_on_where_it_stopped_and_nothing_is_served_before_it_is_finished() {
    let world = World::new().await;
    let copy = world.dir.path().join("copy");
    let unfinished = "copy holds an import that is not finished: import the same file again";
    kill_and_go_on(&world, ["--data-dir", "copy"], unfinished, || size_of_log(&copy) > 100_000);
}

#[tokio::test]
async fn an_export_that_is_cut_off_or_damaged_leaves_a_store_that_is_not_served() {
    let world = World::new().await;
    let dir = world.dir.path();
    let text = export(dir, "e.ndjson", &[]);
    let cut = &text[..text.len() - 10];
    let at = text.find("\"joined\":").unwrap() + 9;
    let damaged = [&text[..at], "9", &text[at..]].concat();
    let newer = text.replacen("\"format\":1", "\"format\":2", 1);
    for (name, text, why, begun) in [
        ("cut", cut, "it is cut off behind line", true),
        ("damaged", &damaged, "it is damaged: it is not what its last line says of it", true),
        ("newer", &newer, "it has format 2, and this version reads formats up to 1", false),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
        let into = ["--data-dir".to_owned(), format!("into-{name}")];
        let into = into.each_ref().map(String::as_str);
        let (code, _, err) = try_to(dir, &["import", name, into[0], into[1]]);
        assert!(code == 1 && err.contains(&format!("error: {name}: {why}")), "{err}");
        assert_eq!(err.contains("The import is not finished"), begun, "{err}");
        assert_eq!(dir.join(into[1]).exists(), begun);
        if begun {
            let (code, _, err) = try_to(dir, &["serve", "--listen", "127.0.0.1:0", into[0], into[1]]);
            assert!(code == 1 && err.contains("holds an import that is not finished"), "{err}");
        }
    }
}

#[tokio::test]
async fn an_import_into_what_a_server_holds_and_an_export_of_nothing_are_refused() {
    let world = World::new().await;
    let dir = world.dir.path();
    export(dir, "e.ndjson", &[]);
    let server = Binary::start(dir, &[]);
    let (code, _, err) = try_to(dir, &["import", "e.ndjson"]);
    assert!(code == 1 && err.contains("is in use by another process"), "{err}");
    server.stop();
    let (code, _, err) = try_to(dir, &["import", "e.ndjson"]);
    assert!(code == 1 && err.contains("it holds data"), "{err}");
    let (code, _, err) = try_to(dir, &["export", "--data-dir", "nowhere"]);
    assert!(code == 1 && err.contains("nowhere holds no data"), "{err}");
    assert!(!dir.join("nowhere").exists());
    for line in [&["export"][..], &["import", "e.ndjson"]] {
        let said = command(dir).args(line).env("CHATROOM__STORE__KIND", "memory").output().unwrap();
        assert!(String::from_utf8(said.stderr).unwrap().contains("error: the memory store"), "{line:?}");
    }
}

#[tokio::test]
async fn an_export_whose_reader_goes_away_fails() {
    let world = World::new().await;
    let mut child = command(world.dir.path())
        .arg("export")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(100, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"kind\":\"chatroom_export\""), "{first}");
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.starts_with("error: the output cannot be written"), "{said}");
}

/// A configuration file, `c.toml`, of a database.
fn configure(dir: &Path, url: &str) {
    let config = format!("[store]\nkind = \"postgres\"\nurl = \"{url}\"\n");
    std::fs::write(dir.join("c.toml"), config).unwrap();
}

#[tokio::test]
async fn what_a_store_holds_moves_to_postgres_and_back() {
    let world = World::new().await;
    let dir = world.dir.path();
    let database = xtask_postgres::shared().unwrap().fresh_database().unwrap();
    configure(dir, database.url());
    let token = run(dir, &["token", "issue", "acme/support"]);
    let before = sums(&export(dir, "before.ndjson", &[]));
    let said = run(dir, &["import", "before.ndjson", "--config", "c.toml"]);
    assert!(said.contains("the store tells the same ones"), "{said}");
    let there = export(dir, "there.ndjson", &["--config", "c.toml"]);
    assert_eq!(sums(&there), before);
    run(dir, &["import", "there.ndjson", "--data-dir", "back"]);
    assert_eq!(sums(&export(dir, "back.ndjson", &["--data-dir", "back"])), before);

    let node = Binary::start(dir, &["--config", "c.toml"]);
    let authorization = format!("Bearer {}", token.trim());
    let headers = [("Authorization", authorization.as_str())];
    let name = world::member_of(&world.rooms[0], 1);
    let path = format!("/acme/support/chatrooms/{}/users/{name}", world.rooms[0]);
    let answer = open(&node.address).await.ask("DELETE", &path, &headers, "").await;
    assert_eq!(answer.status, 200, "a removal with the token that was made before: {answer:?}");
    node.stop();
}

#[tokio::test]
async fn an_import_into_postgres_that_is_killed_goes_on_where_it_stopped() {
    let world = World::new().await;
    let database = xtask_postgres::shared().unwrap().fresh_database().unwrap();
    configure(world.dir.path(), database.url());
    let unfinished = "the database holds an import that is not finished: import the same file again";
    kill_and_go_on(&world, ["--config", "c.toml"], unfinished, || {
        let taken = "SELECT max(import_taken) FROM registry";
        // Before the import made it, there is no such table.
        database.query(taken).is_ok_and(|taken| taken.trim().parse::<u64>().is_ok_and(|taken| taken > 0))
    });
}
