use std::time::Duration;

use super::*;
use crate::callback::lease::LeaseId;
use crate::callback::rule::RuleId;
use crate::callback::sink::DeliveryFailure;
use crate::model::RoomKey;
use crate::test_util::HandFacts;

/// The rooms of one rule, at a time that the test says.
struct Rule {
    cursors: Cursors,
    now: Timestamp,
    tokens: u64,
}

impl Rule {
    fn new() -> Self {
        let now = Timestamp::default();
        Self { cursors: Cursors::new(true, now), now, tokens: 0 }
    }

    fn append(&mut self, number: u64, seq: u64) {
        self.cursors.appended(room(number), Seq(seq), self.now);
    }

    fn pass(&mut self, seconds: u64) {
        self.now = later(self.now, Duration::from_secs(seconds));
    }

    fn lease(&mut self) -> Option<(Next, LeaseToken)> {
        let token = LeaseToken(self.tokens);
        self.tokens += 1;
        Some((self.cursors.lease(self.now, token)?, token))
    }

    /// Which room is next, and from which event on.
    fn leased(&mut self) -> Option<(u64, u64, u64)> {
        let (next, _) = self.lease()?;
        Some((next.room.as_number() - room(0).as_number(), next.span.first.0, next.span.last.0))
    }

    fn settle(
        &mut self,
        leased: &(Next, LeaseToken),
        through: Option<u64>,
        then: Progress,
    ) -> Option<Change> {
        let room = RoomKey { app: HandFacts::APP, id: leased.0.room };
        let lease = LeaseId { rule: RuleId(1), room, token: leased.1 };
        let taken = u32::from(through.is_some());
        self.cursors.settle(self.now, &Settlement { lease, through: through.map(Seq), taken, then })
    }

    fn fail(&mut self, wait: u64) {
        let leased = self.lease().unwrap();
        let at = later(self.now, Duration::from_secs(wait));
        assert!(self.settle(&leased, None, retry(at)).is_some());
    }

    fn next_in(&self) -> Option<u64> {
        self.cursors.next(self.now).map(|at| between(self.now, at).as_secs())
    }
}

fn room(number: u64) -> ChatroomId {
    ChatroomId::from_number(100_000_000_000_000 + number).unwrap()
}

fn retry(at: Timestamp) -> Progress {
    Progress::Retry { at, why: DeliveryFailure::new("no") }
}

#[test]
fn a_room_is_leased_once_and_then_what_came_meanwhile() {
    let mut rule = Rule::new();
    rule.append(1, 4);
    rule.append(1, 5);
    let first = rule.lease().unwrap();
    assert_eq!(first.0.span, Span { first: Seq(4), last: Seq(5) });
    assert_eq!(rule.lease(), None);
    rule.append(1, 6);
    rule.settle(&first, Some(5), Progress::Go).unwrap();
    assert_eq!(rule.leased(), Some((1, 6, 6)));
}

#[test]
fn a_room_that_is_told_everything_takes_no_memory() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    let leased = rule.lease().unwrap();
    rule.settle(&leased, Some(1), Progress::Go).unwrap();
    let Cursors { places, queue, leased, .. } = &rule.cursors;
    assert_eq!((places.len(), queue.len(), leased.len()), (0, 0, 0));
    assert_eq!(rule.next_in(), None);
}

#[test]
fn rooms_take_turns_and_one_that_waited_goes_behind_those_that_are_due() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    rule.fail(5);
    for number in [2, 3] {
        rule.append(number, 1);
        rule.append(number, 2);
    }
    rule.pass(5);
    let second = rule.lease().unwrap();
    rule.settle(&second, Some(1), Progress::Go).unwrap();
    let order: Vec<_> = std::iter::from_fn(|| rule.leased()).collect();
    assert_eq!(order, [(3, 1, 2), (1, 1, 1), (2, 2, 2)]);
}

#[test]
fn at_most_eight_rooms_are_leased_at_once() {
    let mut rule = Rule::new();
    for number in 0..20 {
        rule.append(number, 1);
    }
    let leased: Vec<_> = std::iter::from_fn(|| rule.lease()).collect();
    assert_eq!(leased.len(), ROOMS_AT_ONCE);
    assert_eq!(rule.next_in(), Some(30), "when the first lease ends");
    rule.settle(&leased[3], Some(1), Progress::Go).unwrap();
    assert_eq!(rule.next_in(), Some(0));
    assert_eq!(rule.leased(), Some((8, 1, 1)));
}

#[test]
fn a_lease_that_ended_is_given_to_the_next_and_its_settlement_is_lost() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    let late = rule.lease().unwrap();
    rule.pass(29);
    assert_eq!(rule.lease(), None);
    rule.pass(1);
    let next = rule.lease().unwrap();
    assert_eq!(rule.settle(&late, Some(1), Progress::Go), None);
    assert!(rule.settle(&next, Some(1), Progress::Go).is_some());
    assert_eq!(rule.settle(&next, Some(1), Progress::Go), None, "twice");
}

#[test]
fn a_failed_event_waits_and_carries_its_failures_until_it_is_taken() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    rule.append(1, 2);
    rule.fail(0);
    rule.pass(10);
    rule.fail(30);
    assert_eq!(rule.lease(), None);
    assert_eq!(rule.next_in(), Some(30));
    rule.pass(30);
    let third = rule.lease().unwrap();
    assert_eq!((third.0.failures, third.0.failing_for), (2, Duration::from_secs(40)));
    rule.settle(&third, Some(1), Progress::Go).unwrap();
    let other = rule.lease().unwrap();
    assert_eq!((other.0.span.first, other.0.failures), (Seq(2), 0));
}

#[test]
fn an_event_that_is_given_up_lets_the_room_go_on() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    rule.append(1, 2);
    let leased = rule.lease().unwrap();
    let bury = Progress::Bury { seq: Seq(1), why: DeliveryFailure::new("no") };
    assert_eq!(rule.settle(&leased, None, bury).unwrap().buried, Some(Seq(1)));
    assert_eq!(rule.leased(), Some((1, 2, 2)));
}

/// Rooms 0 to 19 fail once each, which pauses the rule.
fn paused() -> Rule {
    let mut rule = Rule::new();
    for number in 0..20 {
        rule.append(number, 1);
        rule.fail(60);
    }
    rule
}

#[test]
fn a_paused_rule_is_probed_one_room_at_a_time_and_each_probe_asks_another_room() {
    let mut rule = paused();
    assert_eq!(rule.lease(), None);
    assert_eq!(rule.next_in(), Some(5));
    let mut probed = Vec::new();
    for wait in [5, 10, 20] {
        rule.pass(wait);
        let probe = rule.lease().unwrap();
        assert!(probe.0.probe);
        assert_eq!(rule.lease(), None);
        probed.push(probe.0.room);
        rule.settle(&probe, None, retry(rule.now)).unwrap();
    }
    assert_eq!(probed, [room(0), room(1), room(2)]);
}

#[test]
fn while_a_rule_is_paused_no_events_clock_runs() {
    let mut rule = paused();
    rule.pass(5);
    let probe = rule.lease().unwrap();
    rule.settle(&probe, None, retry(rule.now)).unwrap();
    rule.pass(1_000_000);
    let probe = rule.lease().unwrap();
    assert_eq!((probe.0.failures, probe.0.failing_for), (1, Duration::ZERO));
    rule.settle(&probe, Some(1), Progress::Go).unwrap();

    // Room 0 was probed in vain, so it is due; the others wait for the rest of their minute.
    let probed = rule.lease().unwrap();
    assert_eq!(probed.0.room, room(0));
    rule.settle(&probed, Some(1), Progress::Go).unwrap();
    rule.pass(59);
    assert_eq!(rule.lease(), None);
    rule.pass(1);
    let other = rule.lease().unwrap();
    assert_eq!((other.0.room, other.0.failures), (room(2), 1));
    assert_eq!(other.0.failing_for, Duration::from_secs(60));
}

#[test]
fn a_rule_that_is_off_keeps_its_place() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    rule.cursors.health.switch(false, rule.now);
    rule.append(1, 2);
    assert_eq!((rule.lease(), rule.next_in()), (None, None));
    rule.cursors.health.switch(true, rule.now);
    assert_eq!(rule.leased(), Some((1, 1, 2)));
}

#[test]
fn what_is_told_again_comes_first_and_the_room_goes_on_where_it_was() {
    let mut rule = Rule::new();
    rule.append(1, 8);
    rule.fail(600);
    assert_eq!(rule.cursors.replay(room(1), Span { first: Seq(2), last: Seq(99) }, Seq(8), rule.now), 6);
    let again = rule.lease().unwrap();
    assert_eq!(again.0.span, Span { first: Seq(2), last: Seq(7) });
    rule.settle(&again, Some(7), Progress::Go).unwrap();
    assert_eq!(rule.leased(), Some((1, 8, 8)));

    assert_eq!(rule.cursors.replay(room(2), Span::one(Seq(3)), Seq(5), rule.now), 1);
    let again = rule.lease().unwrap();
    assert_eq!(again.0.span, Span::one(Seq(3)));
    rule.settle(&again, Some(3), Progress::Go).unwrap();
    assert_eq!(rule.lease(), None);
}

#[test]
fn events_that_retention_takes_from_a_leased_room_are_lost_only_if_they_were_not_delivered() {
    let mut rule = Rule::new();
    rule.append(1, 1);
    rule.append(1, 2);
    rule.append(1, 3);
    let leased = rule.lease().unwrap();
    assert_eq!(rule.cursors.trimmed(room(1), Seq(2)), []);
    let change = rule.settle(&leased, Some(1), retry(rule.now)).unwrap();
    assert_eq!(change.lost, [Span::one(Seq(2))]);
    assert_eq!(rule.cursors.trimmed(room(1), Seq(3)), [Span::one(Seq(3))]);
    assert_eq!(rule.lease(), None);
}
