use std::time::Duration;

use chatroom_core::test_util::HandFacts;
use chatroom_core::{Burial, Span};

use super::*;

const RULE: RuleId = RuleId(1);
const NOW: Timestamp = HandFacts::NOW;

fn room() -> RoomKey {
    HandFacts::default().key()
}

fn bury(seq: u64) -> CursorWrite {
    let (span, why) = (Span::one(Seq(seq)), Burial::GivenUp("no".into()));
    CursorWrite::Bury(DeadLetter { rule: RULE, room: room(), span, why, at: NOW })
}

fn put(after: u64) -> CursorWrite {
    CursorWrite::Put(Cursor {
        rule: RULE,
        room: room(),
        after: Seq(after),
        last: Seq(9),
        again: Vec::new(),
        failures: 0,
        failing_for: Duration::ZERO,
        due: NOW,
        behind_since: NOW,
    })
}

fn unbury(seq: u64) -> CursorWrite {
    CursorWrite::Unbury { rule: RULE, room: room(), first: Seq(seq) }
}

#[test]
fn a_dead_letter_is_written_before_the_cursor_that_passes_it_and_stays_until_one_tells_it_again() {
    let mut deliveries = Deliveries::default();
    deliveries.keep(vec![unbury(2), bury(4), put(4), bury(5), put(5)]);
    let one_by_one: Vec<_> =
        std::iter::repeat_with(|| deliveries.take(1)).take_while(|one| !one.is_empty()).collect();
    assert_eq!(one_by_one.concat(), [bury(4), bury(5), put(5), unbury(2)]);
}

#[test]
fn a_cursor_that_is_to_be_durable_takes_along_all_that_it_passes_and_of_the_rest_what_fits() {
    let mut deliveries = Deliveries::default();
    let most = u64::try_from(AT_ONCE).unwrap();
    deliveries.keep((10..most + 20).map(unbury).chain([put(5), bury(5)]).collect());
    let taken = deliveries.take_cursor(RULE, room());
    assert_eq!((taken.len(), &taken[..3]), (AT_ONCE, &[bury(5), put(5), unbury(10)][..]));
    assert_eq!(deliveries.take(AT_ONCE).len(), 12);

    deliveries.keep((10..most + 20).map(bury).chain([put(5), unbury(5)]).collect());
    let taken = deliveries.take_cursor(RULE, room());
    assert_eq!((taken.len(), taken.last()), (AT_ONCE + 11, Some(&put(5))));
    assert_eq!(deliveries.take(AT_ONCE), [unbury(5)]);
}

#[test]
fn of_what_is_given_back_the_newest_is_written() {
    let mut deliveries = Deliveries::default();
    deliveries.keep(vec![put(5)]);
    deliveries.give_back(vec![put(3), put(4), bury(4), unbury(4)]);
    assert_eq!(deliveries.take(9), [put(5), unbury(4)]);
}
