use std::num::NonZeroU32;

/// What the limits of calls are counted by: one name for each kind of call.
///
/// The name in the configuration is that of the operation, in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `DELETE …/chatrooms/{id}/users/{names}`
    RemoveMembers,
    /// `POST …/chatrooms/{id}/users` and `…/users/{name}`
    AddMembers,
    /// `GET …/chatrooms/{id}/users`
    ListMembers,
    /// `POST …/chatrooms`
    CreateRoom,
    /// `GET …/chatrooms/{id}`
    GetRoom,
    /// `GET …/chatrooms`
    ListRooms,
    /// `DELETE …/chatrooms/{id}`
    DissolveRoom,
    /// `POST …/users`
    RegisterUsers,
    /// `GET …/users/{name}`
    GetUser,
    /// `GET …/users`
    ListUsers,
    /// `DELETE …/users/{name}`
    DeleteUser,
    /// `GET …/callbacks/events`
    ListEvents,
    /// `GET …/callbacks/streams`
    ListStreams,
}

impl Endpoint {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 13] = [
        Self::RemoveMembers,
        Self::AddMembers,
        Self::ListMembers,
        Self::CreateRoom,
        Self::GetRoom,
        Self::ListRooms,
        Self::DissolveRoom,
        Self::RegisterUsers,
        Self::GetUser,
        Self::ListUsers,
        Self::DeleteUser,
        Self::ListEvents,
        Self::ListStreams,
    ];

    /// The name in the configuration, in logs and in the header `RateLimit-Policy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RemoveMembers => "remove_members",
            Self::AddMembers => "add_members",
            Self::ListMembers => "list_members",
            Self::CreateRoom => "create_room",
            Self::GetRoom => "get_room",
            Self::ListRooms => "list_rooms",
            Self::DissolveRoom => "dissolve_room",
            Self::RegisterUsers => "register_users",
            Self::GetUser => "get_user",
            Self::ListUsers => "list_users",
            Self::DeleteUser => "delete_user",
            Self::ListEvents => "list_events",
            Self::ListStreams => "list_streams",
        }
    }
}

/// How many calls are admitted in any rolling second (decision 18).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Per app key and endpoint. 0 turns every limit off, those below too.
    pub per_second: u32,
    /// `POST /token`, per client address. 0 means no limit.
    pub token_per_second: u32,
    /// What differs from `per_second`. An override of 0 means no limit.
    pub overrides: Overrides,
}

/// The limits of single endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides([Option<u32>; Endpoint::ALL.len()]);

impl RateLimit {
    /// The limit in force for an endpoint, per app key; `None` means no limit.
    #[must_use]
    pub fn of(&self, endpoint: Endpoint) -> Option<NonZeroU32> {
        let everywhere = NonZeroU32::new(self.per_second)?;
        self.overrides.0[endpoint as usize].map_or(Some(everywhere), NonZeroU32::new)
    }

    /// The limit in force for `POST /token`, per client address; `None` means no limit.
    #[must_use]
    pub fn of_token(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(self.per_second).and_then(|_| NonZeroU32::new(self.token_per_second))
    }
}

impl Overrides {
    pub(super) fn slot(&mut self, endpoint: Endpoint) -> &mut Option<u32> {
        &mut self.0[endpoint as usize]
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        let mut overrides = Overrides::default();
        *overrides.slot(Endpoint::CreateRoom) = Some(50);
        *overrides.slot(Endpoint::ListRooms) = Some(50);
        Self { per_second: 100, token_per_second: 300, overrides }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decision_18_the_limit_of_an_endpoint_is_its_override_or_the_common_one() {
        let limit = RateLimit::default();
        assert_eq!(limit.of(Endpoint::RemoveMembers), NonZeroU32::new(100));
        assert_eq!(limit.of(Endpoint::CreateRoom), NonZeroU32::new(50));
        assert_eq!(limit.of(Endpoint::ListRooms), NonZeroU32::new(50));
        assert_eq!(limit.of_token(), NonZeroU32::new(300));
    }

    #[test]
    fn decision_18_per_second_of_zero_turns_all_limits_off() {
        let limit = RateLimit { per_second: 0, ..RateLimit::default() };
        assert!(Endpoint::ALL.into_iter().all(|endpoint| limit.of(endpoint).is_none()));
        assert_eq!(limit.of_token(), None);
    }

    #[test]
    fn an_override_of_zero_frees_one_endpoint_only() {
        let mut limit = RateLimit::default();
        *limit.overrides.slot(Endpoint::GetRoom) = Some(0);
        assert_eq!(limit.of(Endpoint::GetRoom), None);
        assert_eq!(limit.of(Endpoint::GetUser), NonZeroU32::new(100));
    }

    #[test]
    fn every_endpoint_has_a_place_and_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = Endpoint::ALL.into_iter().map(Endpoint::as_str).collect();
        assert_eq!(names.len(), Endpoint::ALL.len());
        assert!(Endpoint::ALL.into_iter().enumerate().all(|(place, endpoint)| endpoint as usize == place));
    }
}
