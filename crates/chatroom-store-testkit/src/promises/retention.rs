//! Old events go, with or without a rule, and a rule that is behind is told what it will not get.

use std::time::Duration;

use chatroom_core::{
    Burial, CallbackOutbox, Counters, DeadLetter, Deliveries, Progress, Rule, Seq, Settlement,
};

use crate::broken::{Broken, ensure, ensure_eq};
use crate::delivering::{gave_up, seqs, span, took, took_some};
use crate::world::{KEEP, World};
use crate::{DeliveryHarness, DeliveryStore, Promise};

/// So much longer than events are kept that a store that takes them by the day has taken them.
const PAST: Duration = Duration::from_secs(3 * 24 * 60 * 60);

const DAYS_5: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// Lets so much time pass, makes a change somewhere else, and lets retention do its work.
async fn pass<H: DeliveryHarness>(world: &World<H::Store>, harness: &H, time: Duration) -> Promise {
    world.pass(time);
    world.users(&[format!("u{}", world.now().as_millis())]).await?;
    harness.retain(&world.store).await;
    Ok(())
}

/// This dead letter, if it were of a run that retention took.
fn taken(letter: &DeadLetter, first: u64, last: u64) -> DeadLetter {
    DeadLetter { span: span(first, last), why: Burial::Trimmed, ..letter.clone() }
}

async fn only_letter<R: DeliveryStore>(world: &World<R>, rule: &Rule) -> Result<DeadLetter, Broken> {
    match &world.letters(rule).await?[..] {
        [letter] => Ok(letter.clone()),
        other => Err(Broken::new(format!("one dead letter must tell what is lost: {other:?}"))),
    }
}

/// Nothing is taken before its time, delivered or not; what is older is gone, and the room's counters stay.
pub async fn events_are_kept_for_their_time_and_no_longer(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 2).await?;
    let before = world.log(room).await?;
    pass(&world, &harness, KEEP - Duration::from_secs(60)).await?;
    ensure_eq!(world.log(room).await?, before, "the log within its time");
    pass(&world, &harness, PAST).await?;
    ensure_eq!(world.log(room).await?, [], "the log behind its time");
    let counters = Counters { seq: Seq(4), members: 2 };
    ensure_eq!(
        world.store.counters(&world.key(room)).await?,
        Some(counters),
        "the counters of a room that is there"
    );
    ensure_eq!(world.store.streams(world.app, None, 9).await?, [(room, counters)], "streams");
    world.happen(room, 1).await?;
    ensure_eq!(seqs(&world.log(room).await?), [5], "the log goes on where it was");
    Ok(())
}

/// What waits for a rule is not taken before its time.
pub async fn what_waits_is_not_taken_inside_its_time(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.settle(took_some(&world.one().await?, 1)).await?;
    world.happen(room, 2).await?;
    pass(&world, &harness, KEEP - Duration::from_secs(60)).await?;
    ensure_eq!(world.letters(&rule).await?, [], "dead letters");
    ensure_eq!(world.delivered(&rule, room).await?, [2, 3, 4], "what the rule is told");
    Ok(())
}

/// What retention takes of a room before it was delivered is one dead letter, with the first and the last of it, and
/// the room goes on behind it.
pub async fn what_is_lost_is_told_as_one_dead_letter(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let other = world.rule("two").await?;
    let room = world.populated("owner", &["a"]).await?;
    let told = world.room("owner", &[]).await?;
    for lease in world.lease(9).await? {
        let all = lease.rule.id == other.id || lease.id.room.id == told;
        world.settle(took_some(&lease, if all { 9 } else { 1 })).await?;
    }
    world.happen(room, 4).await?;
    for lease in world.lease(9).await? {
        let back = Settlement { lease: lease.id, through: None, taken: 0, then: Progress::Go };
        world.settle(if lease.rule.id == other.id { took(&lease) } else { back }).await?;
    }
    pass(&world, &harness, KEEP + PAST).await?;
    world.happen(room, 2).await?;
    let letter = only_letter(&world, &rule).await?;
    ensure_eq!(letter, taken(&letter, 2, 6), "what is lost");
    ensure_eq!((letter.rule, letter.room), (rule.id, world.key(room)), "of this rule and room");
    let lost = world.store.losses(9).await?;
    ensure_eq!(lost, [(rule.clone().into(), letter)], "losses of all rules");
    ensure_eq!(world.store.losses(0).await?, [], "none of them");
    let status = world.status(&rule).await?;
    ensure_eq!((status.dead_letters, status.lost, status.events_behind), (1, 1, 2), "in the status");
    ensure_eq!(world.letters(&other).await?, [], "of the rule that was told in time");
    ensure_eq!(world.delivered(&rule, room).await?, [7, 8], "what is told behind it");
    Ok(())
}

/// What retention takes later of the same room makes the dead letter longer.
pub async fn a_loss_that_grows_stays_one_dead_letter(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    // What lay five days is kept, what lay ten is not, and a dead letter that old still is.
    pass(&world, &harness, DAYS_5).await?;
    for last in [2, 4, 6] {
        world.happen(room, 2).await?;
        pass(&world, &harness, DAYS_5).await?;
        let letter = only_letter(&world, &rule).await?;
        ensure_eq!(letter, taken(&letter, 1, last), "what is lost");
        ensure_eq!(world.store.losses(9).await?.len(), 1, "losses of all rules");
    }
    Ok(())
}

/// What was delivered in time is not lost, and the rule goes on with what is next.
pub async fn what_was_delivered_in_time_is_not_lost(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.deliver().await?;
    pass(&world, &harness, KEEP + PAST).await?;
    ensure_eq!(world.letters(&rule).await?, [], "dead letters");
    ensure_eq!(world.store.losses(9).await?, [], "losses");
    world.happen(room, 1).await?;
    ensure_eq!(world.delivered(&rule, room).await?, [3], "what is next");
    Ok(())
}

/// What is no longer kept cannot be told again and is passed over; a dead letter can as long as its event is kept.
pub async fn what_is_kept_can_be_told_again_and_nothing_else(harness: impl DeliveryHarness) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    pass(&world, &harness, KEEP + PAST).await?;
    world.happen(room, 3).await?;
    world.settle(gave_up(&world.one().await?)).await?;
    world.deliver().await?;
    pass(&world, &harness, KEEP - Duration::from_secs(60)).await?;
    let replay = || world.store.replay(rule.id, vec![(world.key(room), span(1, 4))]);
    ensure_eq!(replay().await?, 2, "events that are told again: those that are kept");
    let left: Vec<_> = world.letters(&rule).await?.iter().map(|letter| letter.span).collect();
    ensure!(!left.contains(&span(3, 3)), "a dead letter that is told again is listed no more: {left:?}");
    ensure_eq!(world.delivered(&rule, room).await?, [3, 4], "what is told again");
    pass(&world, &harness, PAST).await?;
    ensure_eq!(replay().await?, 0, "events that are told again when none is kept");
    world.nothing_is_due("nothing is kept").await?;
    Ok(())
}

/// What is in hand while retention takes it is not lost if it is delivered. Only a store that knows, when it takes
/// events, what is in hand can say so.
pub async fn what_is_delivered_while_retention_takes_it_is_not_lost(
    harness: impl DeliveryHarness,
) -> Promise {
    let world = World::new(&harness).await;
    let rule = world.rule("one").await?;
    let room = world.populated("owner", &["a"]).await?;
    world.happen(room, 2).await?;
    let seconds = Duration::from_secs(10);
    world.pass(KEEP - seconds);
    let held = world.one().await?;
    pass(&world, &harness, 2 * seconds).await?;
    ensure_eq!(world.log(room).await?, [], "the log behind its time");
    world.settle(took_some(&held, 3)).await?;
    let letter = only_letter(&world, &rule).await?;
    ensure_eq!(letter, taken(&letter, 4, 4), "what was in hand and not delivered");
    Ok(())
}
