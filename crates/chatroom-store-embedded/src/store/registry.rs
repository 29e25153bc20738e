use async_trait::async_trait;
use chatroom_core::{
    Action, App, AppChange, AppId, AppRegistry, Operation, OperationId, Outcome, StorageError,
    StorageErrorKind, TransactError,
};

use super::EmbeddedStore;

#[async_trait]
impl AppRegistry for EmbeddedStore {
    async fn apps(&self) -> Result<Vec<App>, StorageError> {
        self.read(|engine| engine.state.live_apps()).await
    }

    async fn change(&self, id: OperationId, app: AppId, change: AppChange) -> Result<App, TransactError> {
        match self.run(Operation { id, app, action: Action::ChangeApp(change) }).await? {
            Outcome::AppChanged(app) => Ok(*app),
            other => {
                let message = format!("a change of an app had the outcome {other:?}");
                Err(StorageError::new(StorageErrorKind::OutcomeUnknown, message).into())
            }
        }
    }
}
