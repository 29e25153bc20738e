//! The dispatcher with sinks that are functions, under a clock that passes when nothing else happens.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::{
    CallbackSink, Delivered, DeliveryFailure, Event, LEASE, ROOMS_AT_ONCE, Rule, RuleHealth, Seq,
};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::outbox::{Outbox, RuntimeClock};
use super::{of_room, rule};
use crate::{Dispatcher, Pace};

/// One attempt: of which rule, of which room and event, which attempt it is, and when.
type Attempt = (u128, u64, u64, u32, Duration);

type Answer = Box<dyn Fn(&Attempt) -> (Duration, Result<(), DeliveryFailure>) + Send + Sync>;

/// Answers as a function says, and notes every attempt.
struct Receiver {
    began: Instant,
    answer: Answer,
    attempts: Mutex<Vec<Attempt>>,
    /// Attempts under way of each rule, and the most there were.
    open: Mutex<BTreeMap<u128, (usize, usize)>>,
}

#[async_trait]
impl CallbackSink for Receiver {
    async fn deliver(&self, to: &Rule, event: &Event, attempt: u32) -> Result<Delivered, DeliveryFailure> {
        let number = event.room.id.as_number() - super::room(0).as_number();
        let attempt = (to.id.0, number, event.seq.0, attempt, self.began.elapsed());
        self.attempts.lock().unwrap().push(attempt);
        {
            let mut open = self.open.lock().unwrap();
            let (now, most) = open.entry(to.id.0).or_default();
            *now += 1;
            *most = (*most).max(*now);
        }
        let (takes, answer) = (self.answer)(&attempt);
        tokio::time::sleep(takes).await;
        self.open.lock().unwrap().get_mut(&to.id.0).unwrap().0 -= 1;
        answer.map(|()| Delivered { status: 200, took: takes })
    }
}

struct World {
    outbox: Arc<Outbox>,
    receiver: Arc<Receiver>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl World {
    fn new(
        rules: impl IntoIterator<Item = Rule>,
        pace: Pace,
        answer: impl Fn(&Attempt) -> (Duration, Result<(), DeliveryFailure>) + Send + Sync + 'static,
    ) -> Self {
        let clock = RuntimeClock::starting_now();
        let outbox = Outbox::new(clock.clone(), rules);
        let receiver = Arc::new(Receiver {
            began: Instant::now(),
            answer: Box::new(answer),
            attempts: Mutex::default(),
            open: Mutex::default(),
        });
        let dispatcher = Dispatcher::new(outbox.clone(), receiver.clone(), clock, pace).with_chance(|| 0.5);
        let stop = CancellationToken::new();
        let running = tokio::spawn(dispatcher.run(stop.clone()));
        Self { outbox, receiver, stop, running }
    }

    /// Waits until nothing is behind.
    async fn until_told(&self, rules: u128) {
        let told = async {
            while (0..rules).any(|id| self.outbox.status(id).rooms_behind > 0) {
                self.outbox.settled.notified().await;
            }
        };
        tokio::time::timeout(seconds(200 * 3_600), told).await.expect("nothing more is told");
    }

    fn attempts(&self) -> Vec<Attempt> {
        self.receiver.attempts.lock().unwrap().clone()
    }

    fn most_open(&self, id: u128) -> usize {
        self.receiver.open.lock().unwrap().get(&id).map_or(0, |(_, most)| *most)
    }
}

fn at_once(result: Result<(), DeliveryFailure>) -> (Duration, Result<(), DeliveryFailure>) {
    (Duration::ZERO, result)
}

fn no() -> Result<(), DeliveryFailure> {
    Err(DeliveryFailure::new("no"))
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test(start_paused = true)]
async fn events_arrive_in_order_in_each_room_and_rooms_in_parallel() {
    let world = World::new([rule(0, "")], Pace::default(), |_| (seconds(1), Ok(())));
    for _ in 0..5 {
        for number in 0..8 {
            world.outbox.append(number);
        }
    }
    world.until_told(1).await;
    let attempts = world.attempts();
    for number in 0..8 {
        let told: Vec<_> = attempts.iter().filter(|a| a.1 == number).map(|a| a.2).collect();
        assert_eq!(told, [1, 2, 3, 4, 5]);
    }
    assert_eq!(attempts.last().unwrap().4.as_secs(), 4, "one after the other it takes 40 s");
}

#[tokio::test(start_paused = true)]
async fn a_rule_has_at_most_eight_attempts_open() {
    let world = World::new([rule(0, "")], Pace::default(), |_| (seconds(1), Ok(())));
    for number in 0..50 {
        world.outbox.append(number);
    }
    world.until_told(1).await;
    assert_eq!(world.most_open(0), ROOMS_AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn a_failed_event_is_tried_by_the_schedule_until_it_is_taken_and_the_room_waits_for_it() {
    let world = World::new([rule(0, "")], Pace::default(), |attempt| {
        at_once(if attempt.2 == 1 && attempt.3 < 5 { no() } else { Ok(()) })
    });
    world.outbox.append(1);
    world.outbox.append(1);
    world.until_told(1).await;
    let attempts: Vec<_> = world.attempts().iter().map(|a| (a.2, a.3, a.4.as_secs())).collect();
    let schedule = [(1, 1, 0), (1, 2, 0), (1, 3, 5), (1, 4, 35), (1, 5, 155), (2, 1, 155)];
    assert_eq!(attempts, schedule);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_names_a_time_is_left_alone_until_then() {
    let world = World::new([rule(0, "")], Pace::default(), |attempt| {
        let why = DeliveryFailure { retry_after: Some(seconds(90)), ..DeliveryFailure::new("answered 429") };
        at_once(if attempt.3 == 1 { Err(why) } else { Ok(()) })
    });
    world.outbox.append(1);
    world.until_told(1).await;
    assert_eq!(world.attempts()[1].4.as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_never_taken_is_a_dead_letter_after_72_hours_and_the_room_goes_on() {
    let world = World::new([rule(0, "")], Pace::default(), |attempt| {
        at_once(if (attempt.1, attempt.2) == (1, 1) { no() } else { Ok(()) })
    });
    world.outbox.append(1);
    world.outbox.append(1);
    world.until_told(1).await;
    assert_eq!(world.outbox.dead_letters(0), [Seq(1)]);
    let attempts = world.attempts();
    let last = attempts[attempts.len() - 2];
    assert_eq!((last.2, last.4.as_secs() / 3_600), (1, 72));
    assert_eq!(attempts.last().unwrap().2, 2);
}

#[tokio::test(start_paused = true)]
async fn a_dead_receiver_is_probed_and_what_waited_is_told_soon_after_it_comes_back() {
    let hour = seconds(3_600);
    let world = World::new([rule(0, "")], Pace::default(), move |attempt| {
        at_once(if attempt.4 < 100 * hour { no() } else { Ok(()) })
    });
    for number in 0..40 {
        world.outbox.append(number);
        world.outbox.append(number);
    }
    tokio::time::sleep(seconds(60)).await;
    assert!(matches!(world.outbox.status(0).health, RuleHealth::Paused { .. }));
    world.until_told(1).await;

    assert_eq!(world.outbox.dead_letters(0), [], "its clock stood still for 100 hours");
    let attempts = world.attempts();
    let probes: Vec<_> = attempts.iter().filter(|a| seconds(60) < a.4 && a.4 < 100 * hour).collect();
    assert!(probes.windows(2).all(|pair| pair[1].4 - pair[0].4 >= seconds(40)), "more than one at a time");
    let taken: Vec<_> = attempts.iter().filter(|a| a.4 >= 100 * hour).collect();
    assert_eq!(taken.len(), 80);
    assert!(taken[79].4 < 100 * hour + seconds(400));
}

#[tokio::test(start_paused = true)]
async fn a_slow_rule_does_not_delay_another() {
    let rules = [rule(0, ""), rule(1, "")];
    let world = World::new(rules, Pace::default(), |attempt| {
        if attempt.0 == 0 { (seconds(10), no()) } else { at_once(Ok(())) }
    });
    for number in 0..100 {
        world.outbox.append(number);
    }
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(world.outbox.status(1).rooms_behind, 0);
    assert_eq!(world.attempts().iter().filter(|a| a.0 == 1).count(), 100);
    assert_eq!(world.most_open(0), ROOMS_AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rules_of_which_half_are_dead() {
    let rules = (0..1_000).map(|id| rule(id, ""));
    let world = World::new(rules, Pace::default(), |attempt| {
        if attempt.0 % 2 == 0 { (seconds(10), no()) } else { at_once(Ok(())) }
    });
    for number in 0..3 {
        world.outbox.append(number);
    }
    tokio::time::sleep(seconds(60)).await;
    assert!((0..1_000).filter(|id| id % 2 == 1).all(|id| world.outbox.status(id).rooms_behind == 0));
    assert!((0..1_000).filter(|id| id % 2 == 0).all(|id| world.outbox.status(id).rooms_behind == 3));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_is_begun_that_could_outlast_its_lease() {
    let pace = Pace { attempt: seconds(10), ..Pace::default() };
    let world = World::new([rule(0, "")], pace, |_| (seconds(9), Ok(())));
    for _ in 0..10 {
        world.outbox.append(1);
    }
    world.until_told(1).await;
    let attempts = world.attempts();
    assert_eq!(attempts.iter().map(|a| a.2).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
    assert_eq!(world.outbox.lost.load(Ordering::SeqCst), 0, "no lease ended unsettled");
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_does_not_want_is_passed_over_and_order_holds() {
    let only_room_2 = Rule { rooms: of_room(2), ..rule(0, "") };
    let world = World::new([only_room_2], Pace::default(), |_| at_once(Ok(())));
    for _ in 0..3 {
        world.outbox.append(1);
        world.outbox.append(2);
    }
    world.until_told(1).await;
    let attempts: Vec<_> = world.attempts().iter().map(|a| (a.1, a.2)).collect();
    assert_eq!(attempts, [(2, 1), (2, 2), (2, 3)]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_left_alone_and_nothing_is_lost() {
    let world = World::new([rule(0, "")], Pace::default(), |_| at_once(Ok(())));
    world.outbox.failing.store(5, Ordering::SeqCst);
    for number in 0..20 {
        world.outbox.append(number);
    }
    world.until_told(1).await;
    assert_eq!(world.outbox.failing.load(Ordering::SeqCst), 0);
    let told: std::collections::BTreeSet<_> = world.attempts().iter().map(|a| a.1).collect();
    assert_eq!(told.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn who_stops_begins_nothing_and_settles_what_was_under_way() {
    let world = World::new([rule(0, "")], Pace::default(), |_| (seconds(5), Ok(())));
    for number in 0..20 {
        world.outbox.append(number);
        world.outbox.append(number);
    }
    tokio::time::sleep(seconds(1)).await;
    world.stop.cancel();
    let World { outbox, receiver, running, .. } = world;
    running.await.unwrap();
    assert_eq!(receiver.attempts.lock().unwrap().len(), ROOMS_AT_ONCE);
    let status = outbox.status(0);
    assert_eq!((status.leased, status.events_behind), (0, 40 - 8));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_is_made_again_when_its_lease_ends() {
    let world = World::new([rule(0, "")], Pace::default(), |attempt| {
        assert!(attempt.4 > seconds(1), "planted");
        at_once(Ok(()))
    });
    world.outbox.append(1);
    world.until_told(1).await;
    assert_eq!(world.attempts().last().unwrap().4.as_secs(), LEASE.as_secs());
}
