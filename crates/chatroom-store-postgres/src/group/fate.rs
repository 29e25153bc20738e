//! Finds out what became of a commit whose answer was lost.

use std::time::Duration;

use chatroom_core::{EventId, Operation, Plan, RoomKey, Seq};
use uuid::Uuid;

use super::lock;
use crate::connect::Connector;
use crate::deadline::Deadline;
use crate::numbers;
use crate::session::{Session, call};

/// By what a group is known to have been committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Witness {
    /// An event of a room that was there before. Whoever holds the room's lock knows that the group's transaction has
    /// ended or has not begun, and the event says which; one that has not begun never will.
    Event(RoomKey, Seq, EventId),
    /// A mark: the app and the id of the first operation. Whoever makes it again waits for the group's transaction,
    /// and is refused if that made it.
    Mark(Uuid, Uuid),
}

const EVENT: &str = "SELECT id FROM events WHERE app = $1 AND room = $2 AND seq = $3";
/// A commit behind this is answered only when all that stands before it in the log of the database is as safe as
/// commits are to be: after a restart the commit in question may be there without its standby.
///
/// And it moves the end of the room's log, by a millisecond: removals of the group that locked nothing, and are still
/// on their way, find another end than they read.
const TOUCH: &str = "UPDATE logs SET at = at + 1 WHERE app = $1 AND room = $2";
const MARK: &str = "INSERT INTO marks (app, operation) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING app";
const TOUCH_MARK: &str = "UPDATE marks SET made = made WHERE app = $1 AND operation = $2";

impl Witness {
    pub(super) fn of(plan: &Plan, first: Option<&Operation>) -> Option<Self> {
        let made = |room: &RoomKey| {
            let key = chatroom_core::Key::Room(*room);
            plan.changes.get(&key).is_some_and(|change| !change.was_there || change.now.is_none())
        };
        let told = plan.events.iter().find(|event| !made(&event.room));
        if let Some(event) = told {
            return Some(Self::Event(event.room, event.seq, event.id));
        }
        first.map(|operation| {
            let id = operation.id.event(0);
            Self::Mark(numbers::app(operation.app), numbers::event(id))
        })
    }

    /// The mark that the group must write.
    pub(super) fn mark(self) -> Option<(Uuid, Uuid)> {
        match self {
            Self::Event(..) => None,
            Self::Mark(app, operation) => Some((app, operation)),
        }
    }
}

/// How soon a connection is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// Whether the group was committed. `None` if it could not be found out in time.
pub(super) async fn find_out(connector: &Connector, witness: Witness, deadline: Deadline) -> Option<bool> {
    while !deadline.is_over() {
        let asked = deadline.hold(async {
            let mut session = connector.connect().await?;
            ask(&mut session, witness).await
        });
        if let Ok(Ok(Some(committed))) = asked.await {
            return Some(committed);
        }
        tokio::time::sleep(AGAIN).await;
    }
    None
}

/// `None` if it cannot be known.
async fn ask(session: &mut Session, witness: Witness) -> Result<Option<bool>, tokio_postgres::Error> {
    let committed = match witness {
        Witness::Event(room, seq, id) => {
            let (app, number) = (numbers::app(room.app), numbers::room(room.id));
            let calls = vec![
                lock::rooms_call(&[room]),
                call!(EVENT, app, number, numbers::seq(seq)),
                call!(TOUCH, app, number),
            ];
            session.prepare(&calls).await?;
            let rows = session.send(&["BEGIN"], calls, &["COMMIT"]).await.rows()?;
            let is_there = rows.first().is_some_and(|rows| !rows.is_empty());
            let found = rows.get(1).and_then(|rows| rows.first()).map(|row| row.try_get::<_, Uuid>(0));
            let found = found.transpose()?;
            // Gone with its app: nobody can tell any more.
            is_there.then(|| found == Some(numbers::event(id)))
        }
        Witness::Mark(app, operation) => {
            let calls = vec![call!(MARK, app, operation), call!(TOUCH_MARK, app, operation)];
            session.prepare(&calls).await?;
            let rows = session.send(&["BEGIN"], calls, &["COMMIT"]).await.rows()?;
            rows.first().map(Vec::is_empty)
        }
    };
    Ok(committed.filter(|_| !session.take_doubt()))
}
