//! Carries out the commands: most with one request, some with one for each page or step.

use chatroom_core::{AppKey, RuleName};

use super::super::run::{Environment, WRONG, administrator, failed, printed, say};
use super::super::{Backend, Terminal};
use super::status::Letters;
use super::{CallbackArgs, render, replay, request};
use crate::admin::{
    Admin, AdminError, AdminReply, AdminRequest, Again, CallbackReply, CallbackRequest, Replayed,
};

/// After how many rooms or dead letters a replay says how far it is.
const TOLD_EVERY: u64 = 10_000;

pub(in super::super) async fn run(
    args: CallbackArgs,
    environment: Environment,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> u8 {
    let asked = match request::of(args.command) {
        Ok(asked) => asked,
        Err(why) => {
            terminal.note(&format!("error: {why}"));
            return WRONG;
        }
    };
    if let Some(warning) = asked.warning {
        terminal.note(&format!("warning: {warning}"));
    }
    let admin = match administrator(&args.data, environment, backend, terminal).await {
        Ok(admin) => admin,
        Err(code) => return code,
    };
    let at = At { admin: admin.as_ref(), app: asked.app };
    let carried_out = match asked.request {
        CallbackRequest::DeadLetters { name, .. } => at.dead_letters(name, terminal).await,
        CallbackRequest::Replay { name, what } => at.replay(&name, what, terminal).await,
        request => at.once(request, terminal).await,
    };
    admin.close().await;
    carried_out.unwrap_or_else(|error| failed(&error.to_string(), terminal))
}

/// Who carries out requests, and about which app.
struct At<'a> {
    admin: &'a dyn Admin,
    app: AppKey,
}

impl At<'_> {
    async fn ask(&self, ask: CallbackRequest) -> Result<CallbackReply, AdminError> {
        match self.admin.run(AdminRequest::Callback { app: self.app.clone(), ask }).await? {
            AdminReply::Callback(reply) => Ok(reply),
            _ => Err(unexpected()),
        }
    }

    async fn once(&self, request: CallbackRequest, terminal: &mut Terminal) -> Result<u8, AdminError> {
        let reply = self.ask(request).await?;
        Ok(say(&render::reply(&self.app, &reply), terminal))
    }

    /// Prints each page when it is there.
    async fn dead_letters(&self, name: Option<RuleName>, terminal: &mut Terminal) -> Result<u8, AdminError> {
        let mut table = Letters::new();
        let mut after = None;
        loop {
            let request = CallbackRequest::DeadLetters { name: name.clone(), after };
            let (letters, next) = match self.ask(request).await? {
                CallbackReply::DeadLetters { letters, next } => (letters, next),
                _ => return Err(unexpected()),
            };
            let code = printed(&table.page(&letters), terminal);
            if code != 0 {
                return Ok(code);
            }
            let Some(next) = next else { break };
            after = Some(next);
        }
        if table.is_empty() && terminal.is_interactive() {
            terminal.note("there are no dead letters");
        }
        Ok(0)
    }

    /// Walks until nothing is left, and says how far it is when that takes long.
    async fn replay(&self, name: &RuleName, what: Again, terminal: &mut Terminal) -> Result<u8, AdminError> {
        let mut all = Replayed { next: Some(what), ..Replayed::default() };
        while let Some(what) = all.next.take() {
            let reply = self.ask(CallbackRequest::Replay { name: name.clone(), what }).await;
            let step = match reply {
                Ok(CallbackReply::Replayed(step)) => step,
                Ok(_) => return Err(unexpected()),
                Err(error) => {
                    if all.events > 0 {
                        terminal.note(&replay::broken_off(&all));
                    }
                    return Err(error);
                }
            };
            let before = all.looked_at;
            all.add(step);
            if terminal.is_interactive() && before / TOLD_EVERY < all.looked_at / TOLD_EVERY {
                terminal.note(&replay::progress(&all));
            }
        }
        let code = printed(&replay::told_again(&all), terminal);
        for note in replay::notes(&all) {
            terminal.note(&format!("note: {note}"));
        }
        Ok(code)
    }
}

fn unexpected() -> AdminError {
    AdminError::failed("the running server answered something else; is it of another version?")
}
