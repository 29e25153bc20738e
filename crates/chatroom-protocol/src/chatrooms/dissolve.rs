//! `DELETE /{org}/{app}/chatrooms/{chatroom_id}` (contract §5).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use super::details::{ROUTE, path};

/// `data` of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dissolved<'a> {
    /// Whether the room is gone.
    pub success: bool,
    /// The room's id.
    #[serde(default)]
    pub id: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dissolved_room_is_written_as_in_the_sample() {
        insta::assert_snapshot!(serde_json::to_string(&Dissolved { success: true, id: "662XXXX13".into() }).unwrap(), @r#"{"success":true,"id":"662XXXX13"}"#);
    }
}
