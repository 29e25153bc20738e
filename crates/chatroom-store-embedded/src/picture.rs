//! Everything that a directory holds, as it was at one moment, read beside the process that holds it.
//!
//! The newest snapshot is opened first and the journal frozen behind it, so every group that the snapshot does not
//! cover is in the journal, unless a newer snapshot came between the two. Together they make the state of that moment
//! in this process's own memory. Events stay on the disk; they are read in the order of their groups, each once.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use chatroom_core::{
    BacklogPlace, CursorWrite, Event, PORTABLE_AT_ONCE, Picture, Portable, Seq, StorageError,
    StorageErrorKind, Timestamp,
};
use chatroom_store_memory::{DumpCursor, Dumped};

use crate::codec::{Blob, Entry, Position};
use crate::contents::Contents;
use crate::error::{LoadError, OpenError};
use crate::journal::FrozenJournal;
use crate::{open, snapshot};

/// How often it is begun anew, because a snapshot was written in the instant between two system calls.
const TRIES: usize = 10;

/// Everything that a data directory held when this was opened.
///
/// The directory may be that of a running server, which goes on; its journal grows until this is dropped, by what is
/// committed meanwhile. Needs as much memory as the server.
pub struct EmbeddedPicture {
    contents: Contents,
    journal: FrozenJournal,
    now: Timestamp,
    /// What comes next; `None` at the end.
    stage: Option<Stage>,
    /// What is to be told before that.
    ready: VecDeque<Portable>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// Everything but rules.
    State(DumpCursor),
    /// Of the groups from this one on.
    Events(u64),
    Rules,
    Deliveries(Option<BacklogPlace>),
}

impl EmbeddedPicture {
    /// Reads the directory, without its lock and without changing anything in it. Blocks. `now` is what waits of
    /// deliveries are told by.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is there, or a part of an import; a newer version wrote it; it is damaged; or the file
    /// system says no.
    pub fn open(dir: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let (picture, unfinished) = Self::read(dir, now)?;
        if unfinished { Err(OpenError::Unfinished { dir: dir.to_owned() }) } else { Ok(picture) }
    }

    /// The same of a part of an import, too. Answers whether it is one.
    pub(crate) fn read(dir: &Path, now: Timestamp) -> Result<(Self, bool), OpenError> {
        let failed = |e: LoadError| e.at(dir, "reading it");
        let path = dir.join("journal.db");
        if !path.exists() {
            return Err(OpenError::Missing { dir: dir.to_owned() });
        }
        for _ in 0..TRIES {
            let snapshots = snapshot::open_all(dir).map_err(|e| failed(e.into()))?;
            let Some(mut journal) = FrozenJournal::open(&path).map_err(failed)? else {
                return Err(OpenError::Missing { dir: dir.to_owned() });
            };
            if !snapshot::are_newest(&snapshots, dir).map_err(|e| failed(e.into()))? {
                // What the newer one covers may not be in the journal any more.
                continue;
            }
            let unfinished = journal.import().map_err(failed)?.is_some();
            let read = open::read(snapshots, &mut journal, None, now).map_err(failed)?;
            let mut contents = read.contents;
            // They are dead letters of the backlog now; the store itself says so in the log.
            drop(contents.find_lost());
            let (stage, ready) = (Some(Stage::State(DumpCursor::start())), VecDeque::new());
            return Ok((Self { contents, journal, now, stage, ready }, unfinished));
        }
        Err(failed(io::Error::other("its snapshot was replaced again and again").into()))
    }

    /// Adds some of this stage, and answers what comes behind it.
    fn fill(&mut self, stage: Stage) -> Result<Option<Stage>, LoadError> {
        Ok(Some(match stage {
            Stage::State(from) => {
                let (part, next) = self.contents.state.dump(from, PORTABLE_AT_ONCE);
                for dumped in part {
                    self.add(dumped);
                }
                next.map_or(Stage::Events(0), Stage::State)
            }
            Stage::Events(from) => match self.journal.next(from)? {
                Some((number, blob)) => {
                    self.add_events(number, &Blob::open(&blob)?)?;
                    Stage::Events(number + 1)
                }
                None => Stage::Rules,
            },
            Stage::Rules => {
                let (apps, _) = self.contents.state.dump(DumpCursor::start(), PORTABLE_AT_ONCE);
                self.ready.extend(apps.into_iter().filter_map(|dumped| match dumped {
                    Dumped::Rule(rule) => Some(Portable::Rule(Box::new(rule))),
                    _ => None,
                }));
                Stage::Deliveries(None)
            }
            Stage::Deliveries(from) => {
                let (part, next) = self.contents.backlog.dump(from, PORTABLE_AT_ONCE, self.now);
                self.ready.extend(part.into_iter().filter_map(|write| match write {
                    CursorWrite::Put(cursor) => Some(Portable::Cursor(cursor)),
                    CursorWrite::Bury(letter) => Some(Portable::DeadLetter(letter)),
                    CursorWrite::Done { .. } | CursorWrite::Unbury { .. } => None,
                }));
                return Ok(next.map(|next| Stage::Deliveries(Some(next))));
            }
        }))
    }

    fn add(&mut self, dumped: Dumped) {
        match dumped {
            Dumped::App(app) => self.ready.push_back(Portable::App(Box::new(app))),
            Dumped::User(user) => self.ready.push_back(Portable::User(user)),
            Dumped::Room(room, counters) => self.ready.push_back(Portable::Room(room, counters)),
            Dumped::Members(room, members) => {
                let membership = |(user, joined)| chatroom_core::Membership { room, user, joined };
                self.ready.extend(members.into_iter().map(membership).map(Portable::Membership));
            }
            Dumped::Sweep(sweep) => self.ready.push_back(Portable::Sweep(sweep)),
            // They come behind the events.
            Dumped::Rule(_) => {}
        }
    }

    /// The events of a group that are kept: those of a room that is gone are not.
    fn add_events(&mut self, group: u64, blob: &Blob<'_>) -> Result<(), LoadError> {
        let Self { contents, ready, .. } = self;
        let is_kept = |event: &Event, place: Position| {
            let before = Seq(event.seq.0.saturating_sub(1));
            contents.index.after(&event.room, before, 1).next() == Some((event.seq, &place))
        };
        blob.for_each(|entry| {
            if let Entry::Event(offset, event) = entry
                && is_kept(&event, Position { group, offset })
            {
                ready.push_back(Portable::Event(event));
            }
            Ok(())
        })
    }
}

#[async_trait]
impl Picture for EmbeddedPicture {
    /// Reads the disk where it is polled: for whoever does nothing else meanwhile.
    async fn next(&mut self) -> Result<Vec<Portable>, StorageError> {
        while self.ready.is_empty()
            && let Some(stage) = self.stage.take()
        {
            self.stage = self.fill(stage).map_err(|error| {
                StorageError::caused_by(StorageErrorKind::Corrupt, "the directory cannot be read", error)
            })?;
        }
        let part = self.ready.len().min(PORTABLE_AT_ONCE);
        Ok(self.ready.drain(..part).collect())
    }
}
