use super::state::{Move, Scope, State};
use super::{PermitLedger, SharedLimit};
use crate::error::{StorageError, StorageErrorKind};

/// How often a round looks again because somebody else was faster, or was dead. What is left then waits for the
/// next round.
const TRIES: u32 = 4;

impl SharedLimit {
    /// Renews the lease, sees what other nodes want and have, and takes, gives and returns slots. Dropping the
    /// future counts as a failure of the ledger, and does no other harm.
    ///
    /// # Errors
    /// [`StorageError`] of the ledger: calls are answered from what this node holds until its lease ends.
    pub async fn refresh(
        &self,
        ledger: &dyn PermitLedger,
        now: &(dyn Fn() -> u64 + Sync),
    ) -> Result<(), StorageError> {
        self.round(Scope::All, ledger, now).await
    }

    /// Takes slots for calls that wait for them. Dropping the future counts as a failure of the ledger, and does no
    /// other harm.
    ///
    /// # Errors
    /// [`StorageError`] of the ledger.
    pub async fn refill(
        &self,
        ledger: &dyn PermitLedger,
        now: &(dyn Fn() -> u64 + Sync),
    ) -> Result<(), StorageError> {
        self.round(Scope::Waiting, ledger, now).await
    }

    /// Leaves the roster, so that others have the slots at once: at the time that [`SharedLimit::leave`] answered,
    /// and not before it, when no round is under way.
    ///
    /// # Errors
    /// [`StorageError`] of the ledger: the others take this node for dead after a while.
    pub async fn depart(&self, ledger: &dyn PermitLedger) -> Result<(), StorageError> {
        let me = self.state().pulse();
        ledger.remove(&[me]).await
    }

    async fn round(
        &self,
        scope: Scope,
        ledger: &dyn PermitLedger,
        now: &(dyn Fn() -> u64 + Sync),
    ) -> Result<(), StorageError> {
        let mut ongoing = Ongoing { limit: self, round: self.state().begin(), well: false };
        self.trips(scope, ledger, now).await?;
        ongoing.well = true;
        Ok(())
    }

    async fn trips(
        &self,
        mut scope: Scope,
        ledger: &dyn PermitLedger,
        now: &(dyn Fn() -> u64 + Sync),
    ) -> Result<(), StorageError> {
        for _ in 0..TRIES {
            let joining = self.state().joining();
            if let Some(node) = joining {
                ledger.join(node).await?;
                self.state().joined();
                // A lease is for all that is held, so the look that brings it is at everything.
                scope = Scope::All;
            }
            let sent = now();
            let look = self.state().look(&scope, sent);
            let seen = ledger.look(&look).await?;
            let then = self.state().seen(&look, sent, &seen, &scope, now());
            let swaps = match then {
                Move::Late => {
                    return Err(StorageError::new(StorageErrorKind::Unavailable, "the ledger answered late"));
                }
                Move::Rejoin => continue,
                Move::Remove(dead) => {
                    ledger.remove(&dead).await?;
                    continue;
                }
                Move::Swap(swaps) if swaps.is_empty() => return Ok(()),
                Move::Swap(swaps) => swaps,
            };
            let made = ledger.swap(&swaps).await?;
            let again = self.state().swapped(&swaps, &made);
            if again.is_empty() {
                return Ok(());
            }
            scope = Scope::These(again);
        }
        Ok(())
    }
}

/// A round under way. When it is dropped unfinished, nobody knows what the ledger has done.
struct Ongoing<'a> {
    limit: &'a SharedLimit,
    round: u64,
    well: bool,
}

impl Drop for Ongoing<'_> {
    fn drop(&mut self) {
        let mut state: std::sync::MutexGuard<'_, State> = self.limit.state();
        state.end(self.round, self.well);
    }
}
