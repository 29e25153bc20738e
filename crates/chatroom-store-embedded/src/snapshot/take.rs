use std::io;
use std::path::Path;
use std::time::Duration;

use chatroom_core::{App, Record, RoomKey, Seq};
use chatroom_store_memory::{DumpCursor, Dumped};

use super::file::Unfinished;
use crate::codec::{BlobWriter, Position};
use crate::engine::{Engine, Phase};
use crate::shared::Shared;

/// How many records are looked at under one lock: a fraction of a millisecond.
const RECORDS_A_LOCK: usize = 1_000;
/// How many positions of events are copied under one lock.
const POSITIONS_A_LOCK: usize = 4_096;
/// About how many bytes a part has.
const PART: usize = 1 << 18;
/// How often to look whether everything that was seen is durable.
const POLL: Duration = Duration::from_millis(1);

/// What became of a snapshot.
pub(crate) enum Taken {
    /// It is complete.
    Complete {
        /// The first group that it does not cover.
        from: u64,
        /// Its size.
        bytes: u64,
    },
    /// Something that it showed was taken back, or the store closes.
    Abandoned,
}

/// Writes a snapshot while operations go on.
pub(crate) fn take(shared: &Shared, dir: &Path, store_id: [u8; 16]) -> io::Result<Taken> {
    let (from, rollbacks, uncovered) = {
        let engine = shared.engine();
        (engine.first_volatile(), engine.rollbacks, engine.uncovered)
    };
    let still_good = |engine: &Engine| engine.rollbacks == rollbacks && engine.phase == Phase::Open;
    let mut file = Unfinished::begin(dir, store_id, from)?;
    let mut blob = BlobWriter::new();
    let mut cursor = Some(DumpCursor::start());
    while let Some(at) = cursor {
        let part = {
            let engine = shared.engine();
            if !still_good(&engine) {
                return Ok(Taken::Abandoned);
            }
            let (part, next) = engine.state.dump(at, RECORDS_A_LOCK);
            cursor = next;
            part
        };
        for dumped in part {
            if let Dumped::Room(room, _) = &dumped {
                let key = room.key;
                write(&mut blob, dumped);
                write_positions(shared, &mut blob, &key);
            } else {
                write(&mut blob, dumped);
            }
            if blob.len() >= PART {
                file.part(&std::mem::replace(&mut blob, BlobWriter::new()).finish())?;
            }
        }
    }
    if !blob.is_empty() {
        file.part(&blob.finish())?;
    }
    let seen = shared.engine().last_group();
    loop {
        let engine = shared.engine();
        if !still_good(&engine) {
            return Ok(Taken::Abandoned);
        }
        if engine.first_volatile() > seen {
            break;
        }
        drop(engine);
        std::thread::sleep(POLL);
    }
    let bytes = file.finish(shared.moment().0)?;
    shared.engine().uncovered -= uncovered;
    Ok(Taken::Complete { from, bytes })
}

fn write(blob: &mut BlobWriter, dumped: Dumped) {
    match dumped {
        Dumped::App(app) => blob.put(&Record::App(Box::<App>::new(app))),
        Dumped::User(user) => blob.put(&Record::User(user)),
        Dumped::Room(room, counters) => {
            let key = room.key;
            blob.put(&Record::Room(room));
            blob.counters(&key, counters);
        }
        Dumped::Members(room, members) => blob.members(&room, members.len(), members.into_iter()),
        Dumped::Sweep(sweep) => blob.put(&Record::Sweep(sweep)),
    }
}

/// Where the events of a room are. What is appended or trimmed meanwhile is in the replay, or not missed.
fn write_positions(shared: &Shared, blob: &mut BlobWriter, room: &RoomKey) {
    let mut after = Seq(0);
    loop {
        let part: Vec<(Seq, Position)> = {
            let engine = shared.engine();
            engine.index.after(room, after, POSITIONS_A_LOCK).map(|(seq, at)| (seq, *at)).collect()
        };
        let (Some((first, _)), Some((last, _))) = (part.first(), part.last()) else { return };
        let positions: Vec<Position> = part.iter().map(|(_, position)| *position).collect();
        blob.positions(room, *first, &positions);
        after = *last;
        if part.len() < POSITIONS_A_LOCK {
            return;
        }
    }
}
