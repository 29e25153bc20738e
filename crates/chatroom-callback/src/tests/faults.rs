//! A receiver that does everything wrong for a while. Afterwards every event has arrived, in order in each room, and
//! what arrived twice has the same id.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use chatroom_core::Clock;
use chatroom_core::test_util::{HandFacts, ManualClock};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use super::outbox::Outbox;
use super::receiver::{Manner, Receiver, ok, says};
use super::{SECRET, rule};
use crate::{Dispatcher, Guard, Pace, SystemResolver, WebhookSink};

const ROOMS: u64 = 6;
const EVENTS: u64 = 12;

fn misbehaviour(random: &mut StdRng, inner: &str) -> Manner {
    let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_030));
    match random.random_range(0..11) {
        0 => Manner::Resets,
        1 => Manner::Hangs,
        2 => Manner::Babbles,
        3 => Manner::Silent,
        4 => Manner::Endless,
        5 => says("500 Internal Server Error", ""),
        6 => says("429 Too Many Requests", "retry-after: 30\r\n"),
        7 => says("429 Too Many Requests", &format!("retry-after: {date}\r\n")),
        8 => says("301 Moved Permanently", &format!("location: {inner}\r\n")),
        9 => Manner::Late(
            Duration::from_millis(5),
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 0),
        ),
        _ => ok(),
    }
}

async fn survive(seed: u64) {
    let inner = Receiver::new(|_| ok()).await;
    let faulty = Arc::new(AtomicBool::new(true));
    let (still, location) = (Arc::clone(&faulty), inner.url());
    let mut random = StdRng::seed_from_u64(seed);
    let receiver =
        Receiver::new(
            move |_| {
                if still.load(Ordering::SeqCst) { misbehaviour(&mut random, &location) } else { ok() }
            },
        )
        .await;
    let healthy = Receiver::new(|_| ok()).await;

    let clock = Arc::new(ManualClock::at(HandFacts::NOW.as_millis()));
    let outbox = Outbox::new(clock.clone(), [rule(0, &receiver.url()), rule(1, &healthy.url())]);
    let guard = Guard::allowing(["127.0.0.0/8".parse().unwrap()]);
    // Silence costs real time, so it is short here; a healthy receiver on a busy machine is still faster.
    let timeout = Duration::from_millis(500);
    let sink = WebhookSink::new(guard, Arc::new(SystemResolver), clock.clone(), timeout).unwrap();
    let pace = Pace { attempt: timeout, ..Pace::default() };
    let stop = CancellationToken::new();
    let dispatcher = Dispatcher::new(outbox.clone(), Arc::new(sink), clock.clone(), pace);
    let running = tokio::spawn(dispatcher.run(stop.clone()));

    for _ in 0..EVENTS {
        for number in 0..ROOMS {
            outbox.append(number);
        }
    }
    let mut rounds = 0_u64;
    while outbox.status(0).rooms_behind > 0 {
        rounds += 1;
        receiver.die((40..60).contains(&(rounds % 100)));
        if rounds > 300 {
            faulty.store(false, Ordering::SeqCst);
        }
        // Slow enough that no lease ends under an attempt; afterwards as fast as the rest of the waits allows.
        clock.advance(if rounds > 300 { 5_000 } else { 200 });
        outbox.wake();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(rounds < 100_000, "seed {seed}: {:?}", outbox.status(0));
    }
    stop.cancel();
    running.await.unwrap();

    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(clock.now().as_millis().unsigned_abs());
    for (which, receiver) in [("faulty", &receiver), ("healthy", &healthy)] {
        let mut rooms: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for arrived in receiver.arrived().iter().filter(|arrived| arrived.taken) {
            let callback = arrived.verified_at_any_time(SECRET, now);
            let seq = u64::from_str_radix(callback.event_id().rsplit('-').next().unwrap(), 16).unwrap();
            let told = rooms.entry(callback.room.clone()).or_default();
            if !told.contains(&seq) {
                told.push(seq);
            }
        }
        assert_eq!(rooms.len() as u64, ROOMS, "seed {seed}");
        for told in rooms.values() {
            assert_eq!(*told, (1..=EVENTS).collect::<Vec<_>>(), "seed {seed}, the {which} receiver");
        }
    }
    assert_eq!(outbox.dead_letters(0), []);
    assert_eq!(healthy.arrived().len() as u64, ROOMS * EVENTS, "seed {seed}: nothing of it arrived twice");
    assert_eq!(inner.connections().0, 0);
}

#[tokio::test]
async fn after_all_faults_every_event_has_arrived_in_order() {
    for seed in 1..=3 {
        survive(seed).await;
    }
}
