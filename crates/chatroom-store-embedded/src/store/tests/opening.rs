//! Directories that can be opened, and those that cannot.

use std::os::unix::fs::PermissionsExt;

use super::*;

fn refused(options: &Options) -> String {
    match EmbeddedStore::open(options, Arc::new(ManualClock::at(NOW))) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

/// A directory that a store was closed in, and a connection to its database.
async fn closed() -> (World, rusqlite::Connection) {
    let world = World::new().await;
    world.room_of(2).await;
    world.store.close().await;
    let database = rusqlite::Connection::open(world.options.dir.join("journal.db")).unwrap();
    (world, database)
}

#[tokio::test]
async fn only_the_owner_reads_the_directory_and_its_files() {
    let world = World::with(|options| options.snapshot_bytes = 1).await;
    world.room_of(2).await;
    world.store.maintain().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.options.dir), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&world.options.dir).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    assert_eq!(names[..4], ["journal.db", "journal.db-shm", "journal.db-wal", "lock"]);
    assert!(names[4].starts_with("snapshot-") && names.len() == 5, "{names:?}");
}

#[tokio::test]
async fn a_directory_that_is_in_use_is_refused_by_its_name_and_holder() {
    let world = World::new().await;
    let message = refused(&world.options);
    let dir = world.options.dir.display();
    let pid = std::process::id();
    assert_eq!(
        message,
        format!(
            "the data directory {dir} is in use by another process (pid {pid}): stop that process, or choose \
             another directory"
        )
    );
    world.store.close().await;
    assert!(EmbeddedStore::open(&world.options, Arc::new(ManualClock::at(NOW))).is_ok());
}

#[tokio::test]
async fn a_directory_of_a_newer_format_is_refused() {
    let (world, database) = closed().await;
    database.execute("UPDATE meta SET value = 2 WHERE key = 'format'", []).unwrap();
    let message = refused(&world.options);
    assert!(message.contains("was written by a newer version of this program (format 2;"), "{message}");
}

#[tokio::test]
async fn a_group_of_a_newer_format_is_refused() {
    let (world, database) = closed().await;
    let mut blob = vec![crate::codec::VERSION + 1];
    blob.extend(crc32fast::hash(&blob).to_le_bytes());
    database.execute("UPDATE groups SET body = ?1 WHERE number = 2", [blob]).unwrap();
    let message = refused(&world.options);
    let newer =
        format!("was written by a newer version of this program (format {};", crate::codec::VERSION + 1);
    assert!(message.contains(&newer), "{message}");
}

#[tokio::test]
async fn a_damaged_journal_is_refused() {
    let (world, database) = closed().await;
    database.execute("UPDATE groups SET body = zeroblob(9) WHERE number = 2", []).unwrap();
    let message = refused(&world.options);
    assert!(message.contains("is damaged") && message.contains("checksum"), "{message}");
    database.execute("DELETE FROM groups WHERE number = 2", []).unwrap();
    let message = refused(&world.options);
    assert!(message.contains("goes on with group 3 where group 2 should be"), "{message}");
    drop(database);
    std::fs::write(world.options.dir.join("journal.db"), "this is no database, it is a text".repeat(99))
        .unwrap();
    std::fs::remove_file(world.options.dir.join("journal.db-wal")).unwrap();
    let message = refused(&world.options);
    assert!(message.contains("is damaged"), "{message}");
}

#[tokio::test]
async fn a_damaged_snapshot_is_refused_and_an_unfinished_one_is_removed() {
    let world = World::with(|options| options.snapshot_bytes = 1).await;
    world.room_of(2).await;
    world.store.maintain().unwrap();
    world.store.close().await;
    let dir = &world.options.dir;
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let snapshot = files.into_iter().find(|path| path.to_str().unwrap().contains("snapshot-")).unwrap();
    std::fs::write(dir.join("snapshot.unfinished"), "begun").unwrap();
    drop(EmbeddedStore::open(&world.options, world.clock.clone()).unwrap());
    assert!(!dir.join("snapshot.unfinished").exists());

    let whole = std::fs::read(&snapshot).unwrap();
    for cut in [0, 20, 60, whole.len() - 1] {
        std::fs::write(&snapshot, &whole[..cut]).unwrap();
        assert!(refused(&world.options).contains("is damaged"));
    }
    for at in [0, 8, 15, 60, whole.len() - 3] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&snapshot, changed).unwrap();
        let message = refused(&world.options);
        assert!(message.contains("is damaged") && message.contains("snapshot"), "{at}: {message}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let message = refused(&Options::new(dir.path().join("file/data")));
    assert!(message.contains("file/data cannot be opened: making it"), "{message}");
}
