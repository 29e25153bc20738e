//! What became of deliveries is written now and then, not with each.

use super::Keeper;
use crate::engine::Phase;

/// How often dead letters that lie for too long are looked for.
const TIDYING_MS: i64 = 60_000;

impl Keeper {
    pub(super) fn write_deliveries(&mut self) {
        let now = self.shared.moment().0;
        let mut engine = self.shared.engine();
        if now >= self.next_tidying {
            self.next_tidying = now.plus_millis(TIDYING_MS);
            let writes = engine.deliveries.backlog.tidy(self.keep, now);
            engine.deliveries.keep(writes);
        }
        if engine.phase == Phase::Open && !super::was_full_lately(&engine, now) && engine.deliveries.flush() {
            self.shared.wake_writer(engine);
        }
    }
}
