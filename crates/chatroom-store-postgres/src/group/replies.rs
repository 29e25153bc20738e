//! Answers to callers. A wake-up from another thread costs a lock and often a system call, and a group has hundreds of
//! callers; so each runtime is woken once, and its task answers all who wait there.

use tokio::runtime::Handle;
use tokio::sync::oneshot::Sender;

use crate::queue::{Answer, Waiting};

/// Answers that are to be given.
#[derive(Default)]
pub(super) struct Replies(Vec<(Option<Handle>, Told)>);

/// Callers on one runtime and their answers, which they have when this is dropped: also by a task that never runs
/// because its runtime has ended.
#[derive(Default)]
struct Told(Vec<(Sender<Answer>, Answer)>);

impl Replies {
    pub(super) fn add(&mut self, member: Waiting, answer: Answer) {
        let id = member.runtime.as_ref().map(Handle::id);
        let runtime = self.0.iter_mut().find(|(runtime, _)| runtime.as_ref().map(Handle::id) == id);
        let reply = (member.caller, answer);
        match runtime {
            Some((_, told)) => told.0.push(reply),
            None => self.0.push((member.runtime, Told(vec![reply]))),
        }
    }

    pub(super) fn give(self) {
        for (runtime, told) in self.0 {
            match runtime {
                Some(runtime) if told.0.len() > 1 => drop(runtime.spawn(async move { drop(told) })),
                _ => drop(told),
            }
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        for (caller, answer) in self.0.drain(..) {
            // Who gave up is not told.
            drop(caller.send(answer));
        }
    }
}
