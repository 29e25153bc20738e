//! The thread that commits groups, one after the other.

use crate::engine::Phase;
use crate::journal::{JournalError, Left};
use crate::shared::Shared;
use crate::signal::Fate;

/// How many of those that wait are decided while the lock is held.
const AT_ONCE: usize = 64;

/// Commits groups until the store closes or fails.
pub(crate) fn run(shared: &Shared) {
    while let Some((written, bytes)) = commit_next(shared) {
        match written {
            Some(Ok(())) => {
                let landed = shared.engine().landed(bytes);
                if let Some(group) = landed {
                    group.signal.tell(Fate::Durable);
                }
            }
            Some(Err(error)) if error.left == Left::Unknown => return shared.fail(&error),
            Some(Err(error)) => roll_back(shared, &error),
            // It was failed beside the writer, which told everybody.
            None => return,
        }
    }
    let mut engine = shared.engine();
    if engine.phase == Phase::Closing {
        engine.phase = Phase::Closed;
    }
}

/// Waits for a group and commits it. `None` when the store is closing and everything is committed, or has failed.
fn commit_next(shared: &Shared) -> Option<(Option<Result<(), JournalError>>, usize)> {
    let mut engine = shared.engine();
    loop {
        if matches!(engine.phase, Phase::Failed(_)) {
            return None;
        }
        let more = engine.admit(AT_ONCE, || shared.moment());
        if more {
            // Others may have their turn at the lock.
            drop(engine);
            engine = shared.engine();
        } else if engine.has_pending() {
            break;
        } else if engine.has_waiting() {
            continue;
        } else if engine.phase != Phase::Open {
            return None;
        } else {
            engine = shared.sleep(engine);
        }
    }
    let (number, at, blob) = engine.launch();
    drop(engine);
    let blob = blob.finish();
    let written = shared.write(|journal| journal.append(number, at, &blob));
    Some((written, blob.len()))
}

fn roll_back(shared: &Shared, error: &JournalError) {
    let full = (error.left == Left::NothingFull).then(|| shared.clock().now());
    let mut engine = shared.engine();
    engine.full = full;
    let signals = engine.roll_back();
    drop(engine);
    tracing::warn!(error = %error, "a commit was taken back");
    for signal in signals {
        signal.tell(Fate::Undone);
    }
}
