mod golden;
mod values;

use chatroom_core::{
    AppId, ChatroomId, EventId, EventKind, JoinOrder, Key, Leaving, Membership, Record, Timestamp, UserId,
};
use proptest::collection::vec;
use proptest::prelude::*;

use self::values::{cursor_writes, events, rooms, writes};
use super::*;

fn read(bytes: &[u8]) -> Result<Vec<Entry>, DecodeError> {
    let mut entries = Vec::new();
    Blob::open(bytes)?.for_each(|entry| {
        entries.push(entry);
        Ok::<(), DecodeError>(())
    })?;
    Ok(entries)
}

proptest! {
    #[test]
    fn what_was_written_is_read(groups in vec(group(), 0..8)) {
        let (mut writer, mut expected) = (BlobWriter::new(), Vec::new());
        for group in groups {
            expected.extend(write(&mut writer, group));
        }
        let bytes = writer.finish();
        prop_assert_eq!(read(&bytes), Ok(expected.clone()));
        for entry in expected {
            if let Entry::Event(offset, event) = entry {
                prop_assert_eq!(Blob::open(&bytes).unwrap().event_at(offset, event.room), Ok(event));
            }
        }
    }

    #[test]
    fn what_is_taken_back_leaves_no_trace(before in group(), undone in group(), after in group()) {
        let (mut with, mut without) = (BlobWriter::new(), BlobWriter::new());
        write(&mut with, before.clone());
        let mark = with.mark();
        write(&mut with, undone);
        with.rewind(mark);
        write(&mut with, after.clone());
        write(&mut without, before);
        write(&mut without, after);
        prop_assert_eq!(with.finish(), without.finish());
    }

    #[test]
    fn the_parts_of_a_snapshot_are_read(
        room in rooms(), seq in any::<u64>(), members in any::<u32>(),
        places in vec((any::<u64>(), any::<u32>()), 0..9),
    ) {
        let counters = Counters { seq: Seq(seq), members };
        let places: Vec<_> = places.into_iter().map(|(group, offset)| Position { group, offset }).collect();
        let mut writer = BlobWriter::new();
        writer.counters(&room, counters);
        writer.positions(&room, Seq(seq), &places);
        let expected = vec![Entry::Counters(room, counters), Entry::Positions(room, Seq(seq), places)];
        prop_assert_eq!(read(&writer.finish()), Ok(expected));
    }

    #[test]
    fn bytes_that_are_no_blob_are_an_error_and_no_panic(
        version in 1..=VERSION, bytes in vec(any::<u8>(), 0..400),
    ) {
        let mut garbage = vec![version];
        garbage.extend(bytes);
        let garbage = with_checksum(garbage);
        drop(read(&garbage));
        drop(Blob::open(&garbage).unwrap().event_at(17, room()));
    }

    /// Garbage gets further where most of it is right.
    #[test]
    fn a_blob_that_was_tampered_with_is_no_panic(
        group in group(), at in any::<usize>(), bytes in vec(any::<u8>(), 0..3), gone in 0..3_usize,
    ) {
        let mut writer = BlobWriter::new();
        write(&mut writer, group);
        let mut blob = writer.finish();
        blob.truncate(blob.len() - 4);
        let at = 1 + at % blob.len();
        blob.splice(at..(at + gone).min(blob.len()), bytes);
        drop(read(&with_checksum(blob)));
    }

    #[test]
    fn a_blob_that_was_cut_is_an_error_or_ends_sooner(group in group(), at in any::<usize>()) {
        let mut writer = BlobWriter::new();
        let entries = write(&mut writer, group);
        let mut blob = writer.finish();
        blob.truncate(blob.len() - 4);
        blob.truncate(1 + at % blob.len());
        if let Ok(read) = read(&with_checksum(blob)) {
            prop_assert_eq!(&read[..], &entries[..read.len()]);
        }
    }

    #[test]
    fn a_changed_byte_is_found(group in group(), at in any::<usize>(), by in 1..=255_u8) {
        let mut writer = BlobWriter::new();
        write(&mut writer, group);
        let mut bytes = writer.finish();
        let at = at % bytes.len();
        bytes[at] ^= by;
        prop_assert!(read(&bytes).is_err());
    }
}

/// What a group may hold.
type Group = (Vec<Write>, Vec<Event>, Vec<CursorWrite>);

fn group() -> impl Strategy<Value = Group> {
    (vec(writes(), 0..8), vec(events(), 0..4), vec(cursor_writes(), 0..4))
}

/// Writes all of it, and answers what is to be read.
fn write(writer: &mut BlobWriter, (writes, events, cursors): Group) -> Vec<Entry> {
    writer.writes(&writes);
    let mut entries: Vec<_> = writes.into_iter().map(Entry::Write).collect();
    for event in events {
        entries.push(Entry::Event(writer.event(&event).unwrap(), event));
    }
    for cursor in cursors {
        writer.cursor(&cursor);
        entries.push(Entry::Cursor(cursor));
    }
    entries
}

/// A checksum that fits lets garbage in.
fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn room() -> RoomKey {
    RoomKey { app: AppId(7), id: ChatroomId::TEST }
}

/// An app's memberships of today, spread over a year of registrations.
fn member(n: u64) -> Membership {
    let day = 86_400_000 * i64::try_from(n.wrapping_mul(7_919) % 365).unwrap();
    let user =
        UserId::at(Timestamp::from_millis(1_700_000_000_000 + day), n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    Membership { room: room(), user, joined: JoinOrder::of(Seq(9), usize::try_from(n).unwrap()) }
}

fn event(kind: EventKind) -> Event {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Event { id: EventId(1 << 100), room: room(), seq: Seq(9), at, members: 500, kind }
}

#[test]
fn a_membership_of_an_addition_takes_at_most_25_bytes_with_its_part_of_the_event() {
    let members = (0..60).map(|n| format!("user_{n:06}").parse().unwrap()).collect();
    let writes: Vec<_> = (0..60).map(|n| Write::Put(Record::Membership(member(n)))).collect();
    let mut writer = BlobWriter::new();
    writer.writes(&writes);
    writer.event(&event(EventKind::Joined { members })).unwrap();
    assert!(writer.len() <= 25 * 60, "{} bytes for 60", writer.len());
}

#[test]
fn a_removal_takes_at_most_100_bytes_with_its_event() {
    let mut writer = BlobWriter::new();
    writer.writes(&[Write::Delete(Key::Membership(room(), member(3).user))]);
    let members = vec!["user_000003".parse().unwrap()];
    writer.event(&event(EventKind::Left { members, why: Leaving::Kicked })).unwrap();
    assert!(writer.finish().len() <= 100);
}

#[test]
fn a_position_takes_twelve_bytes() {
    assert_eq!(size_of::<Position>(), 12);
}

#[test]
fn a_blob_of_a_newer_version_is_refused_by_its_number() {
    let newer = vec![VERSION + 1, 0xFF];
    let error = read(&with_checksum(newer)).unwrap_err();
    assert_eq!(error, DecodeError::Newer { found: VERSION + 1 });
    assert!(error.to_string().contains("newer version"), "{error}");
}
