//! What a replay says while it runs and when it is done.

use super::render::count;
use crate::admin::Replayed;

/// The last line.
pub(super) fn told_again(replayed: &Replayed) -> String {
    match replayed.events {
        0 => "nothing is told again\n".to_owned(),
        events => format!("{} told again\n", count(events, "event is", "events are")),
    }
}

/// How far it is.
pub(super) fn progress(replayed: &Replayed) -> String {
    let events = count(replayed.events, "event", "events");
    format!("looked at {} so far: {events} to tell again", replayed.looked_at)
}

/// That some of it is done although it failed.
pub(super) fn broken_off(replayed: &Replayed) -> String {
    format!(
        "{} told again; the command broke off there and may be repeated, which tells them once more",
        count(replayed.events, "event is", "events are")
    )
}

/// What should be known of it.
pub(super) fn notes(replayed: &Replayed) -> Vec<String> {
    let mut notes = Vec::new();
    if replayed.events == 0 && replayed.gone == 0 {
        notes.push("what was not told yet is told anyhow".to_owned());
    }
    if replayed.gone > 0 {
        let letters = count(replayed.gone, "event is", "events are");
        notes.push(format!("{letters} dead and no longer kept: they cannot be told again"));
    }
    if replayed.picks && replayed.events > 0 {
        notes.push("the rule does not want every kind of event: some of these may be passed over".to_owned());
    }
    if !replayed.delivers && replayed.events > 0 {
        notes.push("the rule does not deliver: they wait until it is enabled".to_owned());
    }
    notes
}
