//! Pages of lists: how much is read, and where the owner stands.

use crate::id::Username;
use crate::model::{JoinOrder, Room};

/// A room and how many members it has, the owner counted while a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    /// The room.
    pub room: Room,
    /// Its members.
    pub members: u32,
}

/// Which members of a room to read: in join order, without the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembersRequest {
    /// Where to begin.
    pub from: From,
    /// How many to read at most.
    pub limit: usize,
    /// Which way.
    pub order: Order,
}

/// Where a page of members begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// At the first.
    Start,
    /// Behind this place, whether or not somebody is still there: a cursor stays good under removals.
    After(JoinOrder),
    /// Behind so many.
    Skip(usize),
}

/// Which way a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Oldest first.
    #[default]
    Ascending,
    /// Newest first.
    Descending,
}

/// A member, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Username,
    /// Where it stands in join order.
    pub joined: JoinOrder,
}

/// What a store reads for a [`MembersRequest`]. Users that are deleted are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersSlice {
    /// The room's owner.
    pub owner: Username,
    /// Whether the owner is a member.
    pub owner_is_member: bool,
    /// The members asked for, without the owner.
    pub members: Vec<Member>,
    /// How many members stand before the first of them, at most what [`From::Skip`] asked to skip.
    pub skipped: usize,
    /// Whether more follow.
    pub more: bool,
}

/// One line of a list of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// A member that is not the owner.
    Member(Username),
    /// The owner.
    Owner(Username),
}

/// Members in join order, the owner last, once, and only while a member (decision 27).
///
/// `slice` was read from `skip` on with a limit of `size`.
#[must_use]
pub fn with_owner_last(slice: MembersSlice, skip: usize, size: usize) -> Vec<Role> {
    let owner_is_next = !slice.more && slice.skipped == skip && slice.members.len() < size;
    let mut page: Vec<Role> = slice.members.into_iter().map(|member| Role::Member(member.name)).collect();
    if owner_is_next && slice.owner_is_member {
        page.push(Role::Owner(slice.owner));
    }
    page
}

/// How long a page is and where it begins, as callers ask for it: numbers from 1, and sizes that are cut to their
/// bounds rather than refused (contract §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumber {
    /// The number of the page, from 1.
    pub number: usize,
    /// How many it holds.
    pub size: usize,
}

impl PageNumber {
    /// The most that a page holds.
    pub const LARGEST: usize = 1_000;

    /// Cuts both to their bounds. Nothing asked for means the first page, as large as can be.
    #[must_use]
    pub fn clamped(number: Option<usize>, size: Option<usize>) -> Self {
        let size = size.unwrap_or(Self::LARGEST).min(Self::LARGEST);
        Self { number: number.unwrap_or(1).max(1), size }
    }

    /// How many stand before the page.
    #[must_use]
    pub fn skip(self) -> usize {
        (self.number - 1).saturating_mul(self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_util::name;

    /// A room of `members`, read as a store reads it.
    fn pages(members: &[&str], owner_is_member: bool, size: usize) -> Vec<Vec<Role>> {
        let mut pages = Vec::new();
        for number in 1.. {
            let page = PageNumber::clamped(Some(number), Some(size));
            let skipped = page.skip().min(members.len());
            let rest = &members[skipped..];
            let slice = MembersSlice {
                owner: name("owner"),
                owner_is_member,
                members: rest
                    .iter()
                    .take(size)
                    .map(|n| Member { name: name(n), joined: JoinOrder(0) })
                    .collect(),
                skipped,
                more: rest.len() > size,
            };
            let roles = with_owner_last(slice, page.skip(), size);
            if roles.is_empty() {
                return pages;
            }
            pages.push(roles);
        }
        pages
    }

    #[test]
    fn decision_27_the_owner_is_listed_last_and_once_on_whatever_page_that_is() {
        for size in 1..=5 {
            let all: Vec<Role> = pages(&["a", "b", "c", "d"], true, size).into_iter().flatten().collect();
            let expected: Vec<Role> = ["a", "b", "c", "d"].map(|n| Role::Member(name(n))).into();
            assert_eq!(all[..4], expected[..], "size {size}");
            assert_eq!(all[4..], [Role::Owner(name("owner"))], "size {size}");
        }
    }

    #[test]
    fn decision_27_an_owner_who_is_not_a_member_is_not_listed() {
        let all: Vec<Role> = pages(&["a", "b"], false, 2).into_iter().flatten().collect();
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn a_page_size_of_zero_is_an_empty_page_and_a_large_one_is_cut() {
        assert_eq!(PageNumber::clamped(None, Some(0)).size, 0);
        assert_eq!(PageNumber::clamped(Some(0), Some(5_000)), PageNumber { number: 1, size: 1_000 });
    }
}
