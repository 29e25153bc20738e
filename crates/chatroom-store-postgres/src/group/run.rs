//! A task that takes groups and commits them, one after the other, on a connection of its own.

use std::sync::Arc;

use chatroom_core::{Operation, StorageError, StorageErrorKind};

use super::commit::commit;
use super::replies::Replies;
use super::trust::Trusts;
use super::{Trouble, look};
use crate::deadline::Deadline;
use crate::error::{collided, not_done, session_is_over};
use crate::queue::{Answer, Group};
use crate::session::Session;
use crate::shared::Shared;

/// How often a group is run as a whole, and then each of its members alone, when others are in the way.
const ATTEMPTS: usize = 3;

/// What the task keeps from one group to the next.
#[derive(Default)]
struct Held {
    session: Option<Session>,
    trusts: Trusts,
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
    let Held { session, trusts } = held;
    let mut attempt = 1;
    let mut way = trusts.first_way(look::is_enough_for(operations));
    loop {
        let trouble = match commit(shared, session, operations, way, deadline).await {
            Ok(answers) => {
                trusts.held(way);
                return Outcome::Answered(answers);
            }
            Err(trouble) => trouble,
        };
        way = trusts.next_way(way, &trouble);
        let last = attempt >= ATTEMPTS || deadline.is_over();
        attempt += 1;
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
                if attempt == 2 && !deadline.is_over() {
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

/// A lock or a statement took too long. Each alone would wait as long.
fn waited_in_vain(error: &tokio_postgres::Error) -> bool {
    use tokio_postgres::error::SqlState;
    matches!(error.code(), Some(&(SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED)))
}
