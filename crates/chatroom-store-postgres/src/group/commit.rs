//! One run of a group. Either it begins, locks and loads in one go, decides, and writes and commits in one go; or, of
//! removals, it looks, decides, and writes if all is as it was believed to be.

use chatroom_core::{Moment, Operation, Plan, ReadSet, plan};

use super::fate::{Witness, find_out};
use super::load::{self, Facts};
use super::look::{self, Look};
use super::write::removals;
use super::{Trouble, write};
use crate::deadline::Deadline;
use crate::error::{moved, outcome_unknown, presumed_wrongly, unavailable};
use crate::queue::Answer;
use crate::session::Session;
use crate::shared::Shared;

/// How a group relies on what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It locks it, in a transaction from then to the commit.
    Lock,
    /// It compares it when it writes, in a transaction that is that statement.
    Compare(Look),
}

/// Commits these operations together, and answers each. An error means that nothing was done.
///
/// The session is gone when its transaction may still be open.
pub(super) async fn commit(
    shared: &Shared,
    held: &mut Option<Session>,
    operations: &[&Operation],
    way: Way,
    deadline: Deadline,
) -> Result<Vec<Answer>, Trouble> {
    let mut session = match held.take().filter(|session| !session.is_closed()) {
        Some(session) => session,
        None => {
            let session = deadline.hold(shared.connector.connect()).await??;
            shared.known.is_of(deadline.hold(session.server()).await??);
            session
        }
    };
    session.take_doubt();
    let moment = Moment(shared.clock.now());
    let begun = deadline.hold(begin(shared, &mut session, operations, way, moment)).await?;
    let mut facts = match begun {
        Ok(facts) => facts,
        Err(trouble) => {
            end(held, session, way, deadline).await;
            return Err(trouble);
        }
    };
    let decided = plan(&mut facts.loaded, operations.iter().copied(), moment.0);
    if way == Way::Compare(Look::Known) && decided.answers.iter().any(Result::is_err) {
        // Nobody is refused because of what may be out of date.
        keep(held, session);
        return Err(Trouble::Presumed);
    }
    if decided.is_empty() {
        end(held, session, way, deadline).await;
        return Ok(answers(decided));
    }
    let witness = Witness::of(&decided, operations.first().copied());
    let (calls, after): (_, &[_]) = match way {
        Way::Lock => {
            let mark = witness.and_then(Witness::mark);
            (write::calls(&decided, &facts.told, &facts.spots, mark)?, &["COMMIT"])
        }
        Way::Compare(_) => (vec![removals::call(&decided, &facts)?], &[]),
    };
    let prepared = deadline.hold(session.prepare(&calls)).await?;
    if let Err(error) = prepared {
        end(held, session, way, deadline).await;
        return Err(error.into());
    }
    // From here on the commit may be made, whoever gives up.
    let sent = deadline.hold(session.send(&[], calls, after)).await;
    let committed = match sent {
        Ok(sent) => {
            let refused = sent.calls.into_iter().find_map(Result::err).or(sent.before);
            match refused {
                // The database says no to a statement, so its commit was a rollback.
                Some(error) if error.as_db_error().is_some() => {
                    keep(held, session);
                    return Err(match error {
                        error if moved(&error) => Trouble::Moved,
                        error if presumed_wrongly(&error) => Trouble::Presumed,
                        error => error.into(),
                    });
                }
                Some(_) => None,
                None if sent.after.is_some() || session.take_doubt() => None,
                None => Some(true),
            }
        }
        Err(_late) => None,
    };
    let committed = match (committed, witness) {
        (Some(committed), _) => {
            keep(held, session);
            Some(committed)
        }
        (None, Some(witness)) => {
            // The old connection must not go on while its fate is looked for.
            drop(session);
            // What is asked next connects again, and learns whom it asks.
            find_out(&shared.connector, witness, deadline).await
        }
        (None, None) => None,
    };
    match committed {
        Some(true) => {
            shared.known.committed(&decided, &facts.logs);
            if !facts.told.is_empty() && !decided.events.is_empty() {
                shared.news.notify_one();
            }
            Ok(answers(decided))
        }
        Some(false) => Err(unavailable("the connection was lost, and the commit was not made").into()),
        None => Ok(operations.iter().map(|_| Err(outcome_unknown().into())).collect()),
    }
}

fn answers(decided: Plan) -> Vec<Answer> {
    decided.answers.into_iter().map(|answer| answer.map_err(Into::into)).collect()
}

async fn begin(
    shared: &Shared,
    session: &mut Session,
    operations: &[&Operation],
    way: Way,
    moment: Moment,
) -> Result<Facts, Trouble> {
    let reads = ReadSet::of(operations.iter().copied(), moment);
    if let Way::Compare(how) = way {
        return look::look(session, &shared.known, &reads, how).await;
    }
    let two_rounds = operations.first().filter(|operation| operation.has_more_to_read());
    let Some(operation) = two_rounds else {
        let facts = load::begin(session, &reads, shared.options.max_members).await?;
        shared.known.read(&reads, &facts.loaded);
        return Ok(facts);
    };
    let reads = load::all_reads(session, operation, reads).await?;
    let facts = load::begin(session, &reads, shared.options.max_members).await?;
    let again = operation.reads_more(&facts.loaded);
    if again.rooms.keys().all(|room| reads.rooms.contains_key(room)) {
        Ok(facts)
    } else {
        Err(Trouble::Moved)
    }
}

fn keep(held: &mut Option<Session>, session: Session) {
    if !session.is_closed() {
        *held = Some(session);
    }
}

/// Ends the transaction, if there is one, and keeps the session if that worked.
async fn end(held: &mut Option<Session>, session: Session, way: Way, deadline: Deadline) {
    let ended = match way {
        Way::Lock => deadline.hold(session.client().batch_execute("ROLLBACK")).await,
        Way::Compare(_) => Ok(Ok(())),
    };
    if matches!(ended, Ok(Ok(()))) {
        keep(held, session);
    }
}
