//! What became of deliveries is written now and then, not with each.

use super::Keeper;
use crate::engine::Phase;

/// How often dead letters that lie for too long are looked for.
const TIDYING_MS: i64 = 60_000;
/// How long nothing is tried after a commit that did not fit on the disk.
const AFTER_FULL_MS: i64 = 10_000;

impl Keeper {
    pub(super) fn write_deliveries(&mut self) {
        let now = self.shared.moment().0;
        let mut engine = self.shared.engine();
        if now >= self.next_tidying {
            self.next_tidying = now.plus_millis(TIDYING_MS);
            let writes = engine.deliveries.backlog.tidy(self.keep, now);
            engine.deliveries.keep(writes);
        }
        let full = engine.full.is_some_and(|at| now < at.plus_millis(AFTER_FULL_MS));
        if engine.phase == Phase::Open && !full && engine.deliveries.flush() {
            self.shared.wake_writer(engine);
        }
    }
}
