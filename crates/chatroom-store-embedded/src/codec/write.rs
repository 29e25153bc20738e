use chatroom_core::{
    AppId, Counters, CursorWrite, Event, JoinOrder, Key, Membership, Record, RoomKey, Seq, Sweep, UserId,
    Write,
};

use super::bytes::{put_delta, put_text, put_varint};
use super::records::{put_app, put_event, put_info, put_time};
use super::{Context, Position, Unencodable, VERSION, callbacks, kind};

/// Writes a blob, entry by entry.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    bytes: Vec<u8>,
    context: Context,
}

/// Where a [`BlobWriter`] stood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    length: usize,
    context: Context,
}

impl BlobWriter {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![VERSION], context: Context::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.len() == 1
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { length: self.bytes.len(), context: self.context }
    }

    /// Takes back what was written since.
    pub(crate) fn rewind(&mut self, to: Mark) {
        self.bytes.truncate(to.length);
        self.context = to.context;
    }

    /// The blob, with its checksum.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let checksum = crc32fast::hash(&self.bytes);
        self.bytes.extend_from_slice(&checksum.to_le_bytes());
        self.bytes
    }

    /// Changes, in their order. Neighbours that add to or take from the same room share an entry.
    pub(crate) fn writes(&mut self, mut writes: &[Write]) {
        while let Some((first, rest)) = writes.split_first() {
            let run = 1 + rest.iter().take_while(|next| shares_entry(first, next)).count();
            let (together, behind) = writes.split_at(run);
            writes = behind;
            match first {
                Write::Put(Record::Membership(Membership { room, .. })) => {
                    let members = together.iter().filter_map(|write| match write {
                        Write::Put(Record::Membership(m)) => Some((m.user, m.joined)),
                        _ => None,
                    });
                    self.members(room, run, members);
                }
                Write::Delete(Key::Membership(room, _)) => {
                    self.room(kind::DELETE_MEMBERSHIPS, room);
                    put_varint(&mut self.bytes, run as u64);
                    for write in together {
                        if let Write::Delete(Key::Membership(_, user)) = write {
                            self.user(*user);
                        }
                    }
                }
                Write::Put(record) => self.put(record),
                Write::Delete(key) => self.delete(key),
            }
        }
    }

    /// Members of a room, `count` of them.
    pub(crate) fn members(
        &mut self,
        room: &RoomKey,
        count: usize,
        members: impl Iterator<Item = (UserId, JoinOrder)>,
    ) {
        self.room(kind::PUT_MEMBERSHIPS, room);
        put_varint(&mut self.bytes, count as u64);
        for (user, joined) in members.take(count) {
            self.user(user);
            put_delta(&mut self.bytes, &mut self.context.joined, joined.0);
        }
    }

    /// An event. Answers where in the blob it begins; on an error, nothing was written.
    pub(crate) fn event(&mut self, event: &Event) -> Result<u32, Unencodable> {
        let mark = self.mark();
        self.room(kind::EVENT, &event.room);
        let begin = u32::try_from(self.bytes.len());
        let written = begin.map_err(|_too_far| Unencodable("a group of more than 4 GiB"));
        written.and_then(|begin| put_event(&mut self.bytes, event).map(|()| begin)).inspect_err(|_| {
            self.rewind(mark);
        })
    }

    pub(crate) fn counters(&mut self, room: &RoomKey, counters: Counters) {
        self.room(kind::COUNTERS, room);
        put_varint(&mut self.bytes, counters.seq.0);
        put_varint(&mut self.bytes, counters.members.into());
    }

    pub(crate) fn positions(&mut self, room: &RoomKey, first: Seq, positions: &[Position]) {
        self.room(kind::POSITIONS, room);
        put_varint(&mut self.bytes, first.0);
        put_varint(&mut self.bytes, positions.len() as u64);
        let mut group = 0;
        for position in positions {
            put_delta(&mut self.bytes, &mut group, position.group);
            put_varint(&mut self.bytes, position.offset.into());
        }
    }

    pub(crate) fn put(&mut self, record: &Record) {
        match record {
            Record::App(app) => {
                self.app(kind::PUT_APP, app.id);
                put_app(&mut self.bytes, app);
            }
            Record::User(user) => {
                self.app(kind::PUT_USER, user.app);
                self.user(user.id);
                put_text(&mut self.bytes, user.name.as_str());
                self.bytes.push(user.nickname.is_some().into());
                if let Some(nickname) = &user.nickname {
                    put_text(&mut self.bytes, nickname);
                }
                self.bytes.push(user.deleted.into());
            }
            Record::Room(room) => {
                self.room(kind::PUT_ROOM, &room.key);
                self.user(room.owner);
                put_text(&mut self.bytes, room.owner_name.as_str());
                put_info(&mut self.bytes, &room.info);
                put_time(&mut self.bytes, room.created);
                self.bytes.push(room.dissolved.is_some().into());
                if let Some(dissolved) = room.dissolved {
                    put_time(&mut self.bytes, dissolved);
                }
            }
            Record::Membership(Membership { room, user, joined }) => {
                self.members(room, 1, std::iter::once((*user, *joined)));
            }
            Record::Sweep(Sweep::Room(room)) => self.room(kind::PUT_SWEEP_ROOM, room),
            Record::Sweep(Sweep::User(app, user)) => {
                self.app(kind::PUT_SWEEP_USER, *app);
                self.user(*user);
            }
            Record::Sweep(Sweep::App(app)) => self.app(kind::PUT_SWEEP_APP, *app),
            Record::Rule(rule) => {
                self.app(kind::PUT_RULE, rule.app);
                callbacks::put_rule(&mut self.bytes, rule);
            }
        }
    }

    fn delete(&mut self, key: &Key) {
        match key {
            Key::App(app) => self.app(kind::DELETE_APP, *app),
            Key::User(app, user) => {
                self.app(kind::DELETE_USER, *app);
                self.user(*user);
            }
            Key::Room(room) => self.room(kind::DELETE_ROOM, room),
            Key::Membership(room, user) => {
                self.room(kind::DELETE_MEMBERSHIPS, room);
                put_varint(&mut self.bytes, 1);
                self.user(*user);
            }
            Key::Sweep(Sweep::Room(room)) => self.room(kind::DELETE_SWEEP_ROOM, room),
            Key::Sweep(Sweep::User(app, user)) => {
                self.app(kind::DELETE_SWEEP_USER, *app);
                self.user(*user);
            }
            Key::Sweep(Sweep::App(app)) => self.app(kind::DELETE_SWEEP_APP, *app),
            Key::Rule(app, rule) => {
                self.app(kind::DELETE_RULE, *app);
                self.bytes.extend_from_slice(&rule.0.to_be_bytes());
            }
        }
    }

    /// What became of deliveries.
    pub(crate) fn cursor(&mut self, write: &CursorWrite) {
        let (kind, room, rule) = callbacks::place(write);
        self.room(kind, &room);
        let same = self.context.rule == Some(rule);
        self.bytes.push(same.into());
        if !same {
            self.bytes.extend_from_slice(&rule.0.to_be_bytes());
            self.context.rule = Some(rule);
        }
        callbacks::put_cursor(&mut self.bytes, write);
    }

    fn user(&mut self, user: UserId) {
        put_delta(&mut self.bytes, &mut self.context.user, user.0);
    }

    /// Begins an entry of an app.
    fn app(&mut self, kind: u8, app: AppId) {
        if self.context.app == Some(app) {
            self.bytes.push(kind | kind::SAME);
            return;
        }
        self.bytes.push(kind | kind::OTHER_APP);
        self.bytes.extend_from_slice(&app.0.to_be_bytes());
        self.context.app = Some(app);
        self.context.room = None;
    }

    /// Begins an entry of a room.
    fn room(&mut self, kind: u8, room: &RoomKey) {
        let other_app = self.context.app != Some(room.app);
        if !other_app && self.context.room == Some(room.id) {
            self.bytes.push(kind | kind::SAME);
            return;
        }
        if other_app {
            self.bytes.push(kind | kind::OTHER_APP);
            self.bytes.extend_from_slice(&room.app.0.to_be_bytes());
        } else {
            self.bytes.push(kind | kind::SAME_APP);
        }
        put_varint(&mut self.bytes, room.id.as_number());
        self.context.app = Some(room.app);
        self.context.room = Some(room.id);
    }
}

fn shares_entry(first: &Write, next: &Write) -> bool {
    match (first, next) {
        (Write::Put(Record::Membership(a)), Write::Put(Record::Membership(b))) => a.room == b.room,
        (Write::Delete(Key::Membership(a, _)), Write::Delete(Key::Membership(b, _))) => a == b,
        _ => false,
    }
}
