//! Everything that reads show of an app.

use chatroom_core::{
    AppId, ChatroomRepository, From, Member, MembersRequest, Order, RoomView, User, Username,
};

use crate::broken::{Broken, ensure, ensure_eq};

/// Everything that reads show of an app.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Visible {
    pub(crate) users: Vec<User>,
    pub(crate) rooms: Vec<VisibleRoom>,
}

/// Everything that reads show of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VisibleRoom {
    pub(crate) view: RoomView,
    pub(crate) owner: Username,
    pub(crate) owner_is_member: bool,
    /// In join order, without the owner.
    pub(crate) members: Vec<Member>,
}

/// Small, so that lists have several pages.
const PAGE: usize = 3;

impl Visible {
    /// Reads it all, in several ways that must agree. Nobody may change it meanwhile.
    pub(crate) async fn of(store: &impl ChatroomRepository, app: AppId) -> Result<Self, Broken> {
        let mut visible = Self::default();
        loop {
            let after = visible.users.last().map(|user| user.id);
            let page = store.users(app, after, PAGE).await?;
            let last = page.len() < PAGE;
            ensure!(page.iter().all(|user| Some(user.id) > after), "behind {after:?}: {page:?}");
            visible.users.extend(page);
            if last {
                break;
            }
        }
        for user in &visible.users {
            let found = store.user(app, &user.name).await?;
            ensure_eq!(found.as_ref(), Some(user), "a user that is listed is found by name");
        }
        loop {
            let after = visible.rooms.last().map(|room| room.view.room.key.id);
            let page = store.rooms(app, after, 0, PAGE).await?;
            let last = page.len() < PAGE;
            ensure!(page.iter().all(|view| Some(view.room.key.id) > after), "behind {after:?}: {page:?}");
            for view in page {
                visible.rooms.push(VisibleRoom::of(store, view).await?);
            }
            if last {
                return Ok(visible);
            }
        }
    }
}

impl VisibleRoom {
    async fn of(store: &impl ChatroomRepository, view: RoomView) -> Result<Self, Broken> {
        let key = view.room.key;
        ensure_eq!(store.room(&key).await?, Some(view.clone()), "a room that is listed is found by id");
        let read = async |order| {
            let request = MembersRequest { from: From::Start, limit: usize::MAX, order };
            let slice = store.members(&key, request).await?;
            slice.ok_or_else(|| Broken::new(format!("a room that is listed has a list of members: {key:?}")))
        };
        let (ascending, mut descending) = (read(Order::Ascending).await?, read(Order::Descending).await?);
        descending.members.reverse();
        ensure_eq!(ascending, descending, "a list of members is the same in both orders");
        let (owner, owner_is_member) = (ascending.owner, ascending.owner_is_member);
        Ok(Self { view, owner, owner_is_member, members: ascending.members })
    }
}
