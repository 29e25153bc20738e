//! The thread that commits groups, one after the other.

use crate::engine::Phase;
use crate::journal::{JournalError, Left};
use crate::shared::Shared;
use crate::signal::Fate;

/// How many of those that wait are decided while the lock is held.
const AT_ONCE: usize = 64;

/// Commits groups until the store closes or fails.
pub(crate) fn run(shared: &Shared) {
    while let Some((written, blob)) = commit_next(shared) {
        match written {
            Some(Ok(())) => {
                let now = shared.moment().0;
                let landed = shared.engine().landed(&blob, now);
                if let Some((group, more)) = landed {
                    group.signal.tell(Fate::Durable);
                    if more {
                        shared.more.notify_one();
                    }
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

/// What became of a group (`None`: the journal was broken before), and its blob.
type Committed = (Option<Result<(), JournalError>>, Vec<u8>);

/// Waits for a group and commits it. `None` when the store is closing and everything is committed, or has failed.
fn commit_next(shared: &Shared) -> Option<Committed> {
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
            if !engine.deliveries.flush() {
                return None;
            }
        } else {
            engine = shared.sleep(engine);
        }
    }
    let (number, at, blob) = engine.launch(shared.moment());
    drop(engine);
    let blob = blob.finish();
    let written = shared.write(|journal| journal.append(number, at, &blob));
    Some((written, blob))
}

fn roll_back(shared: &Shared, error: &JournalError) {
    let full = (error.left == Left::NothingFull).then(|| shared.clock().now());
    let mut engine = shared.engine();
    engine.full = full;
    let signals = engine.roll_back();
    if engine.phase != Phase::Open {
        engine.deliveries.forget_unwritten();
    }
    drop(engine);
    tracing::warn!(error = %error, "a commit was taken back");
    for signal in signals {
        signal.tell(Fate::Undone);
    }
}
