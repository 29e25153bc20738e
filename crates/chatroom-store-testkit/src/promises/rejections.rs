//! What the rules refuse is refused, in the rules' order, and changes nothing.

use chatroom_core::test_util::name;
use chatroom_core::{
    AppId, ChatroomRepository, MembersRequest, NewRoom, NewUser, Order, Registration, Rejection,
};

use crate::broken::ensure_eq;
use crate::visible::Visible;
use crate::world::{World, rejected, unknown_room};
use crate::{Promise, RepositoryHarness};

fn no_room() -> Rejection {
    Rejection::RoomNotFound(unknown_room().to_string().into())
}

fn no_user(name: &str) -> Rejection {
    Rejection::UserNotFound(name.into())
}

/// A room of `owner`, `a` and `b`, with `c` outside, and what is visible of it.
async fn small<R: ChatroomRepository>(
    world: &World<R>,
) -> Result<(chatroom_core::ChatroomId, Visible), crate::Broken> {
    let room = world.populated("owner", &["a", "b"]).await?;
    world.users(&["c"]).await?;
    Ok((room, Visible::of(&*world.store, world.app).await?))
}

async fn unchanged<R: ChatroomRepository>(world: &World<R>, before: &Visible) -> Promise {
    let after = Visible::of(&*world.store, world.app).await?;
    ensure_eq!(after, *before, "what was rejected changes nothing");
    Ok(())
}

/// An unknown room is told before an unknown user, and an unknown user before who is no member.
pub async fn the_room_is_looked_at_before_the_users_and_the_users_before_their_membership(
    harness: impl RepositoryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let (room, before) = small(&world).await?;
    rejected(world.remove(unknown_room(), &["nobody"]).await, &no_room())?;
    rejected(world.add(unknown_room(), &["nobody"]).await, &no_room())?;
    rejected(world.remove(room, &["c", "nobody"]).await, &no_user("nobody"))?;
    rejected(world.add(room, &["nobody"]).await, &no_user("nobody"))?;
    rejected(world.remove(room, &["c"]).await, &Rejection::NotMembers(vec![name("c")]))?;
    unchanged(&world, &before).await
}

/// One unknown user in a batch rejects the whole of it.
pub async fn an_unknown_user_rejects_the_whole_batch(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let (room, before) = small(&world).await?;
    rejected(world.remove(room, &["a", "nobody", "b"]).await, &no_user("nobody"))?;
    rejected(world.add(room, &["c", "bad!name"]).await, &no_user("bad!name"))?;
    unchanged(&world, &before).await
}

/// Removing nobody who is a member is rejected, with the names in the order of the call.
pub async fn removing_who_is_no_member_is_rejected(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let (room, before) = small(&world).await?;
    world.users(&["d"]).await?;
    rejected(world.remove(room, &["d", "c"]).await, &Rejection::NotMembers(vec![name("d"), name("c")]))?;
    world.chatrooms.delete_user(world.app, name("d")).await?;
    world.sweep().await?;
    unchanged(&world, &before).await
}

/// A batch that does not fit into the room is rejected as a whole; one that fits exactly is not.
pub async fn a_batch_that_does_not_fit_is_rejected_as_a_whole(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&["owner", "a", "b", "c"]).await?;
    let new = NewRoom { owner: "owner", max_users: Some(3), ..NewRoom::default() };
    let room = world.chatrooms.create_room(world.app, new).await?.key.id;
    let before = Visible::of(&*world.store, world.app).await?;
    rejected(world.add(room, &["a", "b", "c"]).await, &Rejection::RoomFull)?;
    unchanged(&world, &before).await?;
    ensure_eq!(world.add(room, &["a", "b"]).await?.joined, 2, "a batch that fits joins");
    // Members already there need no place.
    ensure_eq!(world.add(room, &["a"]).await?.joined, 0, "a member needs no second place");
    rejected(world.add(room, &["c"]).await, &Rejection::RoomFull)?;
    world.remove(room, &["owner"]).await?;
    ensure_eq!(world.add(room, &["c"]).await?.joined, 1, "a place that was left is free");
    Ok(())
}

/// A room is made with its owner and all its members, or not at all.
pub async fn a_room_is_made_whole_or_not_at_all(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let (_, before) = small(&world).await?;
    let make = async |owner, members: &[&'static str], max| {
        world.clock.advance(1);
        let new = NewRoom { owner, members: members.to_vec(), max_users: Some(max), ..NewRoom::default() };
        world.chatrooms.create_room(world.app, new).await
    };
    rejected(make("nobody", &["nobody-else"], 9).await, &no_user("nobody"))?;
    rejected(make("owner", &["a", "nobody"], 9).await, &no_user("nobody"))?;
    rejected(make("owner", &["a", "b", "c"], 3).await, &Rejection::MembersExceedMaxUsers)?;
    unchanged(&world, &before).await?;
    let full = make("owner", &["a", "owner", "b"], 3).await?;
    let view = world.chatrooms.room(world.app, full.key.id).await?;
    ensure_eq!(view.map(|view| view.members), Some(3), "the owner counts once");
    Ok(())
}

/// A name that is taken is rejected when it is the only one, and reported when it is one of several.
pub async fn a_taken_name_is_rejected_alone_and_reported_in_a_batch(
    harness: impl RepositoryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let (_, before) = small(&world).await?;
    let register = async |names: &[&str]| {
        world.clock.advance(1);
        let users = names.iter().map(|n| NewUser { name: name(n), nickname: None }).collect();
        world.chatrooms.register_users(world.app, users).await
    };
    rejected(register(&["A"]).await, &Rejection::UserExists(name("a")))?;
    unchanged(&world, &before).await?;
    let answers = register(&["d", "a"]).await?;
    let new = world.chatrooms.user(world.app, &name("d")).await?;
    let expected: Vec<_> =
        new.map(Registration::Registered).into_iter().chain([Registration::Exists(name("a"))]).collect();
    ensure_eq!(answers, expected, "each user of a registration is answered, in order");
    Ok(())
}

/// Who is not there cannot be deleted, and nobody can be deleted twice.
pub async fn deleting_an_unknown_user_is_rejected(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let (_, before) = small(&world).await?;
    rejected(world.chatrooms.delete_user(world.app, name("nobody")).await, &no_user("nobody"))?;
    unchanged(&world, &before).await?;
    world.chatrooms.delete_user(world.app, name("a")).await?;
    rejected(world.chatrooms.delete_user(world.app, name("a")).await, &no_user("a"))?;
    world.sweep().await?;
    rejected(world.chatrooms.delete_user(world.app, name("a")).await, &no_user("a"))
}

/// A room that is dissolved, or whose owner is deleted, rejects every change, swept or not.
pub async fn a_room_that_is_gone_rejects_every_change(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let dissolved = world.populated("owner", &["a", "b"]).await?;
    world.users(&["other"]).await?;
    let orphaned = world.room("other", &["a"]).await?;
    world.chatrooms.dissolve_room(world.app, dissolved).await?;
    world.chatrooms.delete_user(world.app, name("other")).await?;
    for swept in [false, true] {
        for room in [dissolved, orphaned] {
            let gone = Rejection::RoomNotFound(room.to_string().into());
            rejected(world.remove(room, &["a"]).await, &gone)?;
            rejected(world.add(room, &["b"]).await, &gone)?;
            rejected(world.chatrooms.dissolve_room(world.app, room).await, &gone)?;
        }
        if !swept {
            world.sweep().await?;
        }
    }
    Ok(())
}

/// An app that is not there rejects every change and shows nothing.
pub async fn an_app_that_is_not_there_rejects_every_change(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    let nowhere = world.of_app(AppId(u128::MAX));
    rejected(nowhere.remove(room, &["a"]).await, &Rejection::AppGone)?;
    let user = NewUser { name: name("a"), nickname: None };
    rejected(nowhere.chatrooms.register_users(nowhere.app, vec![user]).await, &Rejection::AppGone)?;
    ensure_eq!(Visible::of(&*nowhere.store, nowhere.app).await?, Visible::default(), "nothing is there");
    let request = MembersRequest { from: chatroom_core::From::Start, limit: 9, order: Order::Ascending };
    ensure_eq!(nowhere.chatrooms.members(nowhere.app, room, request).await?, None, "no room is there");
    world.remove(room, &["a"]).await?;
    Ok(())
}
