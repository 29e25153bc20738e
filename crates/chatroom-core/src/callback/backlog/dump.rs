//! The backlog in parts, for a snapshot that stops nobody for long.

use super::super::cursor::CursorWrite;
use super::super::rule::RuleId;
use super::Backlog;
use crate::clock::Timestamp;
use crate::event::Seq;
use crate::id::ChatroomId;
use crate::model::RoomKey;

/// Where the next part of a dump begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BacklogPlace(RuleId, Stage);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Cursors, behind that of this room.
    Cursors(Option<ChatroomId>),
    /// Dead letters, behind this one.
    Letters(Option<(ChatroomId, Seq)>),
}

impl Backlog {
    /// A part of what is to be kept, of at most `budget` cursors or dead letters of one rule, and where the next part
    /// begins. Begins with the first part if `from` is `None`.
    ///
    /// All parts together are what [`restore`](Self::restore) makes this backlog of, its rules given. What changes
    /// between two parts may be in the dump as it was before or after: with every write applied that was answered
    /// since the first part, nothing is missing, and something may be told twice.
    #[must_use]
    pub fn dump(
        &self,
        from: Option<BacklogPlace>,
        budget: usize,
        now: Timestamp,
    ) -> (Vec<CursorWrite>, Option<BacklogPlace>) {
        let first = from.map_or(RuleId(0), |BacklogPlace(rule, _)| rule);
        let Some((&id, line)) = self.rules.range(first..).next() else { return (Vec::new(), None) };
        let stage = match from {
            Some(BacklogPlace(rule, stage)) if rule == id => stage,
            _ => Stage::Cursors(None),
        };
        match stage {
            Stage::Cursors(after) => {
                let rooms: Vec<_> = line.cursors.rooms_behind(after).take(budget.max(1)).collect();
                let last = rooms.last().copied();
                let key = |id| RoomKey { app: line.rule.app, id };
                let cursors = rooms.into_iter().filter_map(|room| line.cursor(key(room), now));
                let next = last.map_or(Stage::Letters(None), |last| Stage::Cursors(Some(last)));
                (cursors.map(CursorWrite::Put).collect(), Some(BacklogPlace(id, next)))
            }
            Stage::Letters(after) => {
                let letters: Vec<_> = line.letters.behind(after).take(budget.max(1)).cloned().collect();
                let next = match letters.last() {
                    Some(last) => {
                        Some(BacklogPlace(id, Stage::Letters(Some((last.room.id, last.span.first)))))
                    }
                    None => id.0.checked_add(1).map(|next| BacklogPlace(RuleId(next), Stage::Cursors(None))),
                };
                (letters.into_iter().map(CursorWrite::Bury).collect(), next)
            }
        }
    }
}
