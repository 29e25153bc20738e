//! Records what concurrent calls are told.

use std::sync::Mutex;
use std::time::Instant;

use futures_util::future::join_all;
use rand::RngExt as _;

use super::check::{Call, Told};
use crate::crash::api::{Api, names};

const USERS: usize = 4;
const CLIENTS: usize = 6;
/// Calls of each client on each user.
const CALLS: usize = 15;

/// Calls a node.
#[derive(Clone)]
pub(super) struct Caller(Api);

impl Caller {
    pub(super) fn of(api: &Api) -> Self {
        Self(api.clone())
    }

    /// What a random call on this member was told; `None` if nothing was done.
    async fn call(&self, room: &str, user: &str) -> Option<Told> {
        let path = format!("/chatrooms/{room}/users/{user}");
        match rand::rng().random_range(0..5) {
            0 | 1 => match self.0.call("POST", &path, "").await.status {
                200 => Some(Told::Added),
                503 => None,
                status => panic!("an addition was answered {status}"),
            },
            2 => Some(Told::Seen(self.0.members(room).await.iter().any(|name| name == user))),
            _ => match self.0.remove(room, user).await.status {
                200 => Some(Told::Removed),
                400 => Some(Told::NotThere),
                503 => None,
                status => panic!("a removal was answered {status}"),
            },
        }
    }
}

/// What was told of each user, when clients called through all of these at once.
pub(super) async fn record(api: &Api, callers: &[Caller]) -> Vec<(String, Vec<Call>)> {
    let (room, users) = (room_without(api).await, names(USERS));
    let histories: Vec<Mutex<Vec<Call>>> = users.iter().map(|_| Mutex::default()).collect();
    let began = Instant::now();
    let now = || u64::try_from(began.elapsed().as_nanos()).unwrap();
    join_all((0..CLIENTS).map(|client| {
        let caller = &callers[client % callers.len()];
        let (room, users, histories) = (&room, &users, &histories);
        async move {
            for index in 0..CALLS * USERS {
                let user = index % USERS;
                let from = now();
                if let Some(told) = caller.call(room, &users[user]).await {
                    histories[user].lock().unwrap().push(Call { told, from, to: now() });
                }
            }
        }
    }))
    .await;
    let histories = histories.into_iter().map(|history| history.into_inner().unwrap());
    users.into_iter().zip(histories).collect()
}

/// A room that has only its owner; the users are there.
async fn room_without(api: &Api) -> String {
    api.register(&["owner".to_owned()]).await;
    api.register(&names(USERS)).await;
    api.create_room("owner").await
}
