//! A task that takes groups and commits them, one after the other, on a connection of its own.

use std::sync::Arc;

use chatroom_core::{Operation, StorageError, StorageErrorKind};

use super::commit::{Way, commit};
use super::look::Look;
use super::replies::Replies;
use super::trust::Trust;
use super::{Trouble, look};
use crate::deadline::Deadline;
use crate::error::{collided, not_done, session_is_over};
use crate::queue::{Answer, Group};
use crate::session::Session;
use crate::shared::Shared;

/// How often a group locks as a whole, and then each of its members alone, when others are in the way.
const ATTEMPTS: usize = 3;

/// What the task keeps from one group to the next.
#[derive(Default)]
struct Held {
    session: Option<Session>,
    /// In what the process knows.
    trust: Trust,
}

/// Takes groups until the queue is closed.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut held = Held::default();
    while let Some(group) = shared.queue.take().await {
        let lanes = group.lanes();
        serve(&shared, &mut held, group).await;
        shared.queue.release(lanes);
    }
}

/// Answers everybody in the group.
async fn serve(shared: &Shared, held: &mut Held, group: Group) {
    let operations: Vec<&Operation> = group.members.iter().map(|member| &member.operation).collect();
    let Some(deadline) = group.members.iter().map(|member| member.deadline).min() else { return };
    let outcome = attempts(shared, held, &operations, deadline).await;
    let mut replies = Replies::default();
    match outcome {
        Outcome::Answered(answers) => {
            for (member, answer) in group.members.into_iter().zip(answers) {
                replies.add(member, answer);
            }
        }
        // One of them may be what the others stumble over.
        Outcome::Apart(_) if group.members.len() > 1 => {
            for member in group.members {
                let alone = attempts(shared, held, &[&member.operation], member.deadline).await;
                let answer = match alone {
                    Outcome::Answered(mut answers) => answers.pop(),
                    Outcome::Apart(error) => Some(Err(error.into())),
                };
                let mut reply = Replies::default();
                reply.add(member, answer.unwrap_or_else(|| Err(unanswered().into())));
                reply.give();
            }
        }
        Outcome::Apart(error) => {
            for member in group.members {
                replies.add(member, Err(again(&error).into()));
            }
        }
    }
    replies.give();
}

fn unanswered() -> StorageError {
    StorageError::new(
        StorageErrorKind::OutcomeUnknown,
        "the store decided an operation and has no answer to it",
    )
}

/// The same failure, for one more of those who share it.
fn again(error: &StorageError) -> StorageError {
    StorageError::new(error.kind(), error.to_string())
}

enum Outcome {
    /// One answer an operation.
    Answered(Vec<Answer>),
    /// Nothing was done. Each of them alone may succeed.
    Apart(StorageError),
}

async fn attempts(
    shared: &Shared,
    held: &mut Held,
    operations: &[&Operation],
    deadline: Deadline,
) -> Outcome {
    let Held { session, trust } = held;
    let (mut first, mut locked) = (true, 0);
    let mut way = first_way(look::is_enough_for(operations), trust);
    loop {
        let trouble = match commit(shared, session, operations, way, deadline).await {
            Ok(answers) => {
                if way == Way::Compare(Look::Known) {
                    trust.held();
                }
                return Outcome::Answered(answers);
            }
            Err(trouble) => trouble,
        };
        locked += usize::from(way == Way::Lock);
        let last = locked >= ATTEMPTS || deadline.is_over();
        let was_first = std::mem::replace(&mut first, false);
        way = next_way(way, &trouble, trust);
        let error = match trouble {
            Trouble::Moved | Trouble::Presumed if !last => continue,
            Trouble::Moved | Trouble::Presumed => {
                return Outcome::Apart(StorageError::new(
                    StorageErrorKind::Conflict,
                    "what was to be changed went on changing",
                ));
            }
            Trouble::Database(error) if collided(&error) => {
                if !last {
                    continue;
                }
                let message = "others were in the way at every attempt";
                return Outcome::Apart(StorageError::caused_by(StorageErrorKind::Conflict, message, error));
            }
            Trouble::Database(error) if session_is_over(&error) => {
                *session = None;
                // The connection may have been dead for long.
                if was_first && !deadline.is_over() {
                    continue;
                }
                not_done(error)
            }
            Trouble::Database(error) if waited_in_vain(&error) => not_done(error),
            Trouble::Database(error) => return Outcome::Apart(not_done(error)),
            Trouble::Store(error) if error.kind() == StorageErrorKind::Corrupt => {
                return Outcome::Apart(error);
            }
            Trouble::Store(error) => error,
        };
        return Outcome::Answered(operations.iter().map(|_| Err(again(&error).into())).collect());
    }
}

fn first_way(removals: bool, trust: &mut Trust) -> Way {
    if !removals {
        Way::Lock
    } else if trust.is_there() {
        Way::Compare(Look::Known)
    } else {
        Way::Compare(Look::Read)
    }
}

/// The way behind one that came to nothing. Whoever came between a look that read everything and its write may do so
/// again: he waits for locks.
fn next_way(way: Way, trouble: &Trouble, trust: &mut Trust) -> Way {
    if way == Way::Compare(Look::Known) && matches!(trouble, Trouble::Moved | Trouble::Presumed) {
        trust.failed();
        return Way::Compare(Look::Read);
    }
    Way::Lock
}

/// A lock or a statement took too long. Each alone would wait as long.
fn waited_in_vain(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    matches!(error.code(), Some(&(SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Way = Way::Compare(Look::Known);
    const READ: Way = Way::Compare(Look::Read);

    #[test]
    fn a_group_that_relied_on_what_is_not_so_reads_and_then_locks() {
        for trouble in [Trouble::Moved, Trouble::Presumed] {
            let mut trust = Trust::default();
            assert_eq!(first_way(false, &mut trust), Way::Lock);
            assert_eq!(first_way(true, &mut trust), KNOWN);
            assert_eq!(next_way(KNOWN, &trouble, &mut trust), READ);
            assert_eq!(next_way(READ, &trouble, &mut trust), Way::Lock);
            assert_eq!(first_way(true, &mut trust), READ, "the next does not rely on it either");
            assert_eq!(first_way(true, &mut trust), KNOWN);
        }
    }
}
