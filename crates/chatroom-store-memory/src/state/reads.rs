//! What lists show: the reads of a repository, without its waiting.

use std::ops::Bound;

use chatroom_core::{
    App, AppId, AppState, ChatroomId, Counters, Facts, From, Member, MembersRequest, MembersSlice, Order,
    RoomFact, RoomKey, RoomView, Rule, Sweep, User, UserId, Username,
};

use super::State;

impl State {
    /// All apps that are not deleted, by key.
    #[must_use]
    pub fn live_apps(&self) -> Vec<App> {
        let live = self.apps.values().map(|slot| &slot.app).filter(|app| app.state != AppState::Deleted);
        let mut apps: Vec<App> = live.cloned().collect();
        apps.sort_by(|a, b| a.key.cmp(&b.key));
        apps
    }

    /// The rules of an app that is not deleted, oldest first.
    #[must_use]
    pub fn list_rules(&self, app: AppId) -> Vec<Rule> {
        let mut rules = if self.answers(app) { self.rules(app) } else { Vec::new() };
        rules.sort_by_key(|rule| (rule.created, rule.id));
        rules
    }

    /// Whether the app has a rule.
    #[must_use]
    pub fn has_rules(&self, app: AppId) -> bool {
        self.apps.get(&app).is_some_and(|slot| !slot.rules.is_empty())
    }

    /// Up to `limit` rooms of the app, dissolved or not, by id, from behind `after`, with how far their logs go.
    #[must_use]
    pub fn list_streams(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        limit: usize,
    ) -> Vec<(ChatroomId, Counters)> {
        let Some(slot) = self.apps.get(&app).filter(|_| self.answers(app)) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rooms = slot.rooms.range((from, Bound::Unbounded));
        rooms.filter_map(|(id, at)| Some((*id, self.rooms.get(*at)?.counters))).take(limit).collect()
    }

    /// The living user of this name.
    #[must_use]
    pub fn find_user(&self, app: AppId, name: &Username) -> Option<User> {
        if self.answers(app) { self.user(app, name) } else { None }
    }

    /// Up to `limit` living users of the app, oldest first, from behind `after`.
    #[must_use]
    pub fn list_users(&self, app: AppId, after: Option<UserId>, limit: usize) -> Vec<User> {
        let Some(slot) = self.apps.get(&app).filter(|_| self.answers(app)) else { return Vec::new() };
        let from = after.map_or(UserId(0), |after| UserId(after.0.saturating_add(1)));
        let users = slot.users.range(from..).filter_map(|(_, at)| self.users.user(*at));
        users.filter(|user| !user.deleted).take(limit).collect()
    }

    /// The room, if it is there for callers.
    #[must_use]
    pub fn find_room(&self, key: &RoomKey) -> Option<RoomView> {
        let fact = self.room(key).filter(RoomFact::exists).filter(|_| self.answers(key.app))?;
        Some(RoomView { room: fact.room.clone(), members: fact.counters.members })
    }

    /// Up to `limit` rooms of the app that are there for callers, oldest first, from behind `after`, without the
    /// first `skip` of them.
    #[must_use]
    pub fn list_rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Vec<RoomView> {
        let Some(slot) = self.apps.get(&app) else { return Vec::new() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = slot.rooms.range((from, Bound::Unbounded)).map(|(id, _)| *id);
        let rooms = ids.filter_map(|id| self.find_room(&RoomKey { app, id }));
        rooms.skip(skip).take(limit).collect()
    }

    /// The members asked for; `None` if the room is not there for callers.
    #[must_use]
    pub fn list_members(&self, key: &RoomKey, request: MembersRequest) -> Option<MembersSlice> {
        self.room(key).filter(RoomFact::exists).filter(|_| self.answers(key.app))?;
        let slot = self.rooms.get(self.rooms.find(key)?)?;
        let (skip, cursor) = match request.from {
            From::Start => (0, None),
            From::After(joined) => (0, Some(joined)),
            From::Skip(skip) => (skip, None),
        };
        let all: Box<dyn Iterator<Item = (u32, chatroom_core::JoinOrder)> + '_> = match request.order {
            Order::Ascending => Box::new(slot.members.ascending(cursor)),
            Order::Descending => Box::new(slot.members.descending(cursor)),
        };
        let listed = |(user, joined): (u32, chatroom_core::JoinOrder)| {
            // The owner is there, or the room would not be: so its slot holds it.
            let member = self.users.named(user).filter(|named| user != slot.owner && !named.deleted)?;
            Some(Member { name: member.name.clone(), joined })
        };
        let mut listed =
            self.users.near(all, skip.saturating_add(request.limit).saturating_add(1)).filter_map(listed);
        let skipped = listed.by_ref().take(skip).count();
        let members = listed.by_ref().take(request.limit).collect();
        let more = listed.next().is_some();
        let owner_is_member = slot.members.joined(slot.owner).is_some();
        Some(MembersSlice { owner: slot.room.owner_name.clone(), owner_is_member, members, skipped, more })
    }

    /// Up to `limit` sweeps that are to be done.
    #[must_use]
    pub fn list_sweeps(&self, limit: usize) -> Vec<Sweep> {
        self.sweeps.iter().take(limit).copied().collect()
    }

    /// All rooms that were dissolved and are still held, in no order.
    pub fn dissolved(&self) -> impl Iterator<Item = RoomKey> {
        let slots = (0..self.rooms.slots()).filter_map(|at| self.rooms.get(u32::try_from(at).ok()?));
        slots.filter(|slot| slot.room.dissolved.is_some()).map(|slot| slot.room.key)
    }

    fn answers(&self, app: AppId) -> bool {
        self.app_by_id(app).is_some_and(|app| app.state != AppState::Deleted)
    }
}
