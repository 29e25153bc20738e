//! Operations that wait for a place in a group, taken in turns over apps: one app that asks without end delays
//! itself, not the others.

use std::collections::{HashMap, VecDeque};

use chatroom_core::{AppId, Operation};
use tokio::sync::oneshot;

use crate::engine::Decided;

/// An operation that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) operation: Operation,
    /// Closed when nobody waits any more; the operation is not decided then.
    pub(crate) caller: oneshot::Sender<Option<Decided>>,
}

/// Bounded. When it is full, the app with the most waiting operations loses its newest.
#[derive(Debug)]
pub(crate) struct Queue {
    apps: HashMap<AppId, VecDeque<Waiting>>,
    /// The apps with waiting operations; the first is next.
    turns: VecDeque<AppId>,
    length: usize,
    limit: usize,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        Self { apps: HashMap::new(), turns: VecDeque::new(), length: 0, limit: limit.max(1) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Lets an operation wait. Answers the one that must go, if the queue is full: this one, or one of an app that
    /// has more waiting.
    pub(crate) fn push(&mut self, waiting: Waiting) -> Option<Waiting> {
        let mut gone = None;
        if self.length >= self.limit {
            let own = self.apps.get(&waiting.operation.app).map_or(0, VecDeque::len);
            let longest = self.apps.iter().max_by_key(|(_, queue)| queue.len());
            match longest.map(|(app, queue)| (*app, queue.len())) {
                Some((app, length)) if length > own + 1 => gone = self.take_newest(app),
                _ => return Some(waiting),
            }
        }
        self.length += 1;
        let app = waiting.operation.app;
        let queue = self.apps.entry(app).or_default();
        if queue.is_empty() {
            self.turns.push_back(app);
        }
        queue.push_back(waiting);
        gone
    }

    /// The next one whose caller still waits.
    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        while let Some(app) = self.turns.pop_front() {
            let Some(queue) = self.apps.get_mut(&app) else { continue };
            let next = queue.pop_front();
            if queue.is_empty() {
                self.apps.remove(&app);
            } else {
                self.turns.push_back(app);
            }
            let Some(next) = next else { continue };
            self.length -= 1;
            if !next.caller.is_closed() {
                return Some(next);
            }
        }
        None
    }

    /// Gives back what [`pop`](Self::pop) gave: it is the next one again.
    pub(crate) fn unpop(&mut self, waiting: Waiting) {
        self.length += 1;
        let app = waiting.operation.app;
        self.turns.retain(|other| *other != app);
        self.turns.push_front(app);
        self.apps.entry(app).or_default().push_front(waiting);
    }

    fn take_newest(&mut self, app: AppId) -> Option<Waiting> {
        let queue = self.apps.get_mut(&app)?;
        let newest = queue.pop_back()?;
        self.length -= 1;
        if queue.is_empty() {
            self.apps.remove(&app);
            self.turns.retain(|other| *other != app);
        }
        Some(newest)
    }
}

#[cfg(test)]
mod tests {
    use chatroom_core::{Action, OperationId, Sweep};

    use super::*;

    fn waiting(app: u128, number: u128) -> (Waiting, oneshot::Receiver<Option<Decided>>) {
        let (caller, answer) = oneshot::channel();
        let (app, id) = (AppId(app), OperationId::new(number << 16));
        (Waiting { operation: Operation { id, app, action: Action::Sweep(Sweep::App(app)) }, caller }, answer)
    }

    fn taken(queue: &mut Queue) -> Vec<(u128, u64)> {
        std::iter::from_fn(|| queue.pop()).map(|w| (w.operation.app.0, w.operation.id.entropy())).collect()
    }

    #[test]
    fn apps_take_turns_and_each_keeps_its_own_order() {
        let mut queue = Queue::new(10);
        let mut callers = Vec::new();
        for (app, number) in [(1, 1), (1, 2), (1, 3), (2, 4)] {
            let (waiting, answer) = waiting(app, number);
            assert!(queue.push(waiting).is_none());
            callers.push(answer);
        }
        assert_eq!(taken(&mut queue), [(1, 1), (2, 4), (1, 2), (1, 3)]);
        assert!(queue.is_empty());
    }

    #[test]
    fn one_that_did_not_fit_is_the_next_one_again() {
        let mut queue = Queue::new(10);
        let (first, _a) = waiting(1, 1);
        let (second, _b) = waiting(1, 2);
        let (other, _c) = waiting(2, 3);
        for w in [first, second, other] {
            queue.push(w);
        }
        let next = queue.pop().unwrap();
        queue.unpop(next);
        assert_eq!(taken(&mut queue), [(1, 1), (2, 3), (1, 2)]);
    }

    #[test]
    fn a_full_queue_costs_the_app_that_filled_it() {
        let mut queue = Queue::new(3);
        let mut callers = Vec::new();
        let mut push = |queue: &mut Queue, app, number| {
            let (waiting, answer) = waiting(app, number);
            callers.push(answer);
            queue.push(waiting).map(|gone| (gone.operation.app.0, gone.operation.id.entropy()))
        };
        for number in 1..=3 {
            assert_eq!(push(&mut queue, 1, number), None);
        }
        assert_eq!(push(&mut queue, 1, 4), Some((1, 4)));
        assert_eq!(push(&mut queue, 2, 5), Some((1, 3)));
        assert_eq!(taken(&mut queue), [(1, 1), (2, 5), (1, 2)]);
    }

    #[test]
    fn an_operation_whose_caller_is_gone_is_never_taken() {
        let mut queue = Queue::new(3);
        let (gone, answer) = waiting(1, 1);
        queue.push(gone);
        drop(answer);
        assert!(queue.pop().is_none());
        assert!(queue.is_empty());
    }
}
