use std::sync::Arc;

use chatroom_core::{
    AppId, ChatroomId, Counters, Event, JoinOrder, Key, Membership, Record, Room, RoomKey, RuleId, Seq,
    Sweep, User, UserId, Write,
};

use super::bytes::Reader;
use super::{Context, DecodeError, Entry, Position, VERSION, callbacks, kind, records};

/// A blob whose version and checksum are right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blob<'a> {
    /// Everything but the checksum; entries begin at 1.
    bytes: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Looks at the version and the checksum.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (bytes, checksum) =
            bytes.split_last_chunk::<4>().ok_or(DecodeError::Malformed("it is too short"))?;
        let version = *bytes.first().ok_or(DecodeError::Malformed("it is too short"))?;
        if crc32fast::hash(bytes) != u32::from_le_bytes(*checksum) {
            return Err(DecodeError::Checksum);
        }
        if version > VERSION {
            return Err(DecodeError::Newer { found: version });
        }
        if version == 0 {
            return Err(DecodeError::Malformed("it has no version"));
        }
        Ok(Self { bytes })
    }

    /// Shows every entry to `visit`, in order.
    pub(crate) fn for_each<E: From<DecodeError>>(
        &self,
        mut visit: impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut entries = Entries { from: Reader::new(self.bytes, 1), context: Context::default() };
        while entries.from.left() > 0 {
            entries.next(&mut visit)?;
        }
        Ok(())
    }

    /// The event that begins at `offset`, and belongs to this room.
    pub(crate) fn event_at(&self, offset: u32, room: RoomKey) -> Result<Event, DecodeError> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        records::event(room, &mut Reader::new(self.bytes, at))
    }
}

struct Entries<'a> {
    from: Reader<'a>,
    context: Context,
}

impl Entries<'_> {
    /// Reads one entry, and shows it; the memberships of one entry one by one.
    fn next<E: From<DecodeError>>(
        &mut self,
        visit: &mut impl FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let tag = self.from.byte()?;
        let scope = tag & !kind::MASK;
        let write = match tag & kind::MASK {
            kind::PUT_MEMBERSHIPS => {
                let room = self.room(scope)?;
                for _ in 0..self.from.count()? {
                    let user = self.user()?;
                    let joined = JoinOrder(self.from.delta(&mut self.context.joined)?);
                    let record = Record::Membership(Membership { room, user, joined });
                    visit(Entry::Write(Write::Put(record)))?;
                }
                return Ok(());
            }
            kind::DELETE_MEMBERSHIPS => {
                let room = self.room(scope)?;
                for _ in 0..self.from.count()? {
                    visit(Entry::Write(Write::Delete(Key::Membership(room, self.user()?))))?;
                }
                return Ok(());
            }
            kind::EVENT => {
                let room = self.room(scope)?;
                let begin = u32::try_from(self.from.at())
                    .map_err(|_too_far| DecodeError::Malformed("it is longer than 4 GiB"))?;
                return visit(Entry::Event(begin, records::event(room, &mut self.from)?));
            }
            kind::COUNTERS => {
                let room = self.room(scope)?;
                let counters = Counters { seq: Seq(self.from.varint()?), members: self.from.number()? };
                return visit(Entry::Counters(room, counters));
            }
            kind::POSITIONS => {
                let room = self.room(scope)?;
                let first = Seq(self.from.varint()?);
                return visit(Entry::Positions(room, first, self.positions()?));
            }
            tag @ (kind::PUT_CURSOR | kind::CURSOR_DONE | kind::BURY | kind::UNBURY) => {
                let (room, rule) = (self.room(scope)?, self.rule()?);
                return visit(Entry::Cursor(callbacks::cursor(tag, room, rule, &mut self.from)?));
            }
            kind::PUT_RULE => {
                let app = self.app(scope)?;
                Write::Put(Record::Rule(Box::new(callbacks::rule(app, &mut self.from)?)))
            }
            kind::DELETE_RULE => {
                Write::Delete(Key::Rule(self.app(scope)?, callbacks::rule_id(&mut self.from)?))
            }
            kind::PUT_APP => {
                let id = self.app(scope)?;
                Write::Put(Record::App(Box::new(records::app(id, &mut self.from)?)))
            }
            kind::PUT_USER => Write::Put(Record::User(self.user_record(scope)?)),
            kind::PUT_ROOM => Write::Put(Record::Room(self.room_record(scope)?)),
            kind::PUT_SWEEP_ROOM => Write::Put(Record::Sweep(Sweep::Room(self.room(scope)?))),
            kind::PUT_SWEEP_USER => Write::Put(Record::Sweep(Sweep::User(self.app(scope)?, self.user()?))),
            kind::PUT_SWEEP_APP => Write::Put(Record::Sweep(Sweep::App(self.app(scope)?))),
            kind::DELETE_APP => Write::Delete(Key::App(self.app(scope)?)),
            kind::DELETE_USER => Write::Delete(Key::User(self.app(scope)?, self.user()?)),
            kind::DELETE_ROOM => Write::Delete(Key::Room(self.room(scope)?)),
            kind::DELETE_SWEEP_ROOM => Write::Delete(Key::Sweep(Sweep::Room(self.room(scope)?))),
            kind::DELETE_SWEEP_USER => Write::Delete(Key::Sweep(Sweep::User(self.app(scope)?, self.user()?))),
            kind::DELETE_SWEEP_APP => Write::Delete(Key::Sweep(Sweep::App(self.app(scope)?))),
            _ => return Err(DecodeError::Malformed("it holds an entry of a kind that does not exist").into()),
        };
        visit(Entry::Write(write))
    }

    fn user_record(&mut self, scope: u8) -> Result<User, DecodeError> {
        let (app, id) = (self.app(scope)?, self.user()?);
        let name = records::name(&mut self.from)?;
        let nickname = if self.from.flag()? { Some(Arc::from(self.from.text()?)) } else { None };
        Ok(User { app, id, name, nickname, deleted: self.from.flag()? })
    }

    fn room_record(&mut self, scope: u8) -> Result<Room, DecodeError> {
        let (key, owner) = (self.room(scope)?, self.user()?);
        let owner_name = records::name(&mut self.from)?;
        let info = records::info(&mut self.from)?;
        let created = records::time(&mut self.from)?;
        let dissolved = if self.from.flag()? { Some(records::time(&mut self.from)?) } else { None };
        Ok(Room { key, owner, owner_name, info, created, dissolved })
    }

    fn positions(&mut self) -> Result<Vec<Position>, DecodeError> {
        let mut before = 0;
        let count = self.from.count()?;
        (0..count)
            .map(|_| {
                let group = self.from.delta(&mut before)?;
                Ok(Position { group, offset: self.from.number()? })
            })
            .collect()
    }

    fn user(&mut self) -> Result<UserId, DecodeError> {
        Ok(UserId(self.from.delta(&mut self.context.user)?))
    }

    /// The rule of an entry about deliveries: that of the entry before, or another.
    fn rule(&mut self) -> Result<RuleId, DecodeError> {
        if self.from.flag()? {
            return self.context.rule.ok_or(NOTHING_BEFORE);
        }
        let rule = callbacks::rule_id(&mut self.from)?;
        self.context.rule = Some(rule);
        Ok(rule)
    }

    fn app(&mut self, scope: u8) -> Result<AppId, DecodeError> {
        match scope {
            kind::SAME => self.context.app.ok_or(NOTHING_BEFORE),
            kind::OTHER_APP => {
                let app = AppId(u128::from_be_bytes(self.from.array()?));
                self.context.app = Some(app);
                self.context.room = None;
                Ok(app)
            }
            _ => Err(DecodeError::Malformed("it holds an entry of a scope that does not exist")),
        }
    }

    fn room(&mut self, scope: u8) -> Result<RoomKey, DecodeError> {
        if scope == kind::SAME {
            let (app, id) = self.context.app.zip(self.context.room).ok_or(NOTHING_BEFORE)?;
            return Ok(RoomKey { app, id });
        }
        let app = self.app(if scope == kind::SAME_APP { kind::SAME } else { scope })?;
        let id = ChatroomId::from_number(self.from.varint()?)
            .map_err(|_illegal| DecodeError::Malformed("it holds a chatroom id that is none"))?;
        self.context.room = Some(id);
        Ok(RoomKey { app, id })
    }
}

const NOTHING_BEFORE: DecodeError = DecodeError::Malformed("it leans on an entry that is not there");
