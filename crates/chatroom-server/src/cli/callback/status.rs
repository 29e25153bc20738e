//! How deliveries are doing, for people who read a terminal.

use super::super::table::Table;
use super::super::time;
use super::render::{count, state};
use crate::admin::{HealthView, LetterView, StatusView};

/// A rule's lines.
pub(super) fn block(status: &StatusView, now: i64) -> String {
    let ago = |then: i64| format!("{} ago", time::between(then, now));
    let behind = status.behind_since.map_or_else(
        || "nothing waits".to_owned(),
        |since| {
            format!(
                "{} in {}, for {}",
                count(status.events_behind, "event", "events"),
                count(status.rooms_behind, "room", "rooms"),
                time::between(since, now)
            )
        },
    );
    let failure = status.last_failure.as_ref().map_or_else(
        || "none is known".to_owned(),
        |failure| {
            let row = match status.failures_in_a_row {
                0 => "taken since then".to_owned(),
                row => format!("{row} in a row"),
            };
            format!("{}: {} ({row})", ago(failure.at), failure.words)
        },
    );
    format!(
        "rule          {}\nurl           {}\nstate         {}\nbehind        {behind}\nlast failure  {failure}\n\
         last success  {}\ndead letters  {}\nlost ranges   {}\n",
        status.rule.name,
        status.rule.url,
        health(status, now),
        status.last_success.map_or_else(|| "none is known".to_owned(), ago),
        status.dead_letters.saturating_sub(status.lost),
        status.lost,
    )
}

fn health(status: &StatusView, now: i64) -> String {
    match status.health {
        HealthView::Delivering if status.rule.declared => {
            "delivering, declared in the configuration".to_owned()
        }
        HealthView::Delivering => "delivering".to_owned(),
        HealthView::Paused { since, next_probe } => format!(
            "paused for {} after {}; probed again in {}",
            time::between(since, now),
            count(status.failures_in_a_row.into(), "failure", "failures in a row"),
            time::between(now, next_probe)
        ),
        HealthView::Off => state(&status.rule).to_owned(),
    }
}

/// Dead letters, page by page.
pub(super) struct Letters {
    table: Table<5>,
    empty: bool,
}

impl Letters {
    pub(super) fn new() -> Self {
        // A time, a common name, a room and a range: what most pages need, so that they stand under one head.
        Self { table: Table::of([20, 12, 15, 11, 0]), empty: true }
    }

    /// Whether there was none.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// The lines of a page. The first has the head.
    pub(super) fn page(&mut self, letters: &[LetterView]) -> String {
        let head = ["SINCE", "RULE", "ROOM", "EVENTS", "WHY"].map(str::to_owned);
        let mut rows = Vec::with_capacity(letters.len() + 1);
        if std::mem::take(&mut self.empty) {
            if letters.is_empty() {
                self.empty = true;
                return String::new();
            }
            rows.push(head);
        }
        rows.extend(letters.iter().map(row));
        self.table.lines(&rows)
    }
}

fn row(letter: &LetterView) -> [String; 5] {
    let events = match (letter.first, letter.last) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    let lost = "lost: no longer kept when its turn came";
    let why = letter.failure.as_deref().unwrap_or(lost);
    [time::shown(letter.at), letter.rule.to_string(), letter.room.to_string(), events, why.to_owned()]
}
