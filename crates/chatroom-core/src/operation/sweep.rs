//! Remove, in bounded commits, what a dissolved room, a deleted user or a deleted app left behind.
//!
//! Every membership that goes is named in an event of the same commit, except those of a deleted app, whose logs go
//! too. A sweep may stop anywhere and go on after a restart: what is left to do is what is still there.

use std::collections::BTreeMap;

use super::dissolve_room::dissolve;
use super::{At, Outcome};
use crate::event::{EventKind, EventWriter, Leaving, MEMBERS_PER_EVENT};
use crate::facts::Facts;
use crate::id::{AppId, UserId};
use crate::model::{Counters, RoomKey};
use crate::record::{Decision, Key, Sweep, Write};

/// Rooms that one commit of a user's sweep touches: two records each, so neighbours wait for a short commit only.
pub(crate) const ROOMS_A_SWEEP: usize = 200;
/// Records that one commit of an app's sweep removes.
pub(crate) const RECORDS_A_SWEEP: usize = 1_000;

pub(super) fn decide(sweep: Sweep, facts: &dyn Facts, at: At) -> Decision {
    let mut decision = Decision::nothing(Outcome::Swept { finished: true });
    match sweep {
        Sweep::Room(key) => room(key, facts, at, &mut decision),
        Sweep::User(app, user) => user_of(app, user, facts, at, &mut decision),
        Sweep::App(app) => app_of(app, facts, &mut decision),
    }
    let finished = decision.outcome == Outcome::Swept { finished: true };
    if finished {
        decision.writes.push(Write::Delete(Key::Sweep(sweep)));
    }
    decision
}

const MORE: Outcome = Outcome::Swept { finished: false };

/// The members of a dissolved room, 1,000 a commit and an event (decision 37).
fn room(key: RoomKey, facts: &dyn Facts, at: At, decision: &mut Decision) {
    let Some(fact) = facts.room(&key) else { return };
    let members = facts.members(&key, MEMBERS_PER_EVENT);
    if members.is_empty() {
        return;
    }
    let mut log = fact.counters;
    let left = log.members.saturating_sub(u32::try_from(members.len()).unwrap_or(u32::MAX));
    let mut names = Vec::with_capacity(members.len());
    for (user, name) in members {
        decision.writes.push(Write::Delete(Key::Membership(key, user)));
        names.push(name);
    }
    let kind = EventKind::Left { members: names, why: Leaving::RoomDissolved };
    decision.events.push(EventWriter::new(at.operation, at.moment).append(key, &mut log, left, kind));
    decision.outcome = MORE;
}

/// First the rooms that the user owns are dissolved, then it leaves the rooms that it is in (decision 36).
fn user_of(app: AppId, id: UserId, facts: &dyn Facts, at: At, decision: &mut Decision) {
    let Some(user) = facts.user_by_id(app, id) else { return };
    let mut writer = EventWriter::new(at.operation, at.moment);
    let owned = facts.owned_by(app, id, ROOMS_A_SWEEP);
    if !owned.is_empty() {
        for fact in owned.iter().filter_map(|key| facts.room(key)) {
            dissolve(fact, at, &mut writer, decision);
        }
        decision.outcome = MORE;
        return;
    }
    let rooms = facts.rooms_of(app, id, ROOMS_A_SWEEP);
    if rooms.is_empty() {
        decision.writes.push(Write::Delete(Key::User(app, id)));
        return;
    }
    let mut logs: BTreeMap<RoomKey, Counters> = BTreeMap::new();
    for key in rooms {
        decision.writes.push(Write::Delete(Key::Membership(key, id)));
        let Some(fact) = facts.room(&key) else { continue };
        let log = logs.entry(key).or_insert(fact.counters);
        let left = log.members.saturating_sub(1);
        let kind = EventKind::Left { members: vec![user.name.clone()], why: Leaving::UserDeleted };
        decision.events.push(writer.append(key, log, left, kind));
    }
    decision.outcome = MORE;
}

/// Memberships, then the rooms that they were in with their logs, then the users, then the app.
fn app_of(app: AppId, facts: &dyn Facts, decision: &mut Decision) {
    let mut budget = RECORDS_A_SWEEP;
    for key in facts.rooms_in(app, RECORDS_A_SWEEP) {
        let members = facts.members(&key, budget);
        budget -= members.len();
        decision
            .writes
            .extend(members.into_iter().map(|(user, _)| Write::Delete(Key::Membership(key, user))));
        if budget == 0 {
            decision.outcome = MORE;
            return;
        }
        decision.writes.push(Write::Delete(Key::Room(key)));
        budget -= 1;
        decision.outcome = MORE;
        if budget == 0 {
            return;
        }
    }
    let users = facts.users_in(app, budget);
    if !users.is_empty() {
        decision.writes.extend(users.into_iter().map(|user| Write::Delete(Key::User(app, user))));
        decision.outcome = MORE;
    }
    if decision.writes.is_empty() {
        decision.writes.push(Write::Delete(Key::App(app)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Action, DeleteUser, DissolveRoom};
    use crate::test_util::{HandFacts, decide, name};

    /// Sweeps to the end; answers the events and how many commits it took.
    fn sweep_all(facts: &mut HandFacts) -> (Vec<crate::event::Event>, usize) {
        let (mut events, mut commits) = (Vec::new(), 0);
        while let Some(sweep) = facts.sweeps().first().copied() {
            let decision = decide(facts, Action::Sweep(sweep)).unwrap();
            assert!(decision.records() <= 2_000, "invariant 6: {}", decision.records());
            events.extend(decision.events.clone());
            facts.apply(decision);
            commits += 1;
        }
        (events, commits)
    }

    #[test]
    fn decision_37_the_members_of_a_dissolved_room_are_listed_1000_an_event() {
        let names: Vec<String> = (0..2_500).map(|n| format!("u{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut facts = HandFacts::with_room("owner", &names);
        let dissolved = decide(&facts, Action::DissolveRoom(DissolveRoom { room: HandFacts::ROOM })).unwrap();
        facts.apply(dissolved);
        let (events, commits) = sweep_all(&mut facts);
        assert_eq!(events.iter().map(|e| e.members).collect::<Vec<_>>(), [1_501, 501, 0]);
        assert_eq!(commits, 4);
        assert_eq!(facts.capacity().used, 0);
    }

    #[test]
    fn decision_36_a_deleted_user_leaves_its_rooms_and_its_own_rooms_are_dissolved() {
        let mut facts = HandFacts::with_room("owner", &["u1"]);
        facts.apply(decide(&facts, Action::DeleteUser(DeleteUser { name: name("u1") })).unwrap());
        let (events, _) = sweep_all(&mut facts);
        let kind = EventKind::Left { members: vec![name("u1")], why: Leaving::UserDeleted };
        assert_eq!((events.len(), &events[0].kind, events[0].members), (1, &kind, 1));

        facts.apply(decide(&facts, Action::DeleteUser(DeleteUser { name: name("owner") })).unwrap());
        let (events, _) = sweep_all(&mut facts);
        assert_eq!(events[0].kind, EventKind::Dissolved);
        assert_eq!(facts.capacity().used, 0);
        assert!(facts.users_in(facts.key().app, 10).is_empty());
    }

    #[test]
    fn a_deleted_app_leaves_nothing() {
        let mut facts = HandFacts::with_room("owner", &["u1", "u2"]);
        let delete = crate::app::AppChange::Delete(HandFacts::app_key());
        facts.apply(decide(&facts, Action::ChangeApp(delete)).unwrap());
        sweep_all(&mut facts);
        let app = facts.key().app;
        assert_eq!(facts.capacity().used, 0);
        assert!(facts.rooms_in(app, 10).is_empty() && facts.users_in(app, 10).is_empty());
        assert_eq!(facts.app_by_id(app), None);
    }
}
