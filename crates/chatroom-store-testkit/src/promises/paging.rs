//! Pages put together are the room, also while members go.

use std::collections::BTreeSet;
use std::sync::Arc;

use chatroom_core::{
    ChatroomId, ChatroomRepository, From, JoinOrder, Member, MembersRequest, MembersSlice, Order,
};
use tokio::sync::Semaphore;

use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::{World, in_order, names, strs};
use crate::{Promise, RepositoryHarness};

async fn page<R: ChatroomRepository>(
    world: &World<R>,
    room: ChatroomId,
    from: From,
    limit: usize,
    order: Order,
) -> Result<MembersSlice, Broken> {
    let request = MembersRequest { from, limit, order };
    let slice = world.chatrooms.members(world.app, room, request).await?;
    slice.ok_or_else(|| Broken::new(format!("room {room} must be there")))
}

fn named(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.name.as_str()).collect()
}

const SEVEN: [&str; 8] = ["owner", "a", "b", "c", "d", "e", "f", "g"];

/// A room of seven: one more has left, and the owner stands between the others, and their names in this order.
async fn seven<R: ChatroomRepository>(
    world: &World<R>,
    order: Order,
) -> Result<(ChatroomId, Vec<&'static str>), Broken> {
    let room = world.room("owner", &["a", "b", "c"]).await?;
    world.remove(room, &["owner", "b"]).await?;
    world.add(room, &["d", "owner", "e"]).await?;
    world.add(room, &["f", "g"]).await?;
    let mut all = vec!["a", "c", "d", "e", "f", "g"];
    if order == Order::Descending {
        all.reverse();
    }
    Ok((room, all))
}

/// Pages by number, put together, are the room without its owner, in both orders.
pub async fn pages_by_number_put_together_are_the_room(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&SEVEN).await?;
    let (room, ascending) = seven(&world, Order::Ascending).await?;
    for order in [Order::Ascending, Order::Descending] {
        let mut all = ascending.clone();
        if order == Order::Descending {
            all.reverse();
        }
        for limit in 0..=7 {
            for skip in 0..=8 {
                let slice = page(&world, room, From::Skip(skip), limit, order).await?;
                let rest = all.get(skip..).unwrap_or_default();
                let expected: Vec<&str> = rest.iter().copied().take(limit).collect();
                ensure_eq!(named(&slice.members), expected, "{limit} from {skip} on, {order:?}");
                ensure_eq!(slice.more, rest.len() > limit, "whether more follow {limit} from {skip} on");
                ensure_eq!(slice.skipped, skip.min(all.len()), "how many stand before {skip}");
                ensure!(slice.owner_is_member, "the owner is a member");
            }
        }
    }
    Ok(())
}

/// Pages by cursor, put together, are the room without its owner, in both orders and in pages of any length.
pub async fn pages_by_cursor_put_together_are_the_room(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&SEVEN).await?;
    let (room, mut all) = seven(&world, Order::Ascending).await?;
    for order in [Order::Ascending, Order::Descending] {
        for limit in 1..=7 {
            let members = world.members(room, order, limit).await?;
            ensure_eq!(named(&members), all, "pages of {limit}, {order:?}");
        }
        all.reverse();
    }
    let beyond = page(&world, room, From::After(JoinOrder(u64::MAX)), 9, Order::Ascending).await?;
    ensure!(beyond.members.is_empty() && !beyond.more, "nobody stands behind the last: {beyond:?}");
    let before = page(&world, room, From::After(JoinOrder(0)), 9, Order::Descending).await?;
    ensure!(before.members.is_empty() && !before.more, "nobody stands before the first: {before:?}");
    Ok(())
}

/// A cursor stays good when the member that it was made of goes, and when it joins again elsewhere.
pub async fn a_cursor_stays_good_when_its_member_is_gone(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    world.users(&SEVEN).await?;
    for order in [Order::Ascending, Order::Descending] {
        let (room, all) = seven(&world, order).await?;
        let first = page(&world, room, From::Start, 3, order).await?;
        ensure_eq!(named(&first.members), all[..3], "the first page, {order:?}");
        let cursor = first.members.last().map_or(From::Start, |last| From::After(last.joined));
        world.remove(room, &[all[2]]).await?;
        let rest = page(&world, room, cursor, 9, order).await?;
        ensure_eq!(named(&rest.members), all[3..], "what follows a member that is gone, {order:?}");
        world.remove(room, &[all[0], all[3]]).await?;
        let rest = page(&world, room, cursor, 9, order).await?;
        ensure_eq!(named(&rest.members), all[4..], "what follows when its neighbours are gone, {order:?}");
        world.add(room, &[all[2]]).await?;
        let mut expected = all[4..].to_vec();
        if order == Order::Ascending {
            expected.push(all[2]);
        }
        let rest = page(&world, room, cursor, 9, order).await?;
        ensure_eq!(named(&rest.members), expected, "who joins again stands last, {order:?}");
    }
    Ok(())
}

/// While members are removed, a reader with a cursor misses nobody who stays and lists nobody twice, in either
/// order, and every page by number is in order.
pub async fn no_member_that_stays_is_missed_or_listed_twice_while_others_go(
    harness: impl RepositoryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let (stay, go) = (names("stay", 150), names("go", 150));
    let mixed: Vec<String> = stay.iter().zip(&go).flat_map(|(s, g)| [s.clone(), g.clone()]).collect();
    world.users(&["owner"]).await?;
    world.users(&mixed).await?;
    let expected: BTreeSet<&str> = stay.iter().map(String::as_str).collect();
    for order in [Order::Ascending, Order::Descending] {
        let room = world.room("owner", &strs(&mixed)).await?;
        // The remover goes as far as the reader lets it, so that neither is done before the other begins.
        let turns = Arc::new(Semaphore::new(0));
        let remover = tokio::spawn({
            let (world, go, turns) = (world.clone(), go.clone(), turns.clone());
            async move {
                for name in go {
                    turns.acquire().await?.forget();
                    world.remove(room, &[&name]).await?;
                }
                Ok::<(), Broken>(())
            }
        });
        let mut last_round = false;
        loop {
            let (mut listed, mut from) = (Vec::new(), From::Start);
            loop {
                turns.add_permits(8);
                let slice = page(&world, room, from, 7, order).await?;
                let Some(last) = slice.members.last() else { break };
                from = From::After(last.joined);
                listed.extend(slice.members);
                in_order(&listed, order)?;
                in_order(&page(&world, room, From::Skip(listed.len()), 7, order).await?.members, order)?;
                tokio::task::yield_now().await;
            }
            let found: BTreeSet<&str> =
                named(&listed).into_iter().filter(|n| n.starts_with("stay")).collect();
            ensure!(found == expected, "missed: {:?}", expected.difference(&found).collect::<Vec<_>>());
            if last_round {
                ensure_eq!(listed.len(), stay.len(), "who is gone is not listed");
                break;
            }
            last_round = remover.is_finished();
        }
        remover.await??;
    }
    Ok(())
}
