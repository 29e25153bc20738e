//! What is to be delivered, handed out for a while.

use async_trait::async_trait;
use chatroom_core::{
    CallbackLeases, Claim, Lease, LeaseId, LeaseRequest, Leased, Seq, Settled, Settlement, StorageError,
    StorageErrorKind, Timestamp,
};

use super::EmbeddedStore;
use super::outbox::{Blobs, Places, read};
use crate::engine::Phase;

/// What was claimed, and where its events are.
struct Claimed {
    leased: Leased,
    claims: Vec<(Claim, Places)>,
    /// The blobs of groups that are in memory.
    recent: Blobs,
}

#[async_trait]
impl CallbackLeases for EmbeddedStore {
    /// Reads the disk on a thread for blocking work, if what is leased did not happen just now: needs a tokio runtime.
    async fn lease(&self, ask: LeaseRequest) -> Result<Leased, StorageError> {
        let Claimed { mut leased, claims, recent } = self.claim(ask)?;
        let ids: Vec<_> = claims.iter().map(|(claim, _)| claim.id).collect();
        let in_memory = claims.iter().all(|(_, places)| places.are_in(&recent));
        let (shared, reader) = (self.shared.clone(), self.reader.clone());
        let read_all = move || -> Result<Vec<Lease>, StorageError> {
            let mut blobs = recent;
            claims
                .into_iter()
                .map(|(claim, places)| Ok(claim.with(read(&shared, &reader, &places, &mut blobs)?)))
                .collect()
        };
        let read = if in_memory { read_all() } else { self.blocking(read_all).await };
        let now = self.shared.moment().0;
        match read {
            Ok(leases) => {
                let (some, none) = leases.into_iter().partition(|lease| !lease.events.is_empty());
                leased.leases = some;
                // Retention was faster: what it took is noted when the lease ends.
                self.release(none.into_iter().map(|lease: Lease| lease.id), now);
                Ok(leased)
            }
            Err(error) => {
                self.release(ids.into_iter(), now);
                Err(error)
            }
        }
    }

    async fn settle(&self, done: Vec<Settlement>) -> Result<Vec<Settled>, StorageError> {
        let mut engine = self.shared.engine();
        if engine.phase != Phase::Open {
            return Err(engine.refusal());
        }
        let (settled, writes) = engine.deliveries.backlog.settle(self.shared.moment().0, &done);
        engine.deliveries.keep(writes);
        Ok(settled)
    }

    async fn more(&self) {
        self.shared.more.notified().await;
    }
}

impl EmbeddedStore {
    fn claim(&self, ask: LeaseRequest) -> Result<Claimed, StorageError> {
        let mut engine = self.shared.engine();
        if engine.phase != Phase::Open {
            return Err(engine.refusal());
        }
        let claims = engine.deliveries.backlog.lease(self.shared.moment().0, ask.leases);
        let next = engine.deliveries.backlog.next();
        let mut recent = Blobs::new();
        let claims = claims.into_iter().map(|claim| {
            let before = Seq(claim.span.first.0.saturating_sub(1));
            let places = Places::find(&engine, &claim.id.room, before, ask.events).up_to(claim.span.last);
            for group in places.groups() {
                if let Some(blob) = engine.deliveries.recent.get(group) {
                    recent.insert(group, blob);
                }
            }
            (claim, places)
        });
        let claims = claims.collect();
        Ok(Claimed { leased: Leased { leases: Vec::new(), next }, claims, recent })
    }

    fn release(&self, leases: impl Iterator<Item = LeaseId>, now: Timestamp) {
        let mut leases = leases.peekable();
        if leases.peek().is_some() {
            self.shared.engine().deliveries.release(leases, now);
        }
    }

    /// Runs what reads the disk.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        tokio::task::spawn_blocking(read).await.map_err(|error| {
            StorageError::caused_by(StorageErrorKind::Unavailable, "reading events was interrupted", error)
        })?
    }
}
