//! From what is on the disk to what was in memory.

use std::path::Path;

use chatroom_core::Timestamp;
use chatroom_store_memory::report_lost;

use crate::codec::{Blob, Entry, Position};
use crate::contents::Contents;
use crate::directory::{Directory, sync_dir};
use crate::engine::Engine;
use crate::error::{LoadError, OpenError};
use crate::journal::{Groups, Head, Journal, SqliteJournal};
use crate::keeper::Covered;
use crate::options::Options;
use crate::snapshot::{self, Candidate};

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
    let import = journal.import().map_err(|e| e.at(directory.path(), "its journal"))?;
    if import.is_some() {
        return Err(OpenError::Unfinished { dir: directory.path().to_owned() });
    }
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
    // A killed process may have renamed a snapshot and not synced that, and groups are trimmed because it is there.
    sync_dir(dir)?;
    let snapshots = snapshot::open_all(dir)?;
    let Read { mut contents, from, next, newest, uncovered, oldest, snapshot_bytes } =
        read(snapshots, &mut *journal, options.max_members, now)?;
    let lost = contents.find_lost();
    report_lost(&contents.backlog, &lost);
    let forgettable = contents.forgettable();
    let mut engine = Engine::new(contents.state, contents.index, next, options.queue);
    engine.deliveries.backlog = contents.backlog;
    engine.deliveries.keep(lost);
    engine.forgettable = forgettable;
    engine.uncovered = uncovered;
    engine.first_kept = oldest.unwrap_or(next);
    Ok(Opened { engine, journal, newest, covered: Covered { from, bytes: snapshot_bytes } })
}

/// What snapshots and groups made together.
pub(crate) struct Read {
    pub(crate) contents: Contents,
    /// The first group that the snapshot does not cover.
    from: u64,
    /// The number behind that of the last group.
    next: u64,
    /// The newest moment.
    newest: Timestamp,
    /// How many bytes of groups no snapshot covers.
    uncovered: u64,
    /// The first group that is kept.
    pub(crate) oldest: Option<u64>,
    /// The size of the snapshot.
    snapshot_bytes: u64,
}

/// Reads the newest snapshot of these that can be read, and all groups behind it.
pub(crate) fn read<G: Groups + ?Sized>(
    snapshots: Vec<Candidate>,
    groups: &mut G,
    max_members: Option<u64>,
    now: Timestamp,
) -> Result<Read, LoadError> {
    let oldest = groups.oldest(1)?.first().map(|head| head.number);
    let empty = || Contents::new(max_members, now);
    let first_kept = oldest.unwrap_or(u64::MAX);
    let loaded = snapshot::load_newest(snapshots, groups.store_id(), &empty, first_kept)?;
    let (mut contents, from, mut newest, snapshot_bytes) = match loaded {
        Some(loaded) => (loaded.contents, loaded.from, loaded.newest, loaded.bytes),
        None => (empty(), 1, Timestamp::default(), 0),
    };
    let (mut next, mut uncovered) = (from, 0);
    groups.replay(from, &mut |Head { number, at, bytes }, blob| {
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
    Ok(Read { contents, from, next, newest, uncovered, oldest, snapshot_bytes })
}

/// Does once more what a group did.
fn replay(number: u64, blob: &Blob<'_>, contents: &mut Contents) -> Result<(), LoadError> {
    blob.for_each(|entry| {
        match entry {
            Entry::Write(write) => contents.write(write),
            Entry::Event(offset, event) => contents.event(&event, Position { group: number, offset }),
            Entry::Cursor(write) => contents.cursor(write),
            // An import writes them: it may find a room without the events that they come from.
            Entry::Counters(room, counters) => contents.state.set_counters(&room, counters),
            Entry::Positions(..) => {
                return Err(LoadError::Damaged(format!("group {number} holds a part of a snapshot")));
            }
        }
        Ok(())
    })
}
