//! A store with a bug: a removal is decided before the transaction that makes it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::test_util::{CountingIds, ManualClock};
use chatroom_core::{
    Action, AppId, ChatroomId, ChatroomRepository, From, MembersRemoved, MembersRequest, MembersSlice,
    Operation, Order, Outcome, Removal, RoomKey, RoomView, StorageError, Sweep, TransactError, User, UserId,
    Username,
};
use chatroom_server::serve::{Environment, Server, Stores, SystemStopwatch};

use crate::crash::api::Api;
use crate::support::{NOW, config};

/// Between the check and the removal.
const MEANWHILE: Duration = Duration::from_millis(5);

struct Hasty(Arc<dyn ChatroomRepository>);

/// A server on it.
pub(super) async fn hasty() -> Api {
    let mut config = config();
    config.rate_limit.per_second = 0;
    config.apps[0].client_id = "id".to_owned();
    config.apps[0].client_secret = "secret".to_owned().into();
    let clock = Arc::new(ManualClock::at(NOW));
    let stores = Stores::memory(&config, clock.clone());
    let stores = Stores { repository: Arc::new(Hasty(stores.repository.clone())), ..stores };
    let (watch, ids) = (Arc::new(SystemStopwatch::start()), Arc::new(CountingIds::default()));
    let server = Server::start(&config, false, stores, Environment { clock, watch, ids }).await.unwrap();
    Api::of_address(&server.addresses()[0].to_string()).await
}

impl Hasty {
    async fn are_members(&self, key: &RoomKey, names: &[Username]) -> bool {
        let request = MembersRequest { from: From::Start, limit: 100, order: Order::Ascending };
        let slice = self.0.members(key, request).await.unwrap().unwrap();
        names.iter().all(|name| slice.members.iter().any(|member| member.name == *name))
    }
}

#[async_trait]
impl ChatroomRepository for Hasty {
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError> {
        let Action::RemoveMembers(removal) = &operation.action else {
            return self.0.transact(operation).await;
        };
        let names: Vec<Username> = removal.members.names().to_vec();
        let key = RoomKey { app: operation.app, id: removal.room };
        let were_members = self.are_members(&key, &names).await;
        tokio::time::sleep(MEANWHILE).await;
        let made = self.0.transact(operation).await;
        if made.is_err() && were_members {
            let removals = names.into_iter().map(|name| Removal { user: name, removed: true }).collect();
            return Ok(Outcome::MembersRemoved(MembersRemoved { removals }));
        }
        made
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        self.0.user(app, name).await
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        self.0.users(app, after, limit).await
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        self.0.room(key).await
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        self.0.rooms(app, after, skip, limit).await
    }

    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        self.0.members(key, request).await
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        self.0.sweeps(limit).await
    }
}
