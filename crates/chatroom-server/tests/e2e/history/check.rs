//! Whether an order of calls explains what they were told (Wing and Gong's search, with what was tried remembered).

use std::collections::HashSet;

/// What a call was told of one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// A member now, before or not.
    Added,
    /// A member until now.
    Removed,
    /// It cannot be removed, since it is no member.
    NotThere,
    /// Who asks for the list finds it, or not.
    Seen(bool),
}

/// A call, from its request to its answer, in nanoseconds of one clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) told: Told,
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Whether there is an order in which each call happens at once, between its request and its answer, and is told what
/// it was told; nobody is a member at first. At most 128 calls.
pub(super) fn explains(history: &[Call]) -> bool {
    assert!(history.len() <= 128, "{} calls", history.len());
    let mut tried = HashSet::new();
    search(history, 0, false, &mut tried)
}

fn search(history: &[Call], done: u128, member: bool, tried: &mut HashSet<(u128, bool)>) -> bool {
    let left = || history.iter().enumerate().filter(|(index, _)| done & (1 << index) == 0);
    let Some(first_answer) = left().map(|(_, call)| call.to).min() else { return true };
    if !tried.insert((done, member)) {
        return false;
    }
    // The next to happen was asked for before any of those that are left was answered.
    left().filter(|(_, call)| call.from <= first_answer).any(|(index, call)| {
        after(call.told, member).is_some_and(|member| search(history, done | (1 << index), member, tried))
    })
}

/// Whether it is a member after that, if it can be told so.
fn after(told: Told, member: bool) -> Option<bool> {
    match told {
        Told::Added => Some(true),
        Told::Removed => member.then_some(false),
        Told::NotThere => (!member).then_some(false),
        Told::Seen(there) => (there == member).then_some(member),
    }
}

#[test]
fn calls_one_after_the_other_are_explained_only_in_their_order() {
    let call = |told, from, to| Call { told, from, to };
    assert!(explains(&[call(Told::Added, 0, 1), call(Told::Removed, 2, 3), call(Told::NotThere, 4, 5)]));
    assert!(!explains(&[call(Told::Added, 0, 1), call(Told::NotThere, 2, 3)]));
    assert!(!explains(&[call(Told::Removed, 0, 1), call(Told::Added, 2, 3)]));
    assert!(!explains(&[call(Told::Added, 0, 1), call(Told::Seen(false), 2, 3)]));
}

#[test]
fn of_two_removals_at_once_one_is_told_that_it_removed() {
    let added = Call { told: Told::Added, from: 0, to: 1 };
    let removal = |told| Call { told, from: 2, to: 9 };
    assert!(explains(&[added, removal(Told::Removed), removal(Told::NotThere)]));
    assert!(!explains(&[added, removal(Told::Removed), removal(Told::Removed)]));
    assert!(!explains(&[added, removal(Told::NotThere), removal(Told::NotThere)]));
}
