mod property;

use std::time::Duration;

use super::super::cursor::Burial;
use super::super::lease::{LEASE, Progress, ROOMS_AT_ONCE};
use super::super::rule::RuleState;
use super::super::rule::tests::{kicked, rule};
use super::super::sink::DeliveryFailure;
use super::*;
use crate::test_util::HandFacts;

const NOW: Timestamp = HandFacts::NOW;

fn backlog(rules: u128) -> Backlog {
    let mut backlog = Backlog::default();
    for id in 0..rules {
        backlog.put_rule(rule(id), NOW);
    }
    backlog
}

/// Everything, in parts of three.
fn dumped(backlog: &Backlog, now: Timestamp) -> Vec<CursorWrite> {
    let (mut writes, mut next) = backlog.dump(None, 3, now);
    while next.is_some() {
        let part;
        (part, next) = backlog.dump(next, 3, now);
        writes.extend(part);
    }
    writes
}

fn took(claim: &Claim) -> Settlement {
    Settlement { lease: claim.id, through: Some(claim.span.last), taken: 1, then: Progress::Go }
}

fn gave_up(claim: &Claim) -> Settlement {
    let then = Progress::Bury { seq: claim.span.first, why: DeliveryFailure::new("answered 500") };
    Settlement { lease: claim.id, through: None, taken: 0, then }
}

#[test]
fn a_rule_is_told_of_what_happens_after_it_was_made_and_of_nothing_else() {
    let mut backlog = backlog(1);
    assert!(backlog.appended(&Happened::of(&kicked(1, 7))));
    assert!(!backlog.appended(&Happened::of(&kicked(1, 8))), "there is no more to lease than before");
    backlog.put_rule(rule(1), NOW);
    assert!(backlog.appended(&Happened::of(&kicked(1, 9))));
    let spans: Vec<_> = backlog.lease(NOW, 9).iter().map(|claim| (claim.id.rule.0, claim.span)).collect();
    let span = |first, last| Span { first: Seq(first), last: Seq(last) };
    assert_eq!(spans, [(0, span(7, 9)), (1, span(9, 9))]);
}

#[test]
fn a_room_is_held_until_nothing_of_it_waits_is_leased_or_lost_or_is_a_dead_letter() {
    let (mut backlog, room) = (backlog(2), kicked(1, 1).room);
    assert!(!backlog.holds(&room));
    backlog.appended(&Happened::of(&kicked(1, 1)));
    backlog.appended(&Happened::of(&kicked(2, 1)));
    let leased = backlog.lease(NOW, 9);
    backlog.settle(NOW, &leased.iter().map(took).collect::<Vec<_>>());
    assert!(!backlog.holds(&room));

    backlog.appended(&Happened::of(&kicked(1, 2)));
    assert!(backlog.holds(&room));
    let leased = backlog.lease(NOW, 9);
    assert!(backlog.trimmed(&room, Seq(2), NOW).is_empty() && backlog.holds(&room), "it may be delivered");
    backlog.settle(NOW, &[took(&leased[0])]);
    assert!(backlog.holds(&room));
    let ended = NOW.plus_millis(i64::try_from(LEASE.as_millis()).unwrap());
    assert!(backlog.lease(ended, 9).is_empty() && backlog.holds(&room), "it was not delivered");
    backlog.tidy(Duration::from_secs(60), ended);
    assert_eq!(backlog.dead_letters(leased[1].id.rule, None).count(), 1);
    assert!(backlog.holds(&room));
    backlog.tidy(Duration::from_secs(60), ended.plus_millis(61_000));
    assert!(!backlog.holds(&room));
}

#[test]
fn rules_take_turns_however_much_waits_for_one_of_them() {
    let mut backlog = backlog(3);
    let only_room_1 = Rule { rooms: Some([kicked(1, 1).room.id].into()), ..rule(2) };
    backlog.put_rule(only_room_1, NOW);
    for number in (0..20).chain([1]) {
        backlog.appended(&Happened::of(&kicked(number, 1)));
    }
    let mut leased = Vec::new();
    while let Some(claim) = backlog.lease(NOW, 1).pop() {
        leased.push(claim.id.rule.0);
    }
    assert_eq!(leased[..6], [0, 1, 2, 0, 1, 0]);
    assert_eq!(leased.len(), 2 * ROOMS_AT_ONCE + 1);
}

#[test]
fn a_thousand_rules_of_which_one_is_well() {
    let mut backlog = backlog(1_000);
    for number in 0..20 {
        backlog.appended(&Happened::of(&kicked(number, 1)));
    }
    let mut now = NOW;
    let mut taken = 0;
    while taken < 20 {
        let claims = backlog.lease(now, 64);
        let settled: Vec<_> = claims
            .iter()
            .map(|claim| match claim.id.rule.0 {
                500 => took(claim),
                _ => Settlement {
                    then: Progress::Retry { at: later(now, 5), why: DeliveryFailure::new("no") },
                    through: None,
                    taken: 0,
                    lease: claim.id,
                },
            })
            .collect();
        taken += settled.iter().filter(|settlement| settlement.taken > 0).count();
        assert!(backlog.settle(now, &settled).0.iter().all(|settled| *settled == Settled::Noted));
        now = later(now, 1);
        assert!(now < later(NOW, 60_000), "the others hold it up");
    }
}

fn later(at: Timestamp, millis: i64) -> Timestamp {
    at.plus_millis(millis)
}

#[test]
fn a_dead_letter_is_listed_until_it_is_told_again() {
    let mut backlog = backlog(1);
    let event = kicked(1, 1);
    backlog.appended(&Happened::of(&event));
    let claims = backlog.lease(NOW, 1);
    let (_, writes) = backlog.settle(NOW, &[gave_up(&claims[0])]);
    let letter = backlog.dead_letters(RuleId(0), None).next().unwrap().clone();
    assert_eq!((letter.span, &letter.why), (Span::one(Seq(1)), &Burial::GivenUp("answered 500".into())));
    let done = CursorWrite::Done { rule: RuleId(0), room: event.room, through: Seq(1) };
    assert_eq!(writes, [CursorWrite::Bury(letter), done]);

    let (events, _) = backlog.replay(RuleId(0), &event.room, Span::one(Seq(1)), Span::one(Seq(1)), NOW);
    assert_eq!(events, 1);
    assert_eq!(backlog.dead_letters(RuleId(0), None).count(), 0);
    assert_eq!(backlog.lease(NOW, 1)[0].span, Span::one(Seq(1)));
}

#[test]
fn what_retention_takes_becomes_one_dead_letter_that_grows() {
    let mut backlog = backlog(1);
    for seq in 1..=9 {
        backlog.appended(&Happened::of(&kicked(1, seq)));
    }
    for seq in 1..=5 {
        backlog.trimmed(&kicked(1, 1).room, Seq(seq), NOW);
    }
    let letters: Vec<_> = backlog.dead_letters(RuleId(0), None).collect();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].span, &letters[0].why), (Span { first: Seq(1), last: Seq(5) }, &Burial::Trimmed));
    assert_eq!(backlog.status(RuleId(0)).unwrap().lost, 1);
    assert_eq!(backlog.lease(NOW, 1)[0].span.first, Seq(6));
    assert_eq!(backlog.tidy(Duration::from_secs(1), later(NOW, 1_000)), []);
    assert_eq!(backlog.tidy(Duration::from_secs(1), later(NOW, 1_001)).len(), 1);
    assert_eq!(backlog.status(RuleId(0)).unwrap().lost, 0);
}

#[test]
fn what_retention_takes_of_a_room_whose_lease_ended_is_told_too() {
    let mut backlog = backlog(1);
    backlog.appended(&Happened::of(&kicked(1, 1)));
    backlog.appended(&Happened::of(&kicked(1, 2)));
    let lost = backlog.lease(NOW, 1);
    backlog.trimmed(&kicked(1, 1).room, Seq(1), NOW);
    let after = super::super::time::later(NOW, LEASE);
    let next = backlog.lease(after, 1);
    assert_eq!(next[0].span, Span::one(Seq(2)));
    let (settled, _) = backlog.settle(after, &[took(&lost[0]), took(&next[0])]);
    assert_eq!(settled, [Settled::Lost, Settled::Noted]);
    assert_eq!(backlog.dead_letters(RuleId(0), None).next().unwrap().span, Span::one(Seq(1)));
}

#[test]
fn the_status_says_how_far_a_rule_is_behind_and_why() {
    let mut backlog = backlog(1);
    backlog.appended(&Happened::of(&kicked(1, 1)));
    backlog.appended(&Happened::of(&kicked(1, 2)));
    backlog.appended(&Happened::of(&Event { at: later(NOW, 9), ..kicked(2, 1) }));
    let claims = backlog.lease(NOW, 1);
    let then = Progress::Retry { at: NOW, why: DeliveryFailure::new("answered 500") };
    backlog.settle(NOW, &[Settlement { lease: claims[0].id, through: None, taken: 0, then }]);
    let status = backlog.status(RuleId(0)).unwrap();
    assert_eq!((status.rooms_behind, status.events_behind, status.behind_since), (2, 3, Some(NOW)));
    assert_eq!(&*status.last_failure.unwrap().words, "answered 500");
    assert_eq!((status.failures_in_a_row, status.last_success), (1, None));
}

#[test]
fn a_rule_or_a_room_that_is_gone_is_forgotten() {
    let mut backlog = backlog(2);
    backlog.appended(&Happened::of(&kicked(1, 1)));
    backlog.appended(&Happened::of(&kicked(2, 1)));
    let held = backlog.lease(NOW, 2);
    backlog.remove_rule(RuleId(0));
    backlog.forget_room(&kicked(1, 1).room);
    let (settled, _) = backlog.settle(NOW, &[took(&held[0]), took(&held[1])]);
    assert_eq!(settled, [Settled::Lost, Settled::Lost]);
    assert_eq!(backlog.rules_of(HandFacts::APP).count(), 1);
    let rest: Vec<_> = backlog.lease(NOW, 9).iter().map(|claim| claim.id.room).collect();
    assert_eq!(rest, [kicked(2, 1).room]);
}

#[test]
fn a_rule_that_is_turned_off_and_on_goes_on_where_it_was() {
    let mut backlog = backlog(1);
    backlog.put_rule(Rule { state: RuleState::Disabled, ..rule(0) }, NOW);
    backlog.appended(&Happened::of(&kicked(1, 1)));
    assert_eq!((backlog.lease(NOW, 1).len(), backlog.next()), (0, None));
    backlog.put_rule(rule(0), NOW);
    assert_eq!(backlog.lease(NOW, 1)[0].span, Span::one(Seq(1)));
}

#[test]
fn an_event_that_was_kept_before_an_earlier_write_is_not_forgotten() {
    let mut before = backlog(1);
    before.appended(&Happened::of(&kicked(1, 1)));
    before.appended(&Happened::of(&kicked(2, 1)));
    let claims = before.lease(NOW, 2);
    let why = DeliveryFailure::new("no");
    let failed =
        Settlement { through: None, taken: 0, then: Progress::Retry { at: NOW, why }, ..took(&claims[0]) };
    let (_, writes) = before.settle(NOW, &[failed, took(&claims[1])]);

    let mut after = backlog(1);
    for (number, seq) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        after.appended(&Happened::of(&kicked(number, seq)));
    }
    for write in writes {
        after.restore(write, NOW);
    }
    let mut spans: Vec<_> = after.lease(NOW, 9).iter().map(|claim| (claim.span, claim.failures)).collect();
    spans.sort();
    assert_eq!(spans, [(Span { first: Seq(1), last: Seq(2) }, 1), (Span::one(Seq(2)), 0)]);
}
