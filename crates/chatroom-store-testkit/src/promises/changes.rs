//! What was changed is what every read shows from then on.

use std::sync::Arc;

use chatroom_core::test_util::name;
use chatroom_core::{
    ChatroomId, ChatroomRepository, From, MembersRequest, MembersSlice, NewRoom, NewUser, Order,
    Registration, Removal, RoomInfo, RoomView, User,
};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::visible::Visible;
use crate::world::{World, names, strs};
use crate::{Promise, RepositoryHarness};

async fn slice<R: ChatroomRepository>(world: &World<R>, room: ChatroomId) -> Result<MembersSlice, Broken> {
    let request = MembersRequest { from: From::Start, limit: 1_000, order: Order::Ascending };
    let slice = world.chatrooms.members(world.app, room, request).await?;
    slice.ok_or_else(|| Broken::new(format!("room {room} must be there")))
}

async fn count<R: ChatroomRepository>(world: &World<R>, room: ChatroomId) -> Result<Option<u32>, Broken> {
    Ok(world.chatrooms.room(world.app, room).await?.map(|view| view.members))
}

/// Once a removal is answered, no read shows the member, and the others stay.
pub async fn a_removed_member_is_gone_for_every_read(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b", "c"]).await?;
    for (gone, left, rest) in [("b", 3, &["a", "c"][..]), ("a", 2, &["c"][..]), ("c", 1, &[][..])] {
        let removed = world.remove(room, &[gone]).await?;
        ensure_eq!(removed.removals, [Removal { user: name(gone), removed: true }], "the removal's answer");
        ensure_eq!(world.listed(room).await?, rest, "the list of members");
        ensure_eq!(count(&world, room).await?, Some(left), "the room's count");
        let rooms = world.chatrooms.rooms(world.app, None, 0, 9).await?;
        ensure_eq!(rooms.iter().map(|view| view.members).collect::<Vec<_>>(), [left], "the list of rooms");
        ensure!(world.chatrooms.user(world.app, &name(gone)).await?.is_some(), "who is removed stays a user");
    }
    Ok(())
}

/// A batch removes those who are members and reports the others, in the order of the call.
pub async fn a_batch_removes_the_members_and_reports_the_others(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b", "c"]).await?;
    world.users(&["x"]).await?;
    let removed = world.remove(room, &["c", "x", "a"]).await?;
    let answer: Vec<_> = removed.removals.iter().map(|r| (r.user.as_str(), r.removed)).collect();
    ensure_eq!(answer, [("c", true), ("x", false), ("a", true)], "one answer a name");
    ensure_eq!(world.listed(room).await?, ["b"], "the list of members");
    ensure_eq!(count(&world, room).await?, Some(2), "the room's count");
    Ok(())
}

/// The owner leaves like any member, stays the owner, and is a member again when added.
pub async fn the_owner_leaves_like_any_member_and_stays_the_owner(
    harness: impl RepositoryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    for member in [true, false, true] {
        let slice = slice(&world, room).await?;
        ensure_eq!((slice.owner, slice.owner_is_member), (name("owner"), member), "the owner and his place");
        ensure_eq!(world.listed(room).await?, ["a"], "the owner is never among the others");
        ensure_eq!(count(&world, room).await?, Some(1 + u32::from(member)), "the owner counts as a member");
        if member {
            world.remove(room, &["owner"]).await?;
        } else {
            world.add(room, &["owner"]).await?;
        }
    }
    Ok(())
}

/// Members stand in the order in which they joined; who leaves and joins again stands last.
pub async fn members_stand_in_join_order(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    // Registered in another order than they join in.
    world.users(&["d", "c", "b", "a", "owner"]).await?;
    let room = world.room("owner", &["b", "a"]).await?;
    world.add(room, &["d", "c"]).await?;
    ensure_eq!(world.listed(room).await?, ["b", "a", "d", "c"], "join order");
    world.remove(room, &["a"]).await?;
    world.add(room, &["a", "d"]).await?;
    ensure_eq!(
        world.listed(room).await?,
        ["b", "d", "c", "a"],
        "who joins again stands last, who stayed stays"
    );
    Ok(())
}

/// A new room shows what it was made of, to the last character.
pub async fn a_new_room_shows_what_it_was_made_of(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&["owner", "a", "b"]).await?;
    let info = RoomInfo {
        name: "聊天室 \u{1F600} \"quoted\"\\\n".into(),
        description: "d".repeat(512).into(),
        max_users: 17,
        custom: "{\"k\":\"\\u0000\"}\t".into(),
    };
    let new = NewRoom {
        owner: "Owner",
        name: &info.name,
        description: &info.description,
        max_users: Some(info.max_users),
        custom: &info.custom,
        members: vec!["b", "owner", "a"],
    };
    let made = world.chatrooms.create_room(world.app, new).await?;
    let view = world.chatrooms.room(world.app, made.key.id).await?;
    ensure_eq!(view, Some(RoomView { room: made.clone(), members: 3 }), "the room as it was made");
    ensure_eq!(*made.info, info, "what was said about it");
    ensure_eq!((&made.owner_name, made.dissolved), (&name("owner"), None), "its owner");
    ensure_eq!(world.listed(made.key.id).await?, ["b", "a"], "its first members");
    Ok(())
}

/// A dissolved room is gone for every read at once, whatever is left to sweep.
pub async fn a_dissolved_room_is_gone_at_once(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    let other = world.room("owner", &["a"]).await?;
    world.chatrooms.dissolve_room(world.app, room).await?;
    for swept in [false, true] {
        ensure_eq!(count(&world, room).await?, None, "no such room (swept: {swept})");
        let request = MembersRequest { from: From::Start, limit: 9, order: Order::Ascending };
        ensure_eq!(world.chatrooms.members(world.app, room, request).await?, None, "no list of its members");
        let rooms = world.chatrooms.rooms(world.app, None, 0, 9).await?;
        let ids: Vec<_> = rooms.iter().map(|view| view.room.key.id).collect();
        ensure_eq!(ids, [other], "the list of rooms");
        if !swept {
            world.sweep().await?;
        }
    }
    ensure_eq!(world.listed(other).await?, ["a"], "its members stay in their other rooms");
    Ok(())
}

/// A deleted user is gone for every read at once, and so are the rooms that it owned.
pub async fn a_deleted_user_is_gone_at_once_with_the_rooms_it_owned(
    harness: impl RepositoryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "gone", "b"]).await?;
    let owned = world.room("gone", &["a"]).await?;
    let user = world.chatrooms.user(world.app, &name("gone")).await?;
    let deleted = world.chatrooms.delete_user(world.app, name("gone")).await?;
    ensure_eq!(Some(deleted), user, "the answer is the user as it was");
    for swept in [false, true] {
        ensure_eq!(
            world.chatrooms.user(world.app, &name("gone")).await?,
            None,
            "no such user (swept: {swept})"
        );
        ensure_eq!(world.listed(room).await?, ["a", "b"], "the list of members (swept: {swept})");
        ensure_eq!(count(&world, owned).await?, None, "no room without an owner (swept: {swept})");
        let visible = Visible::of(&*world.store, world.app).await?;
        let users: Vec<_> = visible.users.iter().map(|user| user.name.as_str()).collect();
        ensure_eq!(users, ["owner", "a", "b"], "the list of users (swept: {swept})");
        ensure_eq!(visible.rooms.len(), 1, "the list of rooms (swept: {swept})");
        if !swept {
            world.sweep().await?;
        }
    }
    ensure_eq!(count(&world, room).await?, Some(3), "the room's count once it is swept");
    Ok(())
}

/// A name that is registered again is a new user: a member of nothing, the owner of nothing.
pub async fn a_name_registered_again_is_a_new_user(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["again"]).await?;
    let owned = world.room("again", &[]).await?;
    let old = world.chatrooms.delete_user(world.app, name("again")).await?;
    world.users(&["again"]).await?;
    let new = world.chatrooms.user(world.app, &name("again")).await?;
    ensure!(new.is_some_and(|new| new.id != old.id), "internal ids are never used again");
    for swept in [false, true] {
        ensure_eq!(world.listed(room).await?, [""; 0], "it is a member of nothing (swept: {swept})");
        ensure_eq!(count(&world, owned).await?, None, "and the owner of nothing (swept: {swept})");
        if !swept {
            world.sweep().await?;
        }
    }
    world.add(room, &["again"]).await?;
    ensure_eq!(world.listed(room).await?, ["again"], "it joins as anybody");
    Ok(())
}

/// A member that was deleted and registered again before the sweep can join at once, and the sweep takes only the
/// old membership.
pub async fn a_sweep_takes_only_what_the_deleted_user_left(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["again", "b"]).await?;
    world.chatrooms.delete_user(world.app, name("again")).await?;
    world.users(&["again"]).await?;
    world.add(room, &["again"]).await?;
    ensure_eq!(world.listed(room).await?, ["b", "again"], "the new user stands last");
    world.sweep().await?;
    ensure_eq!(world.listed(room).await?, ["b", "again"], "the sweep leaves the new user alone");
    ensure_eq!(count(&world, room).await?, Some(3), "the room's count");
    Ok(())
}

/// Users are found by name in any case, with the nickname that was given and no other, and are listed by pages in
/// the order of their registration.
pub async fn users_are_found_and_listed_in_order(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let nickname: Arc<str> = "小明 \u{1F600}".into();
    let users = vec![
        NewUser { name: name("Zed"), nickname: Some(nickname.clone()) },
        NewUser { name: name("a_.-9"), nickname: None },
    ];
    let registered = world.chatrooms.register_users(world.app, users).await?;
    let mut all: Vec<User> = registered
        .into_iter()
        .filter_map(|r| match r {
            Registration::Registered(user) => Some(user),
            Registration::Exists(_) => None,
        })
        .collect();
    ensure_eq!(all.len(), 2, "both are registered");
    let zed = world.chatrooms.user(world.app, &name("zed")).await?;
    ensure_eq!(zed.as_ref(), all.first(), "the user as it was registered");
    ensure_eq!(zed.and_then(|zed| zed.nickname), Some(nickname), "the nickname that was given");
    for user in ["m", "b", "y"] {
        world.users(&[user]).await?;
        all.extend(world.chatrooms.user(world.app, &name(user)).await?);
    }
    for limit in 1..=6 {
        let mut listed: Vec<User> = Vec::new();
        loop {
            let after = listed.last().map(|user| user.id);
            let page = world.chatrooms.users(world.app, after, limit).await?;
            ensure!(page.len() <= limit, "a page must not be longer than asked for");
            ensure!(page.iter().all(|user| Some(user.id) > after), "behind {after:?}: {page:?}");
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        ensure_eq!(listed, all, "the pages of {limit} put together");
    }
    Ok(())
}

/// Rooms are listed oldest first, by cursor and by number.
pub async fn rooms_are_listed_oldest_first(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&["owner", "a"]).await?;
    let mut all = Vec::new();
    for members in [&["a"][..], &[], &["a"], &[], &["a"], &[]] {
        all.push(world.room("owner", members).await?);
    }
    world.chatrooms.dissolve_room(world.app, all.remove(2)).await?;
    let ids = |views: Vec<RoomView>| views.iter().map(|view| view.room.key.id).collect::<Vec<_>>();
    for limit in 1..=6 {
        for skip in 0..=6 {
            let listed = ids(world.chatrooms.rooms(world.app, None, skip, limit).await?);
            let expected: Vec<_> = all.iter().copied().skip(skip).take(limit).collect();
            ensure_eq!(listed, expected, "from {skip} on, {limit}");
        }
        for (index, after) in all.iter().enumerate() {
            let listed = ids(world.chatrooms.rooms(world.app, Some(*after), 1, limit).await?);
            let expected: Vec<_> = all.iter().copied().skip(index + 2).take(limit).collect();
            ensure_eq!(listed, expected, "behind {after} without one, {limit}");
        }
    }
    Ok(())
}

/// A room may begin with more members than a commit else holds; they are there all at once.
pub async fn a_room_begins_with_thousands(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let members = names("m", 2_500);
    let room = world.populated("owner", &strs(&members)).await?;
    ensure_eq!(world.listed(room).await?, members, "the members in the order of the call");
    ensure_eq!(count(&world, room).await?, Some(2_501), "the room's count");
    Ok(())
}
