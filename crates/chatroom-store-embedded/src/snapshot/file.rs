//! The file: a header, parts that are blobs of the journal's format, and an end without which it is not complete.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use chatroom_core::{Seq, Timestamp};

use crate::codec::{Blob, Entry};
use crate::contents::Contents;
use crate::directory::{private_file, sync_dir};
use crate::error::LoadError;

const MAGIC: [u8; 8] = *b"chatsnap";
/// Of the header and the end; parts have versions of their own.
const FORMAT: u32 = 1;
/// No part is as large.
const LARGEST_PART: u32 = 1 << 30;
/// What is synced at once. A commit that is synced meanwhile waits for about as much.
const AT_ONCE: u64 = 1 << 20;
const PREFIX: &str = "snapshot-";
const UNFINISHED: &str = "snapshot.unfinished";

/// A snapshot that is being written. Gone if it is not finished.
pub(super) struct Unfinished {
    dir: PathBuf,
    from: u64,
    out: BufWriter<File>,
    parts: u64,
    bytes: u64,
    /// How many of them may not be on the disk.
    unsynced: u64,
}

impl Unfinished {
    pub(super) fn begin(dir: &Path, store_id: [u8; 16], from: u64) -> io::Result<Self> {
        let file = private_file(&dir.join(UNFINISHED))?;
        file.set_len(0)?;
        let mut out = BufWriter::with_capacity(1 << 18, file);
        let header = [&MAGIC[..], &FORMAT.to_le_bytes(), &store_id, &from.to_le_bytes()].concat();
        out.write_all(&with_checksum(header))?;
        Ok(Self { dir: dir.to_owned(), from, out, parts: 0, bytes: 0, unsynced: 0 })
    }

    pub(super) fn part(&mut self, blob: &[u8]) -> io::Result<()> {
        let length = u32::try_from(blob.len()).ok().filter(|length| *length < LARGEST_PART);
        let length = length.ok_or_else(|| io::Error::other("a part of a snapshot is too large"))?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(blob)?;
        self.parts += 1;
        self.bytes += blob.len() as u64;
        self.unsynced += blob.len() as u64;
        if self.unsynced >= AT_ONCE {
            self.out.flush()?;
            self.out.get_ref().sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Completes and syncs it, and gives it its name. Answers how many bytes it has.
    pub(super) fn finish(mut self, newest: Timestamp) -> io::Result<u64> {
        let end = [newest.as_millis().to_le_bytes(), self.parts.to_le_bytes()].concat();
        self.out.write_all(&0_u32.to_le_bytes())?;
        self.out.write_all(&with_checksum(end))?;
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        std::fs::rename(self.dir.join(UNFINISHED), self.dir.join(name(self.from)))?;
        sync_dir(&self.dir)?;
        Ok(self.bytes)
    }
}

/// A snapshot that was read.
pub(crate) struct Loaded {
    pub(crate) contents: Contents,
    /// The first group that is to be replayed.
    pub(crate) from: u64,
    /// The newest moment before it.
    pub(crate) newest: Timestamp,
    pub(crate) bytes: u64,
}

/// A snapshot that is open: it can be read also when its file is removed.
pub(crate) struct Candidate {
    from: u64,
    file: File,
}

/// Opens all snapshots of the directory, newest first.
pub(crate) fn open_all(dir: &Path) -> io::Result<Vec<Candidate>> {
    let mut found = all(dir)?;
    found.sort_unstable_by(|one, other| other.cmp(one));
    let mut opened = Vec::with_capacity(found.len());
    for from in found {
        match File::open(dir.join(name(from))) {
            Ok(file) => opened.push(Candidate { from, file }),
            // A newer one has taken its place in this instant.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(opened)
}

/// Whether these are the newest of the directory still.
pub(crate) fn are_newest(candidates: &[Candidate], dir: &Path) -> io::Result<bool> {
    Ok(all(dir)?.into_iter().max() <= candidates.first().map(|newest| newest.from))
}

/// Reads the newest snapshot that can be read into what `empty` makes. Events of groups below `first_kept` are gone.
pub(crate) fn load_newest(
    candidates: Vec<Candidate>,
    store_id: [u8; 16],
    empty: &dyn Fn() -> Contents,
    first_kept: u64,
) -> Result<Option<Loaded>, LoadError> {
    let mut damaged = None;
    for Candidate { from, file } in candidates {
        match load(file, store_id, empty(), first_kept) {
            Ok(loaded) => return Ok(Some(loaded)),
            Err(LoadError::Damaged(what)) => {
                tracing::warn!(snapshot = from, what, "a snapshot cannot be read");
                damaged.get_or_insert(LoadError::Damaged(format!("its snapshot {from}: {what}")));
            }
            Err(other) => return Err(other),
        }
    }
    damaged.map_or(Ok(None), Err)
}

fn load(
    file: File,
    store_id: [u8; 16],
    mut contents: Contents,
    first_kept: u64,
) -> Result<Loaded, LoadError> {
    let mut input = BufReader::with_capacity(1 << 18, file);
    let from = header(&mut input, store_id)?;
    let (mut parts, mut bytes, mut blob) = (0_u64, 0_u64, Vec::new());
    loop {
        let length = u32::from_le_bytes(array(&mut input)?);
        if length == 0 {
            break;
        }
        if length >= LARGEST_PART {
            return Err(LoadError::Damaged("a part of it is too large".into()));
        }
        blob.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
        input.read_exact(&mut blob).map_err(cut)?;
        let part = Blob::open(&blob).and_then(|part| {
            part.for_each(|entry| {
                take_in(entry, &mut contents, first_kept);
                Ok(())
            })
        });
        match part {
            Err(newer @ crate::codec::DecodeError::Newer { .. }) => return Err(newer.into()),
            part => part.map_err(|e| LoadError::Damaged(format!("a part of it: {e}")))?,
        }
        parts += 1;
        bytes += u64::from(length);
    }
    let end: [u8; 16] = checked(&mut input)?;
    let (newest, counted) = (i64::from_le_bytes(take(&end, 0)), u64::from_le_bytes(take(&end, 8)));
    if counted != parts {
        return Err(LoadError::Damaged("a part of it is missing".into()));
    }
    Ok(Loaded { contents, from, newest: Timestamp::from_millis(newest), bytes })
}

/// Answers the first group that is to be replayed.
fn header(input: &mut impl Read, store_id: [u8; 16]) -> Result<u64, LoadError> {
    let header: [u8; 36] = checked(input)?;
    if header[..8] != MAGIC {
        return Err(LoadError::Damaged("it is no snapshot".into()));
    }
    let found = u32::from_le_bytes(take(&header, 8));
    if found > FORMAT {
        return Err(LoadError::Newer { found, known: FORMAT });
    }
    if header[12..28] != store_id {
        return Err(LoadError::Damaged("it belongs to another store".into()));
    }
    Ok(u64::from_le_bytes(take(&header, 28)))
}

fn take_in(entry: Entry, contents: &mut Contents, first_kept: u64) {
    match entry {
        Entry::Write(write) => contents.write(write),
        Entry::Counters(room, counters) => contents.state.set_counters(&room, counters),
        Entry::Positions(room, first, positions) => {
            for (seq, position) in (first.0..).zip(positions) {
                if position.group >= first_kept {
                    contents.index.push(room, Seq(seq), position);
                }
            }
        }
        Entry::Cursor(write) => contents.cursor(write),
        // Events are in the journal; nothing writes them here.
        Entry::Event(..) => {}
    }
}

/// Removes what was not finished when the process ended.
pub(crate) fn remove_unfinished(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(UNFINISHED)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes all snapshots but this one.
pub(crate) fn remove_others(dir: &Path, keep: u64) -> io::Result<()> {
    for other in all(dir)?.into_iter().filter(|other| *other != keep) {
        std::fs::remove_file(dir.join(name(other)))?;
    }
    Ok(())
}

/// The first group to be replayed behind each snapshot in the directory.
fn all(dir: &Path) -> io::Result<Vec<u64>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        all.extend(
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|n| n.parse::<u64>().ok()),
        );
    }
    Ok(all)
}

fn name(from: u64) -> String {
    format!("{PREFIX}{from}")
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

fn checked<const N: usize>(input: &mut impl Read) -> Result<[u8; N], LoadError> {
    let bytes: [u8; N] = array(input)?;
    if crc32fast::hash(&bytes) != u32::from_le_bytes(array(input)?) {
        return Err(LoadError::Damaged("a checksum of it does not match".into()));
    }
    Ok(bytes)
}

fn array<const N: usize>(input: &mut impl Read) -> Result<[u8; N], LoadError> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).map_err(cut)?;
    Ok(bytes)
}

fn take<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk::<N>).copied().unwrap_or([0; N])
}

fn cut(error: io::Error) -> LoadError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        LoadError::Damaged("its end is missing".into())
    } else {
        LoadError::Io(error)
    }
}
