//! What was answered is there after a restart, and nothing is there in part.

use std::sync::{Arc, Mutex, PoisonError};

use chatroom_core::test_util::name;
use chatroom_core::{
    App, AppChange, AppRegistry, CallbackOutbox, ChatroomId, ChatroomRepository, Event, EventKind, NewApp,
    NewRoom, NewUser, Origin, SecretDigest,
};

use super::drops::{POLLS, poll_times, settle};
use super::large;
use crate::broken::{Broken, ensure, ensure_eq};
use crate::harness::{app_key, new_app};
use crate::visible::Visible;
use crate::world::{World, names, strs};
use crate::{DurableHarness, Promise};

/// Everything that a store shows.
#[derive(Debug, PartialEq)]
struct Everything {
    apps: Vec<App>,
    visible: Visible,
    logs: Vec<Vec<Event>>,
}

async fn everything<R: ChatroomRepository + CallbackOutbox + AppRegistry>(
    world: &World<R>,
    rooms: &[ChatroomId],
) -> Result<Everything, Broken> {
    let mut logs = Vec::new();
    for room in rooms {
        logs.push(world.log(*room).await?);
    }
    let visible = Visible::of(&*world.store, world.app).await?;
    Ok(Everything { apps: world.store.apps().await?, visible, logs })
}

/// Users, rooms, members in their order, events and what is left to sweep are the same after a restart, and after
/// a second one.
pub async fn what_was_answered_is_there_after_a_restart(harness: impl DurableHarness) -> Promise {
    let mut world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b", "c"]).await?;
    let nicknamed = NewUser { name: name("nick"), nickname: Some("小明".into()) };
    world.chatrooms.register_users(world.app, vec![nicknamed]).await?;
    let described = NewRoom {
        owner: "nick",
        name: "聊天室",
        description: "\u{1F600}",
        custom: "{}",
        ..NewRoom::default()
    };
    let described = world.chatrooms.create_room(world.app, described).await?.key.id;
    world.remove(room, &["a", "owner"]).await?;
    world.add(room, &["a", "nick"]).await?;
    let dissolved = world.room("owner", &["a"]).await?;
    world.chatrooms.dissolve_room(world.app, dissolved).await?;
    world.chatrooms.delete_user(world.app, name("b")).await?;
    let rooms = [room, described, dissolved];
    let before = everything(&world, &rooms).await?;
    let sweeps = world.store.sweeps(99).await?;
    for turn in 1..=2 {
        world = world.restart(&harness).await;
        ensure_eq!(everything(&world, &rooms).await?, before, "all of it after {turn} restarts");
        ensure_eq!(world.store.sweeps(99).await?, sweeps, "what is left to sweep after {turn} restarts");
    }
    world.sweep().await?;
    let world = world.restart(&harness).await;
    ensure_eq!(world.store.sweeps(99).await?, [], "what is left to sweep after it was swept");
    for room in rooms {
        world.check(room).await?;
    }
    Ok(())
}

/// After a restart between any two changes, the log goes on where it ended, and so does join order.
pub async fn logs_and_join_order_go_on_behind_a_restart(harness: impl DurableHarness) -> Promise {
    let mut world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    for turn in 1..=6_u64 {
        world = world.restart(&harness).await;
        world.remove(room, &["a"]).await?;
        world = world.restart(&harness).await;
        ensure_eq!(world.listed(room).await?, ["b"], "the removal before restart {turn}");
        world.add(room, &["a"]).await?;
        ensure_eq!(world.listed(room).await?, ["b", "a"], "the addition behind restart {turn}");
        let last = world.log(room).await?.last().map(|event| event.seq.0);
        ensure_eq!(last, Some(2 + 2 * turn), "the last sequence number");
    }
    world.check(room).await?;
    Ok(())
}

/// Time does not go back over a restart, although the clock does.
pub async fn time_does_not_go_back_over_a_restart(harness: impl DurableHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    world.clock.advance(60_000);
    world.remove(room, &["a"]).await?;
    world.clock.advance(-120_000);
    let world = world.restart(&harness).await;
    world.remove(room, &["b"]).await?;
    world.check(room).await?;
    Ok(())
}

/// Names that were free stay free, and internal ids are not used again behind a restart.
pub async fn ids_are_not_used_again_behind_a_restart(harness: impl DurableHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["again"]).await?;
    let old = world.chatrooms.delete_user(world.app, name("again")).await?;
    world.sweep().await?;
    let world = world.restart(&harness).await;
    world.users(&["again"]).await?;
    let new = world.chatrooms.user(world.app, &name("again")).await?;
    ensure!(new.is_some_and(|new| new.id != old.id), "a name registered again is a new user");
    ensure_eq!(world.listed(room).await?, [""; 0], "and a member of nothing");
    Ok(())
}

/// A call that was dropped before a restart is done with its event, or not done.
pub async fn a_dropped_removal_is_whole_after_a_restart(harness: impl DurableHarness) -> Promise {
    let mut world = World::new(&harness).await;
    let members = names("m", 4 * POLLS.len());
    let room = world.populated("owner", &strs(&members)).await?;
    world.users(&["bystander"]).await?;
    for (batch, polls) in members.chunks(4).zip(POLLS) {
        let answer = poll_times(polls, world.remove(room, &strs(batch))).await;
        world = world.restart(&harness).await;
        settle(&world, room).await?;
        let told = world.check(room).await?;
        let left = batch.iter().filter(|member| told.is_member(member)).count();
        ensure!(
            left == 0 || left == 4,
            "a batch dropped after {polls} polls is done in part: {left} of 4 left"
        );
        if let Some(answer) = answer {
            answer?;
            ensure_eq!(left, 0, "members left of a batch that was answered after {polls} polls");
        }
    }
    Ok(())
}

/// Of many removals under way at a restart, the answered ones are there with their events, none is done twice, and
/// those who were not asked for stay.
pub async fn removals_under_way_at_a_restart_are_done_or_not_done(harness: impl DurableHarness) -> Promise {
    const TASKS: usize = 32;
    let mut world = World::new(&harness).await;
    let members = names("m", TASKS * 20);
    let room = world.populated("owner", &strs(&members)).await?;
    for round in 1..=3 {
        let listed = world.listed(room).await?;
        let answered = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = listed
            // On a busy machine all may be gone before their removal is looked at.
            .chunks(listed.len().div_ceil(TASKS).max(1))
            .map(|part| {
                let (world, part, answered) = (world.clone(), part.to_vec(), answered.clone());
                tokio::spawn(async move {
                    for member in part {
                        world.remove(room, &[&member]).await?;
                        answered.lock().unwrap_or_else(PoisonError::into_inner).push(member);
                        tokio::task::yield_now().await;
                    }
                    Ok::<(), Broken>(())
                })
            })
            .collect();
        let count = || answered.lock().unwrap_or_else(PoisonError::into_inner).len();
        while count() < TASKS * round && !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            match task.await {
                Ok(done) => done?,
                Err(stopped) => ensure!(stopped.is_cancelled(), "a task failed: {stopped}"),
            }
        }
        world = world.restart(&harness).await;
        world.users(&[format!("bystander{round}")]).await?;
        let told = world.check(room).await?;
        for member in answered.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            ensure!(!told.is_member(member), "{member} was removed and answered, and is back");
        }
    }
    let log = world.log(room).await?;
    let first = |event: &Event| matches!(event.kind, EventKind::Left { .. });
    ensure!(log.iter().any(first), "some were removed");
    Ok(())
}

/// Apps, their credentials and their keys are the same after a restart; what was deleted stays deleted.
pub async fn apps_and_credentials_are_there_after_a_restart(harness: impl DurableHarness) -> Promise {
    let world = World::new(&harness).await;
    world.make_app("one").await?;
    world.change(AppChange::RotateSecret(app_key("one"), SecretDigest([9; 32]))).await?;
    let declared = NewApp { origin: Origin::Configuration, ..new_app("declared") };
    world.change(AppChange::Declare(declared)).await?;
    world.change(AppChange::Retire(app_key("declared"))).await?;
    let demo = NewApp { origin: Origin::Demo, ..new_app("demo") };
    world.change(AppChange::Create(demo)).await?;
    let again = world.of_app(world.make_app("again").await?);
    let room = again.populated("owner", &["a"]).await?;
    again.change(AppChange::Delete(app_key("again"))).await?;
    let before = world.store.apps().await?;
    let app = again.app;
    drop(again);
    let world = world.restart(&harness).await;
    ensure_eq!(world.store.apps().await?, before, "the list of apps");
    let again = world.of_app(world.make_app("again").await?);
    ensure_eq!(Visible::of(&*again.store, again.app).await?, Visible::default(), "of the app made again");
    ensure_eq!(Visible::of(&*again.store, app).await?, Visible::default(), "of the deleted app");
    drop(again);
    world.sweep().await?;
    let world = world.restart(&harness).await;
    ensure_eq!(world.of_app(app).log(room).await?, [], "the log of a room of the deleted app");
    Ok(())
}

/// The dissolution of a room of 10,000, stopped by a restart, is finished after it.
pub async fn a_large_dissolution_is_finished_after_a_restart(harness: impl DurableHarness) -> Promise {
    large::dissolve_with_events(World::new(&harness).await, async |world| world.restart(&harness).await).await
}

/// The deletion of a user in 1,000 rooms, stopped by a restart, is finished after it.
pub async fn a_deletion_from_a_thousand_rooms_is_finished_after_a_restart(
    harness: impl DurableHarness,
) -> Promise {
    large::leave_a_thousand(World::new(&harness).await, async |world| world.restart(&harness).await).await
}

/// The deletion of an owner of 20 rooms, stopped by a restart, is finished after it.
pub async fn the_deletion_of_an_owner_is_finished_after_a_restart(harness: impl DurableHarness) -> Promise {
    large::dissolve_twenty(World::new(&harness).await, async |world| world.restart(&harness).await).await
}

/// The deletion of an app, stopped by restarts, is finished after them and leaves nothing behind.
pub async fn the_deletion_of_an_app_is_finished_after_a_restart(harness: impl DurableHarness) -> Promise {
    let world = World::new(&harness).await;
    let kept = world.populated("owner", &["a"]).await?;
    let gone = world.of_app(world.make_app("gone").await?);
    let room = gone.populated("owner", &strs(&names("m", 2_500))).await?;
    gone.change(AppChange::Delete(app_key("gone"))).await?;
    let app = gone.app;
    drop(gone);
    let mut world = world;
    for _ in 0..3 {
        world.chatrooms.sweep(1).await?;
        world = world.restart(&harness).await;
        let gone = world.of_app(app);
        ensure_eq!(Visible::of(&*gone.store, app).await?, Visible::default(), "of a deleted app");
    }
    world.sweep().await?;
    let world = world.restart(&harness).await;
    ensure_eq!(world.store.sweeps(99).await?, [], "what is left to sweep");
    ensure_eq!(world.of_app(app).log(room).await?, [], "the log of a room of the deleted app");
    world.check(kept).await?;
    Ok(())
}
