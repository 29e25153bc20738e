//! Numbers and ids as the database has them.

use chatroom_core::{
    AppId, ChatroomId, EventId, JoinOrder, RoomKey, RuleId, Seq, StorageError, Timestamp, UserId,
};
use uuid::Uuid;

use crate::error::corrupt;

/// Ids of the database are signed. Those in use reach this in 2039 (of users) or never.
pub(crate) fn to_db(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn from_db(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|error| corrupt("a number is negative", error))
}

pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1)
}

pub(crate) fn app(id: AppId) -> Uuid {
    Uuid::from_u128(id.0)
}

pub(crate) fn event(id: EventId) -> Uuid {
    Uuid::from_u128(id.0)
}

pub(crate) fn rule(id: RuleId) -> Uuid {
    Uuid::from_u128(id.0)
}

pub(crate) fn room(id: ChatroomId) -> i64 {
    to_db(id.as_number())
}

pub(crate) fn user(id: UserId) -> i64 {
    to_db(id.0)
}

pub(crate) fn seq(seq: Seq) -> i64 {
    to_db(seq.0)
}

pub(crate) fn joined(joined: JoinOrder) -> i64 {
    to_db(joined.0)
}

pub(crate) fn app_of(id: Uuid) -> AppId {
    AppId(id.as_u128())
}

pub(crate) fn room_of(app: Uuid, id: i64) -> Result<RoomKey, StorageError> {
    Ok(RoomKey { app: app_of(app), id: room_id(id)? })
}

pub(crate) fn room_id(id: i64) -> Result<ChatroomId, StorageError> {
    ChatroomId::from_number(from_db(id)?).map_err(|error| corrupt("a chatroom's id is none", error))
}

pub(crate) fn user_of(id: i64) -> Result<UserId, StorageError> {
    Ok(UserId(from_db(id)?))
}

pub(crate) fn seq_of(number: i64) -> Result<Seq, StorageError> {
    Ok(Seq(from_db(number)?))
}

pub(crate) fn joined_of(number: i64) -> Result<JoinOrder, StorageError> {
    Ok(JoinOrder(from_db(number)?))
}

pub(crate) fn small(number: i64) -> Result<u32, StorageError> {
    u32::try_from(number).map_err(|error| corrupt("a count is out of bounds", error))
}

pub(crate) fn time_of(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}
