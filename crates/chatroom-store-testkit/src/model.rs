//! What a store must show, in plain maps.

use std::collections::BTreeMap;

use chatroom_core::test_util::HandFacts;
use chatroom_core::{
    AppId, AppState, Decision, Event, Facts, From, Key, Member, MembersRequest, MembersSlice, Moment,
    Operation, Order, Outcome, RoomFact, RoomKey, RoomView, Undecided, User, Write,
};

use crate::visible::{Visible, VisibleRoom};

/// What a store must hold: facts, and the logs of the rooms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) facts: HandFacts,
    pub(crate) logs: BTreeMap<RoomKey, Vec<Event>>,
}

impl Model {
    /// Decides and does.
    pub(crate) fn transact(&mut self, operation: &Operation, moment: Moment) -> Result<Outcome, Undecided> {
        let decision = operation.decide(&self.facts, moment)?;
        let outcome = decision.outcome.clone();
        self.apply(decision);
        Ok(outcome)
    }

    pub(crate) fn apply(&mut self, decision: Decision) {
        for write in &decision.writes {
            if let Write::Delete(Key::Room(room)) = write {
                self.logs.remove(room);
            }
        }
        for event in &decision.events {
            self.logs.entry(event.room).or_default().push(event.clone());
        }
        self.facts.apply(decision);
    }

    fn app_is_there(&self, app: AppId) -> bool {
        self.facts.app_by_id(app).is_some_and(|app| app.state != AppState::Deleted)
    }

    /// The users that are not deleted, oldest first.
    pub(crate) fn users(&self, app: AppId) -> Vec<User> {
        if !self.app_is_there(app) {
            return Vec::new();
        }
        let ids = self.facts.users_in(app, usize::MAX).into_iter();
        ids.filter_map(|id| self.facts.user_by_id(app, id)).filter(|user| !user.deleted).collect()
    }

    fn fact(&self, key: &RoomKey) -> Option<RoomFact<'_>> {
        self.facts.room(key).filter(RoomFact::exists).filter(|_| self.app_is_there(key.app))
    }

    pub(crate) fn room(&self, key: &RoomKey) -> Option<RoomView> {
        let fact = self.fact(key)?;
        Some(RoomView { room: fact.room.clone(), members: fact.counters.members })
    }

    /// The rooms that are there for callers, oldest first.
    pub(crate) fn rooms(&self, app: AppId) -> Vec<RoomView> {
        self.facts.rooms_in(app, usize::MAX).iter().filter_map(|key| self.room(key)).collect()
    }

    pub(crate) fn members(&self, key: &RoomKey, request: MembersRequest) -> Option<MembersSlice> {
        let room = self.fact(key)?.room;
        let lives = |id| self.facts.user_by_id(key.app, id).is_some_and(|user| !user.deleted);
        let all = self.facts.members(key, usize::MAX).into_iter();
        let others = all.filter(|(id, _)| *id != room.owner && lives(*id));
        let mut members: Vec<Member> = others
            .filter_map(|(id, name)| Some(Member { name, joined: self.facts.membership(key, id)? }))
            .collect();
        if request.order == Order::Descending {
            members.reverse();
        }
        let mut skipped = 0;
        match request.from {
            From::Start => {}
            From::Skip(skip) => {
                skipped = skip.min(members.len());
                members.drain(..skipped);
            }
            From::After(place) => members.retain(|member| match request.order {
                Order::Ascending => member.joined > place,
                Order::Descending => member.joined < place,
            }),
        }
        let more = members.len() > request.limit;
        members.truncate(request.limit);
        let owner_is_member = self.facts.membership(key, room.owner).is_some();
        Some(MembersSlice { owner: room.owner_name.clone(), owner_is_member, members, skipped, more })
    }

    /// Everything that reads must show of an app.
    pub(crate) fn visible(&self, app: AppId) -> Visible {
        let all = MembersRequest { from: From::Start, limit: usize::MAX, order: Order::Ascending };
        let rooms = self.rooms(app).into_iter().filter_map(|view| {
            let slice = self.members(&view.room.key, all)?;
            let MembersSlice { owner, owner_is_member, members, .. } = slice;
            Some(VisibleRoom { view, owner, owner_is_member, members })
        });
        Visible { users: self.users(app), rooms: rooms.collect() }
    }
}
