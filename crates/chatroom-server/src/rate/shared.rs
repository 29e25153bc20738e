use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chatroom_core::permits::{Admission, LimitKey, NodeId, PermitLedger, REFRESH, SharedLimit};
use chatroom_core::{AppId, Permit, StorageError};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::clock::Stopwatch;
use crate::config::Endpoint;

/// How long a call waits for a look at the ledger.
const LOOK: Duration = Duration::from_secs(2);

/// The calls of all apps, where several servers share the limits.
pub(crate) struct SharedCalls {
    limit: SharedLimit,
    ledger: Arc<dyn PermitLedger>,
    watch: Arc<dyn Stopwatch>,
    /// Told when a call waits for a look.
    wanted: Notify,
    /// The last look that has ended.
    ended: watch::Sender<u64>,
}

impl SharedCalls {
    pub(crate) fn new(node: NodeId, ledger: Arc<dyn PermitLedger>, watch: Arc<dyn Stopwatch>) -> Self {
        let ended = watch::Sender::new(0);
        Self { limit: SharedLimit::new(node), ledger, watch, wanted: Notify::new(), ended }
    }

    /// Asks for one call of this endpoint. `None`: it cannot be said, because the database is away or was a moment
    /// ago; nothing was admitted.
    pub(crate) async fn take(&self, app: AppId, endpoint: Endpoint, limit: NonZeroU32) -> Option<Permit> {
        let key = LimitKey { app, name: endpoint.as_str() };
        let ticket = match self.limit.admit(key, limit.get(), self.watch.micros()) {
            Admission::Known(permit) => return Some(permit),
            Admission::Unknown => return None,
            Admission::Look(ticket) => ticket,
        };
        let mut ended = self.ended.subscribe();
        self.wanted.notify_one();
        let looked = timeout(LOOK, ended.wait_for(|round| *round >= ticket.round())).await;
        looked.ok()?.ok()?;
        match self.limit.admit_again(ticket, self.watch.micros()) {
            Admission::Known(permit) => Some(permit),
            Admission::Look(_) | Admission::Unknown => None,
        }
    }

    /// Holds as many slots as this node should have, until `stop`; then leaves them to the others.
    pub(crate) async fn keep(&self, stop: CancellationToken) {
        let now = || self.watch.micros();
        let mut refresh = interval(REFRESH);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut away = false;
        loop {
            let looked = tokio::select! {
                () = stop.cancelled() => break,
                _ = refresh.tick() => self.limit.refresh(&*self.ledger, &now).await,
                () = self.wanted.notified() => self.limit.refill(&*self.ledger, &now).await,
            };
            tell(&looked, &mut away);
            self.ended.send_replace(self.limit.ended());
        }
        let cold = self.limit.leave(now());
        tokio::time::sleep(Duration::from_micros(cold.saturating_sub(now()))).await;
        if let Err(error) = self.limit.depart(&*self.ledger).await {
            tracing::debug!(%error, "the others wait until the lease of this node's calls has ended");
        }
    }
}

/// One line for each turn.
fn tell(looked: &Result<(), StorageError>, away: &mut bool) {
    match looked {
        Err(error) if !*away => {
            tracing::warn!(%error, "the calls that are left cannot be shared with the other nodes: {error}");
        }
        Ok(()) if *away => tracing::info!("the calls that are left are shared with the other nodes again"),
        _ => {}
    }
    *away = looked.is_err();
}

#[cfg(test)]
mod tests {
    use chatroom_core::test_util::MemoryLedger;

    use super::*;

    const LIMIT: NonZeroU32 = NonZeroU32::new(10).unwrap();

    /// No second is ever over.
    struct StandsStill;

    impl Stopwatch for StandsStill {
        fn micros(&self) -> u64 {
            1
        }
    }

    async fn node(id: u128, ledger: &Arc<MemoryLedger>, stop: &CancellationToken) -> Arc<SharedCalls> {
        let calls = Arc::new(SharedCalls::new(NodeId::new(id << 16), ledger.clone(), Arc::new(StandsStill)));
        let (keeping, stop) = (calls.clone(), stop.clone());
        tokio::spawn(async move { keeping.keep(stop).await });
        calls
    }

    async fn admitted(calls: &SharedCalls, times: u32) -> u32 {
        let mut admitted = 0;
        for _ in 0..times {
            let permit = calls.take(AppId(1), Endpoint::RemoveMembers, LIMIT).await;
            admitted += u32::from(matches!(permit, Some(Permit::Admitted { .. })));
        }
        admitted
    }

    #[tokio::test]
    async fn what_one_node_admitted_another_one_does_not() {
        let (ledger, stop) = (Arc::new(MemoryLedger::default()), CancellationToken::new());
        let (one, other) = (node(1, &ledger, &stop).await, node(2, &ledger, &stop).await);
        assert_eq!(admitted(&one, 12).await + admitted(&other, 12).await, 10);
        stop.cancel();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_answered_when_nobody_looks() {
        let ledger = Arc::new(MemoryLedger::default());
        let calls = SharedCalls::new(NodeId::new(1 << 16), ledger, Arc::new(StandsStill));
        assert_eq!(calls.take(AppId(1), Endpoint::RemoveMembers, LIMIT).await, None);
    }
}
