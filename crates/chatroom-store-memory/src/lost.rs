use std::collections::BTreeMap;

use chatroom_core::{Backlog, Burial, CursorWrite, DeadLetter, RuleId};

/// Says in the log what retention took before it was delivered: a line a rule, however many rooms it were.
pub fn report_lost(backlog: &Backlog, writes: &[CursorWrite]) {
    let mut lost: BTreeMap<RuleId, Vec<&DeadLetter>> = BTreeMap::new();
    for write in writes {
        if let CursorWrite::Bury(letter) = write
            && letter.why == Burial::Trimmed
        {
            lost.entry(letter.rule).or_default().push(letter);
        }
    }
    for (id, letters) in lost {
        let Some(rule) = backlog.rule(id) else { continue };
        let (app, name, rooms) = (&rule.app_key, rule.name.as_str(), letters.len());
        let Some(DeadLetter { room, span, .. }) = letters.first() else { continue };
        let (room, first, last) = (room.id, span.first.0, span.last.0);
        tracing::warn!(
            %app, rule = name, %room, first, last, rooms,
            "retention took events {first} to {last} of room {room} before rule {name} of {app} was told of them \
             ({rooms} such runs at once)"
        );
    }
}
