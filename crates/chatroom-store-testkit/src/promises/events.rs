//! Every change is told by its event, in the order of the changes, with the counts of that moment.

use chatroom_core::test_util::name;
use chatroom_core::{
    CallbackOutbox, ChatroomId, ChatroomRepository, Counters, EventKind, Leaving, NewRoom, Rejection, Seq,
    Timestamp, Username,
};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::{BEGIN_MS, World, names, rejected, strs, unknown_room};
use crate::{Harness, Promise};

fn named(names: &[&str]) -> Vec<Username> {
    names.iter().map(|n| name(n)).collect()
}

fn joined(names: &[&str]) -> EventKind {
    EventKind::Joined { members: named(names) }
}

fn left(names: &[&str], why: Leaving) -> EventKind {
    EventKind::Left { members: named(names), why }
}

/// What happened in a room and how many members it had then, behind a sequence number.
async fn told<R: ChatroomRepository + CallbackOutbox>(
    world: &World<R>,
    room: ChatroomId,
    after: u64,
) -> Result<Vec<(EventKind, u32)>, Broken> {
    let log = world.log(room).await?;
    Ok(log.into_iter().filter(|event| event.seq.0 > after).map(|e| (e.kind, e.members)).collect())
}

/// Making a room, adding, removing and dissolving write their events, with the members after each change.
pub async fn every_change_writes_its_event(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    world.users(&["c", "d"]).await?;
    let view = world.chatrooms.room(world.app, room).await?;
    let info = view.map(|view| view.room.info).ok_or_else(|| Broken::new("the room must be there"))?;
    let created = EventKind::Created { owner: name("owner"), info };
    ensure_eq!(told(&world, room, 0).await?, [(created, 1), (joined(&["a", "b"]), 3)], "of the creation");
    world.add(room, &["d", "a", "c"]).await?;
    ensure_eq!(told(&world, room, 2).await?, [(joined(&["d", "c"]), 5)], "of the addition");
    world.remove(room, &["owner"]).await?;
    ensure_eq!(told(&world, room, 3).await?, [(left(&["owner"], Leaving::Kicked), 4)], "of the removal");
    world.remove(room, &["c", "owner", "a"]).await?;
    ensure_eq!(told(&world, room, 4).await?, [(left(&["c", "a"], Leaving::Kicked), 2)], "of the batch");
    world.chatrooms.dissolve_room(world.app, room).await?;
    ensure_eq!(told(&world, room, 5).await?, [(EventKind::Dissolved, 2)], "of the dissolution");
    world.sweep().await?;
    let swept = [(left(&["b", "d"], Leaving::RoomDissolved), 0)];
    ensure_eq!(told(&world, room, 6).await?, swept, "of the dissolution's sweep");
    world.check(room).await?;
    Ok(())
}

/// A deleted user leaves its rooms with an event in each, and the rooms that it owns are dissolved with theirs.
pub async fn a_deleted_user_leaves_an_event_in_each_of_its_rooms(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let member = world.populated("owner", &["gone", "a"]).await?;
    let owned = world.room("gone", &["a", "owner"]).await?;
    world.chatrooms.delete_user(world.app, name("gone")).await?;
    ensure_eq!(told(&world, member, 2).await?, [], "nothing is told before it is so");
    world.sweep().await?;
    let quit = left(&["gone"], Leaving::UserDeleted);
    ensure_eq!(told(&world, member, 2).await?, [(quit.clone(), 2)], "of the room it was in");
    let events = told(&world, owned, 2).await?;
    ensure_eq!(events.first(), Some(&(EventKind::Dissolved, 3)), "of the room it owned: {events:?}");
    // Whether the user leaves before or after the room's members are swept is not promised.
    ensure_eq!(events.last().map(|(_, members)| *members), Some(0), "nobody is left: {events:?}");
    world.check(member).await?;
    world.check(owned).await?;
    Ok(())
}

/// What was rejected, or changed nothing, writes no event.
pub async fn what_changes_nothing_writes_no_event(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&["owner", "a", "b"]).await?;
    let new = NewRoom { owner: "owner", max_users: Some(2), members: vec!["a"], ..NewRoom::default() };
    let room = world.chatrooms.create_room(world.app, new).await?.key.id;
    let before = world.log(room).await?;
    rejected(world.remove(room, &["b"]).await, &Rejection::NotMembers(vec![name("b")]))?;
    rejected(world.remove(room, &["a", "nobody"]).await, &Rejection::UserNotFound("nobody".into()))?;
    rejected(world.add(room, &["b"]).await, &Rejection::RoomFull)?;
    ensure_eq!(world.add(room, &["a"]).await?.joined, 0, "a member joins no second time");
    ensure_eq!(world.log(room).await?, before, "the log");
    world.remove(room, &["a"]).await?;
    world.check(room).await?;
    Ok(())
}

/// Events are read from behind a sequence number, so many at most, and counters tell how far the log goes.
pub async fn events_are_read_from_behind_a_sequence_number(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    for _ in 0..4 {
        world.remove(room, &["a"]).await?;
        world.add(room, &["a"]).await?;
    }
    let log = world.log(room).await?;
    ensure_eq!(log.len(), 10, "events");
    for after in 0..=11 {
        for limit in [0, 1, 3, 10, 11] {
            let read = world.store.events(&world.key(room), Seq(after), limit).await?;
            let skip = usize::try_from(after)?;
            let expected: Vec<_> = log.iter().skip(skip).take(limit).cloned().collect();
            ensure_eq!(read, expected, "{limit} events behind {after}");
        }
    }
    let counters = world.store.counters(&world.key(room)).await?;
    ensure_eq!(counters, Some(Counters { seq: Seq(10), members: 2 }), "counters");
    Ok(())
}

/// An event read again is the same, its id too, whatever happened since.
pub async fn events_are_the_same_whenever_they_are_read(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    world.remove(room, &["a"]).await?;
    let log = world.log(room).await?;
    world.add(room, &["a"]).await?;
    world.chatrooms.dissolve_room(world.app, room).await?;
    world.sweep().await?;
    let again = world.log(room).await?;
    ensure_eq!(again[..log.len()], log, "the beginning of the log");
    ensure_eq!(world.log(room).await?, again, "the whole log, read again");
    world.check(room).await?;
    Ok(())
}

/// The rooms of an app are listed by id with how far their logs go, dissolved ones too, from behind any of them on.
pub async fn streams_tell_how_far_the_log_of_every_room_goes(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    ensure_eq!(world.store.streams(world.app, None, 9).await?, [], "of an app without rooms");
    let mut streams = Vec::new();
    for (room, seq, members) in [
        (world.populated("owner", &["a"]).await?, 2, 2),
        (world.room("owner", &[]).await?, 1, 1),
        (world.room("owner", &["a"]).await?, 4, 0),
        (world.room("a", &["owner"]).await?, 3, 1),
    ] {
        streams.push((room, Counters { seq: Seq(seq), members }));
    }
    world.chatrooms.dissolve_room(world.app, streams[2].0).await?;
    world.remove(streams[3].0, &["owner"]).await?;
    world.sweep().await?;
    streams.sort_unstable_by_key(|(room, _)| *room);
    for behind in 0..=streams.len() {
        let after = behind.checked_sub(1).map(|last| streams[last].0);
        for limit in [0, 1, 3, 9] {
            let listed = world.store.streams(world.app, after, limit).await?;
            let expected: Vec<_> = streams.iter().skip(behind).take(limit).copied().collect();
            ensure_eq!(listed, expected, "{limit} streams behind {after:?}");
        }
    }
    let other = chatroom_core::AppId(u128::MAX);
    ensure_eq!(world.store.streams(other, None, 9).await?, [], "of an app that is not there");
    Ok(())
}

/// A room that was never there has no events and no counters.
pub async fn a_room_that_was_never_there_has_no_log(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &[]).await?;
    let never = world.key(unknown_room());
    ensure_eq!(world.store.events(&never, Seq(0), 9).await?, [], "events");
    ensure_eq!(world.store.counters(&never).await?, None, "counters");
    let elsewhere = chatroom_core::RoomKey { app: chatroom_core::AppId(u128::MAX), id: room };
    ensure_eq!(world.store.events(&elsewhere, Seq(0), 9).await?, [], "events of another app");
    Ok(())
}

/// Time never goes back within a room, although the clock does.
pub async fn time_never_goes_back_within_a_room(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b", "c"]).await?;
    let mut expected = BEGIN_MS;
    for (member, step) in [("a", 500), ("b", -10_000), ("c", 10_001)] {
        world.clock.advance(step);
        world.remove(room, &[member]).await?;
        expected = expected.max(chatroom_core::Clock::now(&*world.clock).as_millis());
        let log = world.log(room).await?;
        let at = log.last().map(|event| event.at);
        ensure_eq!(at, Some(Timestamp::from_millis(expected)), "the time of the removal of {member}");
        world.check(room).await?;
    }
    Ok(())
}

/// The members that a room begins with are told a thousand an event.
pub async fn thousands_of_first_members_are_told_a_thousand_an_event(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let members = names("m", 2_500);
    let room = world.populated("owner", &strs(&members)).await?;
    let counts: Vec<u32> = told(&world, room, 0).await?.into_iter().map(|(_, members)| members).collect();
    ensure_eq!(counts, [1, 1_001, 2_001, 2_501], "members after each event");
    world.check(room).await?;
    Ok(())
}

/// Additions beyond what the store may hold are refused; what leaves makes place, once it is swept.
pub async fn additions_beyond_the_bound_of_the_store_are_refused(harness: impl Harness) -> Promise {
    let world = World::bounded(&harness, Some(5)).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    world.users(&["c", "d", "e"]).await?;
    let full = Rejection::StoreFull { limit: 5 };
    rejected(world.add(room, &["c", "d", "e"]).await, &full)?;
    world.add(room, &["c", "d"]).await?;
    rejected(world.add(room, &["e"]).await, &full)?;
    ensure_eq!(world.add(room, &["a"]).await?.joined, 0, "a member needs no second place");
    let new = NewRoom { owner: "owner", ..NewRoom::default() };
    rejected(world.chatrooms.create_room(world.app, new).await, &full)?;
    world.remove(room, &["a"]).await?;
    world.add(room, &["e"]).await?;
    world.chatrooms.dissolve_room(world.app, room).await?;
    world.sweep().await?;
    let room = world.room("owner", &["a", "b", "c", "d"]).await?;
    let check = world.check(room).await?;
    ensure!(check.is_member("d"), "what was swept made place");
    Ok(())
}
