//! From what is on the disk to what was in memory.

use std::path::Path;

use chatroom_core::Timestamp;
use chatroom_store_memory::report_lost;

use crate::codec::{Blob, Entry, Position};
use crate::contents::Contents;
use crate::directory::Directory;
use crate::engine::Engine;
use crate::error::{LoadError, OpenError};
use crate::journal::{Head, Journal, SqliteJournal};
use crate::keeper::Covered;
use crate::options::Options;
use crate::snapshot;

/// What was on the disk.
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    pub(crate) journal: Box<dyn Journal>,
    /// The newest moment.
    pub(crate) newest: Timestamp,
    pub(crate) covered: Covered,
}

/// Reads what is in the directory.
pub(crate) fn open(directory: &Directory, options: &Options, now: Timestamp) -> Result<Opened, OpenError> {
    let path = directory.file("journal.db");
    let path = path.map_err(|e| LoadError::Io(e).at(directory.path(), "making its journal"))?;
    let journal = SqliteJournal::open(&path, options.sync);
    let journal = journal.map_err(|e| e.at(directory.path(), "its journal"))?;
    load(directory.path(), Box::new(journal), options, now).map_err(|e| e.at(directory.path(), "reading it"))
}

/// The newest snapshot, and all groups behind it.
pub(crate) fn load(
    dir: &Path,
    mut journal: Box<dyn Journal>,
    options: &Options,
    now: Timestamp,
) -> Result<Opened, LoadError> {
    snapshot::remove_unfinished(dir)?;
    let oldest = journal.oldest(1)?.first().map(|head| head.number);
    let first_kept = oldest.unwrap_or(u64::MAX);
    let empty = || Contents::new(options.max_members, now);
    let loaded = snapshot::load_newest(dir, journal.store_id(), &empty, first_kept)?;
    let (mut contents, from, mut newest, snapshot_bytes) = match loaded {
        Some(loaded) => (loaded.contents, loaded.from, loaded.newest, loaded.bytes),
        None => (empty(), 1, Timestamp::default(), 0),
    };
    let (mut next, mut uncovered) = (from, 0);
    journal.replay(from, &mut |Head { number, at, bytes }, blob| {
        if number != next {
            let message = format!("its journal goes on with group {number} where group {next} should be");
            return Err(LoadError::Damaged(message));
        }
        replay(number, &Blob::open(blob)?, &mut contents)?;
        next += 1;
        newest = newest.max(at);
        uncovered += bytes;
        Ok(())
    })?;
    let lost = contents.find_lost();
    report_lost(&contents.backlog, &lost);
    let mut engine = Engine::new(contents.state, contents.index, next, options.queue);
    engine.deliveries.backlog = contents.backlog;
    engine.deliveries.keep(lost);
    engine.uncovered = uncovered;
    engine.first_kept = oldest.unwrap_or(next);
    Ok(Opened { engine, journal, newest, covered: Covered { from, bytes: snapshot_bytes } })
}

/// Does once more what a group did.
fn replay(number: u64, blob: &Blob<'_>, contents: &mut Contents) -> Result<(), LoadError> {
    blob.for_each(|entry| {
        match entry {
            Entry::Write(write) => contents.write(write),
            Entry::Event(offset, event) => contents.event(&event, Position { group: number, offset }),
            Entry::Cursor(write) => contents.cursor(write),
            Entry::Counters(..) | Entry::Positions(..) => {
                return Err(LoadError::Damaged(format!("group {number} holds a part of a snapshot")));
            }
        }
        Ok(())
    })
}
