use async_trait::async_trait;
use chatroom_core::{
    AppId, ChatroomId, ChatroomRepository, MembersRequest, MembersSlice, Operation, Outcome, RoomKey,
    RoomView, StorageError, Sweep, TransactError, User, UserId, Username,
};

use super::EmbeddedStore;

#[async_trait]
impl ChatroomRepository for EmbeddedStore {
    async fn transact(&self, operation: Operation) -> Result<Outcome, TransactError> {
        self.run(operation).await
    }

    async fn user(&self, app: AppId, name: &Username) -> Result<Option<User>, StorageError> {
        self.read(|engine| engine.state.find_user(app, name)).await
    }

    async fn users(
        &self,
        app: AppId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<User>, StorageError> {
        self.read(|engine| engine.state.list_users(app, after, limit)).await
    }

    async fn room(&self, key: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        self.read(|engine| engine.state.find_room(key)).await
    }

    async fn rooms(
        &self,
        app: AppId,
        after: Option<ChatroomId>,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        self.read(|engine| engine.state.list_rooms(app, after, skip, limit)).await
    }

    async fn members(
        &self,
        key: &RoomKey,
        request: MembersRequest,
    ) -> Result<Option<MembersSlice>, StorageError> {
        self.read(|engine| engine.state.list_members(key, request)).await
    }

    async fn sweeps(&self, limit: usize) -> Result<Vec<Sweep>, StorageError> {
        self.read(|engine| engine.state.list_sweeps(limit)).await
    }
}
