//! Of many who want the same, one wins.

use std::cell::Cell;
use std::sync::Arc;

use chatroom_core::test_util::name;
use chatroom_core::{
    ChatroomId, ChatroomRepository, Error, EventKind, NewRoom, NewUser, Registration, Rejection,
};
use tokio::sync::Barrier;

use crate::broken::{Broken, ensure, ensure_eq};
use crate::world::{World, names, strs};
use crate::{Harness, Promise, RepositoryHarness};

const TASKS: usize = 100;

/// Runs the same call in a hundred tasks, and answers what each was told. None calls before all are there: tasks that
/// start one after the other seldom meet.
pub(crate) async fn hundred<R, T, F>(
    world: &World<R>,
    call: impl Fn(World<R>, usize) -> F,
) -> Result<Vec<Result<T, Error>>, Broken>
where
    R: ChatroomRepository,
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let all_there = Arc::new(Barrier::new(TASKS));
    let racing = |index| {
        let (all_there, calling) = (all_there.clone(), call(world.clone(), index));
        tokio::spawn(async move {
            all_there.wait().await;
            calling.await
        })
    };
    let tasks: Vec<_> = (0..TASKS).map(racing).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await?);
    }
    Ok(answers)
}

/// Breaks the promise unless one succeeded and all others were told `no`.
fn one_wins<T>(answers: &[Result<T, Error>], no: &Rejection) -> Promise {
    let won = answers.iter().filter(|answer| answer.is_ok()).count();
    ensure_eq!(won, 1, "of {TASKS} that want the same, so many win");
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        ensure!(matches!(error, Error::Rejected(r) if r == no), "who loses is told {no:?}, not {error:?}");
    }
    Ok(())
}

async fn race_to_remove<R: ChatroomRepository>(world: &World<R>, room: ChatroomId) -> Promise {
    let answers = hundred(world, |world, _| async move { world.remove(room, &["a"]).await }).await?;
    one_wins(&answers, &Rejection::NotMembers(vec![name("a")]))
}

/// A hundred tasks remove the same member: one wins, and the others are told that it is no member.
pub async fn of_a_hundred_removals_of_one_member_one_wins(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    race_to_remove(&world, room).await?;
    ensure_eq!(world.listed(room).await?, ["b"], "the list of members");
    let count = world.chatrooms.room(world.app, room).await?.map(|view| view.members);
    ensure_eq!(count, Some(2), "the room's count");
    Ok(())
}

/// A hundred tasks remove the same member: one event tells of it.
pub async fn a_hundred_removals_of_one_member_leave_one_event(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a", "b"]).await?;
    race_to_remove(&world, room).await?;
    let log = world.log(room).await?;
    let left = log.iter().filter(|event| matches!(event.kind, EventKind::Left { .. })).count();
    ensure_eq!(left, 1, "events of the removal in {log:?}");
    world.check(room).await?;
    Ok(())
}

/// A hundred tasks register the same name: one wins.
pub async fn of_a_hundred_registrations_of_one_name_one_wins(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let answers = hundred(&world, |world, _| async move {
        let user = NewUser { name: name("same"), nickname: None };
        world.chatrooms.register_users(world.app, vec![user]).await
    })
    .await?;
    one_wins(&answers, &Rejection::UserExists(name("same")))?;
    let registered = answers.into_iter().find_map(Result::ok).and_then(|mut users| users.pop());
    let found = world.chatrooms.user(world.app, &name("same")).await?;
    ensure_eq!(found.map(Registration::Registered), registered, "the user is the winner's");
    ensure_eq!(world.chatrooms.users(world.app, None, 9).await?.len(), 1, "users of the name");
    Ok(())
}

/// A hundred tasks dissolve the same room: one wins.
pub async fn of_a_hundred_dissolutions_of_one_room_one_wins(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    let answers =
        hundred(&world, |world, _| async move { world.chatrooms.dissolve_room(world.app, room).await })
            .await?;
    one_wins(&answers, &Rejection::RoomNotFound(room.to_string().into()))
}

/// However many want to join at once, a room never has more members than it may.
pub async fn concurrent_additions_never_overfill_a_room(harness: impl RepositoryHarness) -> Promise {
    const PLACES: u32 = 37;
    let world = World::new(&harness).await;
    let everybody = names("u", TASKS);
    world.users(&["owner"]).await?;
    world.users(&everybody).await?;
    let new = NewRoom { owner: "owner", max_users: Some(PLACES), ..NewRoom::default() };
    let room = world.chatrooms.create_room(world.app, new).await?.key.id;
    let answers = hundred(&world, |world, index| {
        let user = everybody[index].clone();
        async move { world.add(room, &[&user]).await }
    })
    .await?;
    let joined = answers.iter().filter(|answer| answer.is_ok()).count();
    ensure_eq!(joined + 1, PLACES as usize, "members of a room for {PLACES}");
    ensure_eq!(world.listed(room).await?.len() + 1, PLACES as usize, "listed members");
    for error in answers.into_iter().filter_map(Result::err) {
        ensure!(matches!(error, Error::Rejected(Rejection::RoomFull)), "the room is full, not {error:?}");
    }
    Ok(())
}

/// While three members join and leave together, no page and no count shows some of them.
pub async fn a_batch_is_seen_whole_or_not_at_all(harness: impl RepositoryHarness) -> Promise {
    let world = World::new(&harness).await;
    let three = ["a", "b", "c"];
    let room = world.populated("owner", &three).await?;
    let done = Cell::new(false);
    let changes = async {
        for _ in 0..50 {
            world.remove(room, &three).await?;
            tokio::task::yield_now().await;
            world.add(room, &three).await?;
            tokio::task::yield_now().await;
        }
        done.set(true);
        Ok::<(), Broken>(())
    };
    let reads = async {
        while !done.get() {
            let listed = world.listed(room).await?;
            ensure!(listed.is_empty() || listed == three, "a page shows a batch in part: {listed:?}");
            let count = world.chatrooms.room(world.app, room).await?.map(|view| view.members);
            ensure!(count == Some(1) || count == Some(4), "a count shows a batch in part: {count:?}");
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    // In one task, so that they take turns wherever the store waits.
    tokio::try_join!(changes, reads)?;
    Ok(())
}

/// After many tasks added and removed members of a few rooms at once, each room's log tells its members, and
/// everybody was told what the log tells.
pub async fn concurrent_changes_leave_logs_that_tell_the_members(harness: impl Harness) -> Promise {
    let world = World::new(&harness).await;
    let users = names("u", 12);
    world.users(&["owner"]).await?;
    world.users(&users).await?;
    let mut rooms = Vec::new();
    for _ in 0..3 {
        rooms.push(world.room("owner", &strs(&users[..6])).await?);
    }
    let answers = hundred(&world, |world, task| {
        let (rooms, users) = (rooms.clone(), users.clone());
        async move {
            let mut changed = [0_usize; 2];
            for step in 0..6 {
                let room = rooms[(task + step) % rooms.len()];
                let pair = [users[(task * 7 + step) % users.len()].as_str(), users[step].as_str()];
                if (task + step) % 2 == 0 {
                    changed[0] += world.add(room, &pair).await?.joined;
                } else {
                    match world.remove(room, &pair).await {
                        Ok(done) => changed[1] += done.removals.iter().filter(|r| r.removed).count(),
                        Err(Error::Rejected(Rejection::NotMembers(_))) => {}
                        Err(other) => return Err(other),
                    }
                }
                tokio::task::yield_now().await;
            }
            Ok(changed)
        }
    })
    .await?;
    let mut told = [0_usize; 2];
    for answer in answers {
        let [joined, left] = answer?;
        told = [told[0] + joined, told[1] + left];
    }
    let mut logged = [0_usize; 2];
    for room in rooms {
        for event in world.log(room).await? {
            match &event.kind {
                EventKind::Joined { members } if event.seq.0 > 2 => logged[0] += members.len(),
                EventKind::Left { members, .. } => logged[1] += members.len(),
                _ => {}
            }
        }
        world.check(room).await?;
    }
    ensure_eq!(told, logged, "how many were told that they joined and left, and how many the logs tell of");
    Ok(())
}
