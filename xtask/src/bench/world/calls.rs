//! Single calls of each kind.

use super::{Membership, World, name};
use crate::bench::requests::Requests;

/// Members of a page of a list.
const PAGE: usize = 100;

impl World {
    pub(crate) fn push_removal(&self, requests: &mut Requests, member: Membership) {
        self.push_single(requests, "DELETE", member);
    }

    pub(crate) fn push_addition(&self, requests: &mut Requests, member: Membership) {
        self.push_single(requests, "POST", member);
    }

    fn push_single(&self, requests: &mut Requests, method: &str, member: Membership) {
        let user = name(self.size.user(member.room, member.place));
        requests.push(&self.peer, method, &format!("{}/{user}", self.path(member.room)), "");
    }

    /// The first page of a room's members.
    pub(crate) fn push_list(&self, requests: &mut Requests, room: usize) {
        let path = format!("{}?version=v3&limit={PAGE}", self.path(room));
        requests.push(&self.peer, "GET", &path, "");
    }

    /// A room's details.
    pub(crate) fn push_details(&self, requests: &mut Requests, room: usize) {
        let path = self.path(room);
        requests.push(&self.peer, "GET", path.strip_suffix("/users").unwrap_or(&path), "");
    }
}
