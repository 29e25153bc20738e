//! Carries out what administrators ask about the callbacks of an app.

mod change;
mod look;
mod replay;
#[cfg(test)]
mod tests;
mod trial;

use chatroom_core::{App, Rule, RuleName};

use super::Callbacks;
use crate::admin::{AdminError, CallbackReply, CallbackRequest};
use crate::config::nearest;

/// The callbacks of one app, for an administrator.
pub(crate) struct AppCallbacks<'a> {
    pub(crate) callbacks: &'a Callbacks,
    pub(crate) app: &'a App,
}

impl AppCallbacks<'_> {
    /// Carries out one request.
    ///
    /// # Errors
    /// [`AdminError`], in words for the person who typed the command.
    pub(crate) async fn run(&self, request: CallbackRequest) -> Result<CallbackReply, AdminError> {
        match request {
            CallbackRequest::Add(new) => self.add(new).await,
            CallbackRequest::List => self.list().await,
            CallbackRequest::Show { name, with_secrets } => self.show(&name, with_secrets).await,
            CallbackRequest::Enable { name } => self.enable(name).await,
            CallbackRequest::Disable { name } => self.disable(name).await,
            CallbackRequest::Remove { name } => self.remove(name).await,
            CallbackRequest::RotateSecret { name } => self.rotate_secret(name).await,
            CallbackRequest::FinishRotation { name } => self.finish_rotation(name).await,
            CallbackRequest::Test { name } => self.test(&name).await,
            CallbackRequest::Status { name } => self.status(name.as_ref()).await,
            CallbackRequest::DeadLetters { name, after } => self.dead_letters(name.as_ref(), after).await,
            CallbackRequest::Replay { name, what } => self.replay(&name, what).await,
        }
    }

    async fn rules(&self) -> Result<Vec<Rule>, AdminError> {
        self.callbacks.rules.rules(self.app.id).await.map_err(AdminError::failed)
    }

    async fn find(&self, name: &RuleName) -> Result<Rule, AdminError> {
        let mut rules = self.rules().await?;
        match rules.iter().position(|rule| rule.name == *name) {
            Some(at) => Ok(rules.swap_remove(at)),
            None => Err(self.no_such_rule(name, &rules)),
        }
    }

    fn no_such_rule(&self, name: &RuleName, rules: &[Rule]) -> AdminError {
        let nearest = nearest(name.as_str(), rules.iter().map(|rule| rule.name.as_str()));
        let nearest = (!nearest.is_empty()).then(|| nearest.to_owned());
        AdminError::NoSuchRule { app: self.app.key.clone(), name: name.clone(), nearest }
    }
}
