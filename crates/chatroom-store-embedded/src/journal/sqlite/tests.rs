use super::*;

fn journal(dir: &tempfile::TempDir) -> SqliteJournal {
    let path = dir.path().join("journal.db");
    crate::directory::private_file(&path).unwrap();
    SqliteJournal::open(&path, Sync::None).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn groups(journal: &mut SqliteJournal, from: u64) -> Vec<(u64, i64, usize)> {
    let mut groups = Vec::new();
    let mut visit = |head: Head, blob: &[u8]| {
        assert_eq!(head.bytes, blob.len() as u64);
        groups.push((head.number, head.at.as_millis(), blob.len()));
        Ok(())
    };
    journal.replay(from, &mut visit).unwrap();
    groups
}

#[test]
fn groups_are_replayed_in_order_also_after_the_journal_was_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = journal(&dir);
    for number in 1..=4 {
        first.append(number, at(10), &[7; 100]).unwrap();
    }
    let id = first.store_id();
    drop(first);
    let mut again = journal(&dir);
    assert_eq!(groups(&mut again, 3), [(3, 10, 100), (4, 10, 100)]);
    assert_eq!((again.store_id(), id == [0; 16]), (id, false));
    again.trim(4).unwrap();
    assert_eq!(again.oldest(9).unwrap(), [Head { number: 4, at: at(10), bytes: 100 }]);
    let mut reader = again.reader().unwrap();
    assert_eq!(reader.group(3).unwrap(), None);
    assert_eq!(reader.group(4).unwrap(), Some(vec![7; 100]));
}

#[test]
fn what_a_killed_process_left_in_the_log_is_in_the_database_before_it_is_read() {
    let [dir, left, alone] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    let copy = |from: &tempfile::TempDir, to: &tempfile::TempDir, name| {
        std::fs::copy(from.path().join(name), to.path().join(name)).unwrap();
    };
    let mut killed = journal(&dir);
    for number in 1..=3 {
        killed.append(number, at(10), &[7; 100]).unwrap();
    }
    copy(&dir, &left, "journal.db");
    copy(&dir, &left, "journal.db-wal");
    assert!(size_of_log(&left) > 0);
    let opened = SqliteJournal::open(&left.path().join("journal.db"), Sync::Full).unwrap();
    assert_eq!((size_of_log(&left), opened.wal), (0, 0));
    copy(&left, &alone, "journal.db");
    assert_eq!(groups(&mut journal(&alone), 0).len(), 3);
}

#[test]
fn a_journal_that_somebody_reads_is_opened_without_waiting_for_him() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = journal(&dir);
    first.append(1, at(1), &[1; 10]).unwrap();
    let path = dir.path().join("journal.db");
    let mut frozen = FrozenJournal::open(&path).unwrap().unwrap();
    first.append(2, at(1), &[2; 10]).unwrap();
    drop(first);
    let begun = std::time::Instant::now();
    let mut again = SqliteJournal::open(&path, Sync::Full).unwrap();
    assert!(begun.elapsed() < BUSY, "it waited for the reader");
    assert_eq!(again.wal, size_of_log(&dir));
    again.append(3, at(1), &[3; 10]).unwrap();
    assert_eq!(groups(&mut again, 0).len(), 3);
    assert_eq!(frozen.oldest(9).unwrap().len(), 1, "nothing that came later is seen");
}

#[test]
fn every_connection_syncs_unless_it_is_told_not_to() {
    for (sync, expected) in [(Sync::Full, 2_i64), (Sync::None, 0)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        crate::directory::private_file(&path).unwrap();
        let journal = SqliteJournal::open(&path, sync).unwrap();
        for connection in [&journal.connection, &connect(&path, sync).unwrap()] {
            let pragma =
                |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
            assert_eq!(pragma("synchronous"), expected);
            assert_eq!((pragma("fullfsync"), pragma("checkpoint_fullfsync")), (1, 1));
            assert_eq!(pragma("wal_autocheckpoint"), 0);
        }
    }
}

#[test]
fn a_full_disk_is_told_apart_and_leaves_the_journal_usable() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    journal.append(1, at(1), &[1; 10]).unwrap();
    journal.connection.pragma_update(None, "max_page_count", 8).unwrap();
    let error = journal.append(2, at(2), &[2; 100_000]).unwrap_err();
    assert_eq!(error.left, Left::NothingFull, "{error}");
    journal.append(2, at(3), &[3; 10]).unwrap();
    assert_eq!(groups(&mut journal, 0), [(1, 1, 10), (2, 3, 10)]);
}

#[test]
fn an_error_before_the_commit_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    journal.append(1, at(1), &[1; 10]).unwrap();
    let error = journal.append(1, at(2), &[2; 10]).unwrap_err();
    assert_eq!(error.left, Left::Nothing, "{error}");
    journal.append(2, at(3), &[3; 10]).unwrap();
    assert_eq!(groups(&mut journal, 0), [(1, 1, 10), (2, 3, 10)]);
}

#[test]
fn an_error_of_the_commit_itself_leaves_nobody_knowing() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    // A constraint that is looked at only when the transaction commits.
    let made = journal.connection.execute_batch(
        "PRAGMA foreign_keys = ON;
         CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER breach AFTER INSERT ON groups BEGIN INSERT INTO child VALUES (1); END;",
    );
    made.unwrap();
    let error = journal.append(1, at(1), &[1; 10]).unwrap_err();
    assert_eq!(error.left, Left::Unknown, "{error}");
}

fn size_of_log(dir: &tempfile::TempDir) -> u64 {
    std::fs::metadata(dir.path().join("journal.db-wal")).unwrap().len()
}

#[test]
fn the_log_does_not_grow_beyond_its_limit_when_nobody_checkpoints_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let blob = vec![1; 4 << 20];
    for number in 1..=24 {
        journal.append(number, at(1), &blob).unwrap();
    }
    assert!(size_of_log(&dir) <= WAL_HARD + (8 << 20), "{}", size_of_log(&dir));
    assert_eq!(groups(&mut journal, 0).len(), 24);
}

#[test]
fn the_log_does_not_grow_beyond_its_limit_while_another_connection_checkpoints_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let mut reader = journal.reader().unwrap();
    let (stop, blob) = (Arc::new(std::sync::atomic::AtomicBool::new(false)), vec![1; 256 << 10]);
    let stopped = stop.clone();
    let checkpoints = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            reader.checkpoint().unwrap();
        }
    });
    for number in 1..=400 {
        journal.append(number, at(1), &blob).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    checkpoints.join().unwrap();
    assert!(size_of_log(&dir) <= WAL_HARD + (8 << 20), "{}", size_of_log(&dir));
    assert_eq!(groups(&mut journal, 0).len(), 400);
}

#[test]
fn somebody_who_reads_for_long_does_not_hold_up_the_writer_and_the_log_begins_anew_behind_him() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let mut reader = journal.reader().unwrap();
    journal.append(1, at(1), &[1; 10]).unwrap();
    let mut frozen = FrozenJournal::open(&dir.path().join("journal.db")).unwrap().unwrap();
    let blob = vec![1; 4 << 20];
    for number in 2..=20 {
        journal.append(number, at(1), &blob).unwrap();
        reader.checkpoint().unwrap();
    }
    assert!(journal.held_up && size_of_log(&dir) > WAL_HARD, "{}", size_of_log(&dir));
    let begun = std::time::Instant::now();
    journal.append(21, at(1), &[1; 10]).unwrap();
    assert!(begun.elapsed() < BUSY, "it waited for the reader");
    assert_eq!(frozen.oldest(9).unwrap().len(), 1, "nothing that came later is seen");
    drop(frozen);
    reader.checkpoint().unwrap();
    journal.append(22, at(1), &[1; 10]).unwrap();
    assert!(!journal.held_up);
    let size = size_of_log(&dir);
    for number in 23..=34 {
        journal.append(number, at(1), &blob).unwrap();
    }
    assert_eq!(size_of_log(&dir), size, "it is written from its beginning");
    assert_eq!(groups(&mut journal, 0).len(), 34);
}

#[test]
fn another_connection_moves_the_log_to_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = journal(&dir);
    let mut reader = journal.reader().unwrap();
    let blob = vec![1; 4 << 20];
    for number in 1..=10 {
        journal.append(number, at(1), &blob).unwrap();
        reader.checkpoint().unwrap();
    }
    let database = std::fs::metadata(dir.path().join("journal.db")).unwrap().len();
    assert!(database >= 30 << 20, "{database}");
    // Then the log begins anew by itself.
    assert!(size_of_log(&dir) <= WAL_SOFT + (8 << 20), "{}", size_of_log(&dir));
}
