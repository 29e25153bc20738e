//! From what is on the disk to what was in memory.

use chatroom_core::{Key, Timestamp, Write};
use chatroom_store_memory::{EventIndex, State};

use crate::codec::{Blob, Entry, Position};
use crate::directory::Directory;
use crate::engine::Engine;
use crate::error::{LoadError, OpenError};
use crate::journal::{Head, Journal, SqliteJournal};
use crate::options::Options;

/// What was on the disk.
pub(crate) struct Opened {
    pub(crate) engine: Engine,
    pub(crate) journal: Box<dyn Journal>,
    /// The newest moment.
    pub(crate) newest: Timestamp,
}

/// Reads what is in the directory.
pub(crate) fn open(directory: &Directory, options: &Options) -> Result<Opened, OpenError> {
    let path = directory.file("journal.db");
    let path = path.map_err(|e| LoadError::Io(e).at(directory.path(), "making its journal"))?;
    let journal = SqliteJournal::open(&path, options.sync);
    let journal = journal.map_err(|e| e.at(directory.path(), "its journal"))?;
    load(Box::new(journal), options).map_err(|e| e.at(directory.path(), "its journal"))
}

fn load(mut journal: Box<dyn Journal>, options: &Options) -> Result<Opened, LoadError> {
    let mut state = State::new(options.max_members);
    let mut index = EventIndex::default();
    let (mut next, mut newest, mut uncovered) = (1, Timestamp::default(), 0);
    journal.replay(next, &mut |Head { number, at }, blob| {
        if number != next {
            return Err(LoadError::Damaged(format!(
                "its journal goes on with group {number} where {next} should be"
            )));
        }
        replay(number, &Blob::open(blob)?, &mut state, &mut index)?;
        next += 1;
        newest = newest.max(at);
        uncovered += blob.len() as u64;
        Ok(())
    })?;
    let mut engine = Engine::new(state, index, next, options.queue);
    engine.uncovered = uncovered;
    Ok(Opened { engine, journal, newest })
}

/// Does once more what a group did.
fn replay(
    number: u64,
    blob: &Blob<'_>,
    state: &mut State,
    index: &mut EventIndex<Position>,
) -> Result<(), LoadError> {
    blob.for_each(|entry| {
        match entry {
            Entry::Write(write) => {
                drop(state.apply(&write));
                if let Write::Delete(Key::Room(room)) = write {
                    index.remove(&room);
                }
            }
            Entry::Event(offset, event) => {
                drop(state.append(&event));
                index.push(event.room, event.seq, Position { group: number, offset });
            }
            Entry::Counters(..) | Entry::Positions(..) => {
                return Err(LoadError::Damaged(format!("group {number} holds a part of a snapshot")));
            }
        }
        Ok(())
    })
}
