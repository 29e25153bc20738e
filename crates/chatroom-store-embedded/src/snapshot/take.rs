use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use chatroom_core::{App, Record, RoomKey, Seq};
use chatroom_store_memory::{DumpCursor, Dumped};

use super::file::Unfinished;
use crate::codec::{BlobWriter, Position};
use crate::engine::{Engine, Phase};
use crate::shared::Shared;
use crate::signal::Fate;

/// How many records are looked at under one lock: some tens of microseconds.
const RECORDS_A_LOCK: usize = 250;
/// How many cursors and dead letters are copied under one lock.
const CURSORS_A_LOCK: usize = 250;
/// How many positions of events are copied under one lock.
const POSITIONS_A_LOCK: usize = 4_096;
/// About how many bytes a part has.
const PART: usize = 1 << 18;
/// How many times as long as a part took nothing is done after it: operations have that time for themselves.
const REST: u32 = 3;
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_millis(5);
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
    let Some(shown) = Shown::write(shared, dir, store_id)? else { return Ok(Taken::Abandoned) };
    loop {
        // Not in the `match`, which would hold the lock.
        let fate = shown.fate(&shared.engine());
        match fate {
            Some(Fate::Durable) => return shown.finish(shared),
            Some(_) => return Ok(Taken::Abandoned),
            None => std::thread::sleep(POLL),
        }
    }
}

/// A snapshot that is written, but may show what is not durable.
pub(crate) struct Shown {
    file: Unfinished,
    from: u64,
    /// The newest group that any part showed something of.
    newest: u64,
    /// How often groups had been taken back when it began.
    rollbacks: u64,
    /// How many bytes of groups it covers that the snapshot before did not.
    covers: u64,
}

impl Shown {
    /// Writes all parts. `None` if it was given up.
    pub(crate) fn write(shared: &Shared, dir: &Path, store_id: [u8; 16]) -> io::Result<Option<Self>> {
        let (from, rollbacks, covers) = {
            let engine = shared.engine();
            (engine.first_volatile(), engine.rollbacks, engine.uncovered)
        };
        let mut file = Unfinished::begin(dir, store_id, from)?;
        let mut blob = BlobWriter::new();
        let mut cursor = Some(DumpCursor::start());
        while let Some(at) = cursor {
            let began = Instant::now();
            let part = {
                let engine = shared.engine();
                if engine.rollbacks != rollbacks || engine.phase != Phase::Open {
                    return Ok(None);
                }
                let (part, next) = engine.state.dump(at, RECORDS_A_LOCK);
                cursor = next;
                part
            };
            for dumped in part {
                write(shared, &mut blob, dumped);
                if blob.len() >= PART {
                    file.part(&std::mem::replace(&mut blob, BlobWriter::new()).finish())?;
                }
            }
            std::thread::sleep(LONGEST_REST.min(began.elapsed() * REST));
        }
        // Last, so that the rules are there when they are read.
        write_backlog(shared, &mut blob, &mut file)?;
        if !blob.is_empty() {
            file.part(&blob.finish())?;
        }
        let newest = shared.engine().last_group();
        Ok(Some(Self { file, from, newest, rollbacks, covers }))
    }

    /// What became of all that it shows; `None` as long as some of it is under way.
    pub(crate) fn fate(&self, engine: &Engine) -> Option<Fate> {
        if engine.rollbacks != self.rollbacks || engine.phase != Phase::Open {
            return Some(Fate::Undone);
        }
        (engine.first_volatile() > self.newest).then_some(Fate::Durable)
    }

    fn finish(self, shared: &Shared) -> io::Result<Taken> {
        let bytes = self.file.finish(shared.moment().0)?;
        shared.engine().uncovered -= self.covers;
        Ok(Taken::Complete { from: self.from, bytes })
    }
}

fn write(shared: &Shared, blob: &mut BlobWriter, dumped: Dumped) {
    match dumped {
        Dumped::App(app) => blob.put(&Record::App(Box::<App>::new(app))),
        Dumped::Rule(rule) => blob.put(&Record::Rule(Box::new(rule))),
        Dumped::User(user) => blob.put(&Record::User(user)),
        Dumped::Room(room, counters) => {
            let key = room.key;
            blob.put(&Record::Room(room));
            blob.counters(&key, counters);
            write_positions(shared, blob, &key);
        }
        Dumped::Members(room, members) => blob.members(&room, members.len(), members.into_iter()),
        Dumped::Sweep(sweep) => blob.put(&Record::Sweep(sweep)),
    }
}

/// How far each room's log was told to each rule. What changes meanwhile is in the replay, or told twice.
fn write_backlog(shared: &Shared, blob: &mut BlobWriter, file: &mut Unfinished) -> io::Result<()> {
    let mut from = None;
    loop {
        let now = shared.moment().0;
        let (part, next) = shared.engine().deliveries.backlog.dump(from, CURSORS_A_LOCK, now);
        part.iter().for_each(|write| blob.cursor(write));
        if blob.len() >= PART {
            file.part(&std::mem::replace(blob, BlobWriter::new()).finish())?;
        }
        if next.is_none() {
            return Ok(());
        }
        from = next;
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
