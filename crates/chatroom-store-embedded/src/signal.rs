//! What became of a group: told once, to everybody who waits for it.
//!
//! A wake-up from another thread costs a lock and often a system call, and hundreds of callers wait for a group. So
//! the waiting are noted by the runtime that they run on, and each runtime is woken once: by a task that wakes the
//! others where it is cheap.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{self, Handle};

/// Says what became of one group.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    fate: AtomicU8,
    waiting: Mutex<Vec<Waiting>>,
}

/// What became of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is on the disk.
    Durable,
    /// It was taken back: nothing of it was written.
    Undone,
    /// Nobody knows.
    Unknown,
}

/// Who waits on one runtime, or outside of any.
#[derive(Debug)]
struct Waiting {
    runtime: Option<Handle>,
    all: Woken,
}

/// Wakes all when it is dropped, so they are woken also by a task that never runs because its runtime has ended.
#[derive(Debug, Default)]
struct Woken(Vec<Option<Waker>>);

impl Drop for Woken {
    fn drop(&mut self) {
        self.0.drain(..).flatten().for_each(Waker::wake);
    }
}

/// Where a waker is kept: in which list, and where in it.
#[derive(Debug, Clone, Copy)]
struct Place(usize, usize);

impl Signal {
    /// Tells everybody.
    pub(crate) fn tell(&self, fate: Fate) {
        let fate = match fate {
            Fate::Durable => 1,
            Fate::Undone => 2,
            Fate::Unknown => 3,
        };
        self.fate.store(fate, Ordering::Release);
        let waiting = std::mem::take(&mut *self.waiting());
        for Waiting { runtime, all } in waiting {
            match runtime {
                Some(runtime) if all.0.len() > 1 => drop(runtime.spawn(async move { drop(all) })),
                _ => drop(all),
            }
        }
    }

    pub(crate) fn fate(&self) -> Option<Fate> {
        match self.fate.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Fate::Durable),
            2 => Some(Fate::Undone),
            _ => Some(Fate::Unknown),
        }
    }

    /// Waits until it is told. May be dropped at any time.
    pub(crate) fn wait(&self) -> Wait<'_> {
        Wait { signal: self, place: None }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn is_on(&self, id: Option<runtime::Id>) -> bool {
        self.runtime.as_ref().map(Handle::id) == id
    }
}

/// The end of [`Signal::wait`].
#[derive(Debug)]
pub(crate) struct Wait<'s> {
    signal: &'s Signal,
    place: Option<Place>,
}

impl Future for Wait<'_> {
    type Output = Fate;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Fate> {
        if let Some(fate) = self.signal.fate() {
            return Poll::Ready(fate);
        }
        let mut waiting = self.signal.waiting();
        // It may have been told before the lock was free; whoever tells takes the lists after that.
        if let Some(fate) = self.signal.fate() {
            return Poll::Ready(fate);
        }
        let waker = Some(cx.waker().clone());
        if let Some(kept) = self.place.and_then(|place| kept(&mut waiting, place)) {
            let before = std::mem::replace(kept, waker);
            drop(waiting);
            // Not under the lock: nobody knows what the end of a foreign waker does.
            drop(before);
            return Poll::Pending;
        }
        let runtime = Handle::try_current().ok();
        let id = runtime.as_ref().map(Handle::id);
        let list = waiting.iter().position(|list| list.is_on(id)).unwrap_or_else(|| {
            waiting.push(Waiting { runtime, all: Woken::default() });
            waiting.len() - 1
        });
        let Some(Waiting { all, .. }) = waiting.get_mut(list) else { return Poll::Pending };
        all.0.push(waker);
        let place = Place(list, all.0.len() - 1);
        drop(waiting);
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place
            && self.signal.fate().is_none()
        {
            let mut waiting = self.signal.waiting();
            let before = kept(&mut waiting, place).and_then(Option::take);
            drop(waiting);
            drop(before);
        }
    }
}

fn kept(waiting: &mut [Waiting], Place(list, index): Place) -> Option<&mut Option<Waker>> {
    waiting.get_mut(list)?.all.0.get_mut(index)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    fn runtime() -> runtime::Runtime {
        runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    /// Waits on the runtime, and polls so often that it waits when this returns.
    fn wait_on(runtime: &runtime::Runtime, signal: &Arc<Signal>) -> tokio::task::JoinHandle<Fate> {
        let signal = signal.clone();
        let waiting = runtime.spawn(async move { signal.wait().await });
        runtime.block_on(tokio::task::yield_now());
        waiting
    }

    fn waiting(signal: &Signal) -> Vec<usize> {
        signal.waiting().iter().map(|list| list.all.0.iter().flatten().count()).collect()
    }

    #[test]
    fn who_waits_is_told_on_each_runtime() {
        let signal = Arc::new(Signal::default());
        let (one, other) = (runtime(), runtime());
        let waiters = [wait_on(&one, &signal), wait_on(&one, &signal)];
        let alone = wait_on(&other, &signal);
        assert_eq!(waiting(&signal), [2, 1]);
        signal.tell(Fate::Durable);
        let within = Duration::from_secs(20);
        for waiter in waiters {
            let told = one.block_on(async { tokio::time::timeout(within, waiter).await });
            assert_eq!(told.unwrap().unwrap(), Fate::Durable);
        }
        let told = other.block_on(async { tokio::time::timeout(within, alone).await });
        assert_eq!(told.unwrap().unwrap(), Fate::Durable);
    }

    #[test]
    fn a_runtime_that_has_ended_keeps_nobody_from_being_told() {
        let signal = Arc::new(Signal::default());
        let (ended, other) = (runtime(), runtime());
        let mut moved = [Box::pin(signal.wait()), Box::pin(signal.wait())];
        let entered = ended.enter();
        for wait in &mut moved {
            assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(entered);
        drop(ended);
        let [one, another] = moved;
        let told = async { (one.await, another.await) };
        let tell = async { signal.tell(Fate::Undone) };
        let (told, ()) = other.block_on(async { tokio::join!(told, tell) });
        assert_eq!(told, (Fate::Undone, Fate::Undone));
    }

    #[test]
    fn who_goes_away_is_not_woken() {
        let signal = Signal::default();
        let mut gone = Box::pin(signal.wait());
        assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert!(gone.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(waiting(&signal), [1]);
        drop(gone);
        assert_eq!(waiting(&signal), [0]);
    }
}
