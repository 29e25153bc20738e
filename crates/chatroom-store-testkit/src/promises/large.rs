//! What is large becomes true at once and is cleaned up in parts, while a neighbour goes on.

use chatroom_core::test_util::name;
use chatroom_core::{CallbackOutbox, ChatroomId, ChatroomRepository, EventKind, Leaving};
use tokio::task::JoinHandle;

use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::{World, names, strs};
use crate::{Harness, Promise, RepositoryHarness};

/// A room beside the large one, from which somebody removes members one after the other.
struct Neighbour {
    room: ChatroomId,
    members: Vec<String>,
}

impl Neighbour {
    async fn of<R: ChatroomRepository>(world: &World<R>) -> Result<Self, Broken> {
        let members = names("n", 100);
        let room = world.populated("neighbour", &strs(&members)).await?;
        Ok(Self { room, members })
    }

    /// Removes half of who is left.
    fn removes<R: ChatroomRepository>(&mut self, world: &World<R>) -> JoinHandle<Promise> {
        let (world, room) = (world.clone(), self.room);
        let half = self.members.split_off(self.members.len() / 2);
        tokio::spawn(async move {
            for name in half {
                world.remove(room, &[&name]).await?;
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }

    /// Sweeps so many times at most while the neighbour removes.
    async fn beside<R: ChatroomRepository>(&mut self, world: &World<R>, sweeps: usize) -> Promise {
        let removes = self.removes(world);
        for _ in 0..sweeps {
            world.clock.advance(1);
            if !world.chatrooms.sweep(1).await? {
                break;
            }
        }
        removes.await??;
        ensure_eq!(world.listed(self.room).await?, self.members, "the neighbour's members");
        Ok(())
    }
}

/// More than any of these takes.
const TO_THE_END: usize = 1_000;

/// Dissolves a room of `size`, sweeps twice, does `between`, and sweeps to the end, all beside a neighbour.
async fn dissolve<R: ChatroomRepository>(
    world: World<R>,
    size: usize,
    between: impl AsyncFnOnce(World<R>) -> World<R>,
) -> Result<(World<R>, [ChatroomId; 2]), Broken> {
    let mut neighbour = Neighbour::of(&world).await?;
    let room = world.populated("owner", &strs(&names("m", size - 1))).await?;
    world.chatrooms.dissolve_room(world.app, room).await?;
    ensure_eq!(world.chatrooms.room(world.app, room).await?, None, "a dissolved room is gone at once");
    neighbour.beside(&world, 2).await?;
    let world = between(world).await;
    ensure!(!world.store.sweeps(9).await?.is_empty(), "two commits cannot sweep a room of {size}");
    ensure_eq!(world.chatrooms.room(world.app, room).await?, None, "a dissolved room stays gone");
    neighbour.beside(&world, TO_THE_END).await?;
    ensure_eq!(world.store.sweeps(9).await?, [], "what is left to sweep");
    Ok((world, [room, neighbour.room]))
}

/// A large room is dissolved and swept while a neighbour removes.
pub async fn a_large_room_is_dissolved_while_a_neighbour_removes(harness: impl RepositoryHarness) -> Promise {
    dissolve(World::new(&harness).await, 2_500, async |world| world).await?;
    Ok(())
}

/// Of a dissolved room of 10,000 every member is named by the event of the commit that removed it.
pub async fn a_room_of_ten_thousand_is_dissolved_with_its_events(harness: impl Harness) -> Promise {
    dissolve_with_events(World::new(&harness).await, async |world| world).await
}

pub(crate) async fn dissolve_with_events<R: ChatroomRepository + CallbackOutbox>(
    world: World<R>,
    between: impl AsyncFnOnce(World<R>) -> World<R>,
) -> Promise {
    let (world, rooms) = dissolve(world, 10_000, between).await?;
    for room in rooms {
        world.check(room).await?;
    }
    Ok(())
}

/// A deleted user leaves a thousand rooms, each with its event, while a neighbour removes.
pub async fn a_user_in_a_thousand_rooms_is_deleted_with_its_events(harness: impl Harness) -> Promise {
    leave_a_thousand(World::new(&harness).await, async |world| world).await
}

pub(crate) async fn leave_a_thousand<R: ChatroomRepository + CallbackOutbox>(
    world: World<R>,
    between: impl AsyncFnOnce(World<R>) -> World<R>,
) -> Promise {
    let mut neighbour = Neighbour::of(&world).await?;
    world.users(&["owner", "gone", "stays"]).await?;
    let mut rooms = Vec::new();
    for _ in 0..20 {
        let made = (0..50).map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.room("owner", &["gone", "stays"]).await })
        });
        for task in made.collect::<Vec<_>>() {
            rooms.push(task.await??);
        }
    }
    world.chatrooms.delete_user(world.app, name("gone")).await?;
    for room in &rooms {
        ensure_eq!(world.listed(*room).await?, ["stays"], "a deleted user is gone at once, everywhere");
    }
    neighbour.beside(&world, 2).await?;
    let world = between(world).await;
    ensure!(!world.store.sweeps(9).await?.is_empty(), "two commits cannot sweep a thousand rooms");
    neighbour.beside(&world, TO_THE_END).await?;
    ensure_eq!(world.store.sweeps(9).await?, [], "what is left to sweep");
    for room in rooms {
        world.check(room).await?;
        let log = world.log(room).await?;
        let left = log.last().map(|event| event.kind.clone());
        let quit = EventKind::Left { members: vec![name("gone")], why: Leaving::UserDeleted };
        ensure_eq!(left, Some(quit), "the last event of room {room}");
        ensure_eq!(world.listed(room).await?, ["stays"], "who stays in room {room}");
    }
    world.check(neighbour.room).await?;
    Ok(())
}

/// With a deleted user go the twenty rooms that it owns, each with its events, while a neighbour removes.
pub async fn the_owner_of_twenty_rooms_is_deleted_with_its_events(harness: impl Harness) -> Promise {
    dissolve_twenty(World::new(&harness).await, async |world| world).await
}

pub(crate) async fn dissolve_twenty<R: ChatroomRepository + CallbackOutbox>(
    world: World<R>,
    between: impl AsyncFnOnce(World<R>) -> World<R>,
) -> Promise {
    let mut neighbour = Neighbour::of(&world).await?;
    let members = names("m", 50);
    world.users(&["owner"]).await?;
    world.users(&members).await?;
    let mut rooms = Vec::new();
    for _ in 0..20 {
        rooms.push(world.room("owner", &strs(&members)).await?);
    }
    world.chatrooms.delete_user(world.app, name("owner")).await?;
    let listed = world.chatrooms.rooms(world.app, None, 0, 99).await?;
    let ids: Vec<_> = listed.iter().map(|view| view.room.key.id).collect();
    ensure_eq!(ids, [neighbour.room], "the rooms of a deleted owner are gone at once");
    neighbour.beside(&world, 2).await?;
    let world = between(world).await;
    ensure!(!world.store.sweeps(99).await?.is_empty(), "two commits cannot sweep twenty rooms");
    neighbour.beside(&world, TO_THE_END).await?;
    ensure_eq!(world.store.sweeps(9).await?, [], "what is left to sweep");
    for room in rooms.into_iter().chain([neighbour.room]) {
        world.check(room).await?;
    }
    Ok(())
}
