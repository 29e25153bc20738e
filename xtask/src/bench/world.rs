//! The rooms and members that a benchmark works on. Who is in which room follows from two numbers, so a world of
//! ten million memberships takes no memory here.

mod calls;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::index::sample;
use serde_json::Value;

use super::load::{self, Pace};
use super::requests::{Peer, Requests};
use super::server::BATCH;
use crate::say::Progress;

/// Connections that load; a few are enough to keep a writer busy.
const LOADERS: usize = 16;
/// Calls of a batch that are made at a time, between two steps of the progress bar.
const CALLS: usize = 64;
/// `limits.remove_batch` as it is unless somebody changes it.
const REMOVED_AT_A_TIME: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rooms: usize,
    /// Members of each room, its owner among them.
    pub(crate) members: usize,
    pub(crate) users: usize,
}

impl Size {
    /// Rooms of the same size, and ten memberships a user where a room does not need more users.
    pub(crate) fn of(memberships: usize, rooms: usize) -> Result<Self> {
        let members = memberships.checked_div(rooms).unwrap_or(0);
        ensure!(members >= 2, "a room needs an owner and a member: fewer rooms, or more members");
        Ok(Self { rooms, members, users: (memberships / 10).max(members) })
    }

    pub(crate) fn memberships(self) -> usize {
        self.rooms * self.members
    }

    /// The user in a place of a room. Place 0 is the owner's.
    fn user(self, room: usize, place: usize) -> usize {
        (room * self.members + place) % self.users
    }
}

/// One member of one room, never its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Membership {
    pub(crate) room: usize,
    place: usize,
}

pub(crate) struct World {
    pub(crate) peer: Peer,
    pub(crate) size: Size,
    /// Ids of the rooms.
    rooms: Vec<String>,
}

fn name(user: usize) -> String {
    format!("user{user:08}")
}

impl World {
    /// For a server that stores nothing: it is asked for rooms that do not exist.
    pub(crate) fn pretended(peer: Peer, size: Size) -> Self {
        let rooms = (0..size.rooms).map(|room| (217_587_034_000_512 + room).to_string()).collect();
        Self { peer, size, rooms }
    }

    /// Registers the users, creates the rooms and adds the members, all through the API.
    pub(crate) fn load(what: &str, peer: Peer, size: Size) -> Result<Self> {
        let mut world = Self { peer, size, rooms: Vec::new() };
        let progress = Progress::of(format!("{what}: loading"), size.users + size.memberships());
        world.register(&progress)?;
        world.create_rooms()?;
        progress.add(size.rooms);
        let at_a_time = (BATCH * CALLS / size.members).max(1);
        for first in (0..size.rooms).step_by(at_a_time) {
            world.add_places(first..(first + at_a_time).min(size.rooms), &progress)?;
        }
        Ok(world)
    }

    fn register(&self, progress: &Progress) -> Result<()> {
        for first in (0..self.size.users).step_by(BATCH * CALLS) {
            let last = (first + BATCH * CALLS).min(self.size.users);
            let mut requests = Requests::default();
            for first in (first..last).step_by(BATCH) {
                let users: Vec<Value> = (first..(first + BATCH).min(last))
                    .map(|user| serde_json::json!({ "username": name(user), "password": "1" }))
                    .collect();
                requests.push(&self.peer, "POST", "users", &serde_json::to_string(&users)?);
            }
            self.call(&requests, |_, _| {})?;
            progress.add(last - first);
        }
        Ok(())
    }

    fn create_rooms(&mut self) -> Result<()> {
        let mut requests = Requests::default();
        for room in 0..self.size.rooms {
            let body = serde_json::json!({
                "name": format!("room {room}"), "description": "a room of a benchmark",
                "owner": name(self.size.user(room, 0)), "maxusers": self.size.members,
            });
            requests.push(&self.peer, "POST", "chatrooms", &body.to_string());
        }
        let mut rooms = vec![None; self.size.rooms];
        self.call(&requests, |index, body| {
            let id = serde_json::from_slice::<Value>(body)
                .ok()
                .and_then(|answer| answer["data"]["id"].as_str().map(str::to_owned));
            if let Some(room) = rooms.get_mut(index) {
                *room = id;
            }
        })?;
        self.rooms = rooms.into_iter().collect::<Option<_>>().context("a room was created without an id")?;
        Ok(())
    }

    /// Adds everybody but the owner to some rooms.
    fn add_places(&self, rooms: std::ops::Range<usize>, progress: &Progress) -> Result<()> {
        for first in (1..self.size.members).step_by(BATCH * CALLS) {
            let places = first..(first + BATCH * CALLS).min(self.size.members);
            let all: Vec<_> = rooms
                .clone()
                .flat_map(|room| places.clone().map(move |place| Membership { room, place }))
                .collect();
            self.add(&all)?;
            progress.add(all.len());
        }
        Ok(())
    }

    /// Adds members, in batches of a room.
    pub(crate) fn add(&self, members: &[Membership]) -> Result<()> {
        let mut by_room: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for member in members {
            let user = self.size.user(member.room, member.place);
            by_room.entry(member.room).or_default().push(name(user));
        }
        let mut requests = Requests::default();
        for (room, names) in by_room {
            for names in names.chunks(BATCH) {
                let body = serde_json::json!({ "usernames": names }).to_string();
                requests.push(&self.peer, "POST", &self.path(room), &body);
            }
        }
        self.call(&requests, |_, _| {})
    }

    /// Removes members, in batches of a room.
    pub(crate) fn remove(&self, members: &[Membership]) -> Result<()> {
        let mut members = members.to_vec();
        members.sort_unstable();
        self.call(&self.removals(&members, REMOVED_AT_A_TIME), |_, _| {})
    }

    /// How many members there are beside the owners.
    pub(crate) fn removable(&self) -> usize {
        self.size.rooms * (self.size.members - 1)
    }

    /// Chooses different members at random; the same for the same seed in every world of a size.
    pub(crate) fn choose(&self, count: usize, seed: u64) -> Vec<Membership> {
        let (a_room, all) = (self.size.members - 1, self.removable());
        sample(&mut StdRng::seed_from_u64(seed), all, count.min(all))
            .into_iter()
            .map(|index| Membership { room: index / a_room, place: 1 + index % a_room })
            .collect()
    }

    /// Chooses groups of members at random, each of one room and spread over it.
    pub(crate) fn choose_groups(&self, groups: usize, of: usize, seed: u64) -> Vec<Membership> {
        let a_room = (self.size.members - 1) / of;
        let all = self.size.rooms * a_room;
        sample(&mut StdRng::seed_from_u64(seed), all, groups.min(all))
            .into_iter()
            .flat_map(|index| {
                let place = move |member: usize| 1 + index % a_room + member * a_room;
                (0..of).map(move |member| Membership { room: index / a_room, place: place(member) })
            })
            .collect()
    }

    /// Calls that remove the members, each with up to `a_call` names, in the order in which they are given. The
    /// names of a call are of one room.
    pub(crate) fn removals(&self, members: &[Membership], a_call: usize) -> Requests {
        let mut requests = Requests::default();
        for of_a_room in members.chunk_by(|one, other| one.room == other.room) {
            for members in of_a_room.chunks(a_call) {
                let Some(first) = members.first() else { continue };
                let names: Vec<_> =
                    members.iter().map(|member| name(self.size.user(member.room, member.place))).collect();
                let path = format!("{}/{}", self.path(first.room), names.join("%2C"));
                requests.push(&self.peer, "DELETE", &path, "");
            }
        }
        requests
    }

    /// The members of a room, as a path behind the app's name.
    pub(crate) fn path(&self, room: usize) -> String {
        format!("chatrooms/{}/users", self.rooms.get(room).map_or("", String::as_str))
    }

    fn call(&self, requests: &Requests, each: impl FnMut(usize, &[u8])) -> Result<()> {
        if requests.len() > 0 {
            load::run(self.peer.address, LOADERS, Pace::Closed, requests, each)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Membership, Size, World};
    use crate::bench::requests::Peer;

    fn world(memberships: usize, rooms: usize) -> World {
        let peer = Peer { address: ([127, 0, 0, 1], 80).into(), token: "t".to_owned() };
        World::pretended(peer, Size::of(memberships, rooms).unwrap())
    }

    #[test]
    fn nobody_is_in_a_room_twice() {
        for (memberships, rooms) in [(20_000, 20), (500, 1), (999, 7)] {
            let size = Size::of(memberships, rooms).unwrap();
            for room in 0..rooms {
                let users: BTreeSet<_> = (0..size.members).map(|place| size.user(room, place)).collect();
                assert_eq!(users.len(), size.members, "{size:?}");
            }
        }
        assert!(Size::of(5, 5).is_err() && Size::of(5, 0).is_err());
    }

    #[test]
    fn different_members_are_chosen_and_never_an_owner() {
        let world = world(2_000, 20);
        let chosen = world.choose(1_980, 7);
        assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), 1_980);
        assert!(chosen.iter().all(|member| member.place > 0 && member.place < 100 && member.room < 20));
        assert!(world.choose(5_000, 7) == chosen, "all that there are, in the same order");
        assert!(world.choose(10, 8) != world.choose(10, 9));
    }

    #[test]
    fn groups_are_of_one_room_and_share_nobody() {
        let chosen = world(2_000, 20).choose_groups(180, 10, 7);
        assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), 1_800);
        assert!(chosen.iter().all(|member| member.place > 0 && member.place < 100));
        assert!(chosen.chunks(10).all(|group| group.iter().all(|member| member.room == group[0].room)));
    }

    #[test]
    fn a_call_has_names_of_one_room() {
        let members: Vec<_> =
            (0..2).flat_map(|room| (1..4).map(move |place| Membership { room, place })).collect();
        let requests = world(2_000, 20).removals(&members, 2);
        let lines: Vec<_> = (0..requests.len())
            .map(|index| String::from_utf8(requests.get(index).unwrap().to_vec()).unwrap())
            .map(|text| text.lines().next().unwrap().replace("/demo/chat/chatrooms/", ""))
            .collect();
        assert_eq!(
            lines,
            [
                "DELETE 217587034000512/users/user00000001%2Cuser00000002 HTTP/1.1",
                "DELETE 217587034000512/users/user00000003 HTTP/1.1",
                "DELETE 217587034000513/users/user00000101%2Cuser00000102 HTTP/1.1",
                "DELETE 217587034000513/users/user00000103 HTTP/1.1",
            ]
        );
    }
}
