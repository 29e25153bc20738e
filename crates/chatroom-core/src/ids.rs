//! Where ids come from.

use crate::id::{AppId, OperationId};

/// Makes ids that nobody made before: UUIDs, random enough that two nodes never make the same.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Ids: Send + Sync + 'static {
    /// The id of a new operation. All ids inside the operation are derived from it.
    fn operation(&self) -> OperationId;

    /// The id of a new app.
    fn app(&self) -> AppId;
}
