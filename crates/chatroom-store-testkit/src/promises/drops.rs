//! A future that is dropped has done all or nothing.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use chatroom_core::test_util::name;
use chatroom_core::{ChatroomId, ChatroomRepository, Error, Rejection};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::{World, names, strs};
use crate::{Harness, Promise, RepositoryHarness};

/// After how many polls a future is dropped: before the first, and at moments until it is done.
pub(crate) const POLLS: [usize; 12] = [0, 1, 2, 3, 4, 8, 16, 64, 256, 1_024, 4_096, 16_384];

/// Polls a future at most so many times, as fast as it goes, and drops it. Answers its output if it was done.
pub(crate) async fn poll_times<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        cx.waker().wake_by_ref();
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Waits until whatever a dropped call left under way is done: a call of the same app that is asked for later is
/// decided later.
pub(crate) async fn settle<R: ChatroomRepository>(world: &World<R>, room: ChatroomId) -> Promise {
    match world.remove(room, &["bystander"]).await {
        Err(Error::Rejected(Rejection::NotMembers(_))) => Ok(()),
        other => Err(Broken::new(format!("the bystander is no member, but the answer is {other:?}"))),
    }
}

/// Removes four members at a time, dropping the call at another moment each time. Answers the room and who is left.
async fn drop_removals<R: ChatroomRepository>(world: &World<R>) -> Result<(ChatroomId, Vec<String>), Broken> {
    let members = names("m", 4 * POLLS.len());
    let room = world.populated("owner", &strs(&members)).await?;
    world.users(&["bystander"]).await?;
    for (batch, polls) in members.chunks(4).zip(POLLS) {
        let answer = poll_times(polls, world.remove(room, &strs(batch))).await;
        settle(world, room).await?;
        let listed = world.listed(room).await?;
        let left = batch.iter().filter(|name| listed.contains(name)).count();
        ensure!(
            left == 0 || left == 4,
            "a batch dropped after {polls} polls is done in part: {left} of 4 left"
        );
        match answer {
            Some(answer) => {
                ensure_eq!(answer?.removals.len(), 4, "the answer after {polls} polls");
                ensure_eq!(left, 0, "members left of a batch that was answered after {polls} polls");
            }
            None if polls == 0 => ensure_eq!(left, 4, "members left of a batch that was never asked for"),
            None => {}
        }
    }
    let left = world.listed(room).await?;
    Ok((room, left))
}

/// A batch whose call is dropped is done or not done, at whatever moment it is dropped.
pub async fn a_dropped_batch_is_done_or_not_done(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let (room, left) = drop_removals(&world).await?;
    let count = world.chatrooms.room(world.app, room).await?.map(|view| view.members as usize);
    ensure_eq!(count, Some(left.len() + 1), "the room's count");
    Ok(())
}

/// After calls were dropped, members are gone if and only if their event is there.
pub async fn a_dropped_removal_is_done_if_and_only_if_its_event_is_there(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let (room, left) = drop_removals(&world).await?;
    let told = world.check(room).await?;
    for member in names("m", 4 * POLLS.len()) {
        ensure_eq!(told.is_member(&member), left.contains(&member), "{member}: told by the log, and listed");
    }
    Ok(())
}

/// A registration, an addition or a creation that is dropped is done or not done.
pub async fn every_dropped_change_is_done_or_not_done(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let members = names("m", 3);
    let quiet = world.populated("owner", &strs(&members)).await?;
    world.users(&["bystander"]).await?;
    for polls in POLLS {
        let new = [format!("x{polls}"), format!("y{polls}")];
        let room = world.room("owner", &[]).await?;
        drop(poll_times(polls, world.users(&new)).await);
        drop(poll_times(polls, world.add(room, &strs(&members))).await);
        drop(poll_times(polls, world.room("owner", &strs(&members))).await);
        settle(&world, quiet).await?;
        let mut found = Vec::new();
        for user in &new {
            found.extend(world.chatrooms.user(world.app, &name(user)).await?);
        }
        ensure!(found.len() != 1, "a registration dropped after {polls} polls is done in part: {found:?}");
    }
    for view in world.chatrooms.rooms(world.app, None, 0, 99).await? {
        let room = view.room.key.id;
        let listed = world.listed(room).await?;
        ensure!(listed.is_empty() || listed == members, "a dropped call is done in part: {listed:?}");
        world.check(room).await?;
    }
    Ok(())
}
