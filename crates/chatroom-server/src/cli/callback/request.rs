//! What the command line asks for.

use chatroom_core::{AppKey, RuleName, Timestamp};
use secrecy::ExposeSecret;

use super::{AddArgs, CallbackCommand, ReplayArgs, RuleArgs};
use crate::admin::{Again, CallbackRequest, NewCallback, Shown};
use crate::config::secret_file;

/// A file that holds more bytes is not a secret but a mistake.
const LONGEST_SECRET: usize = 64 << 10;

/// A request, of which app, and what should be known before.
pub(super) struct Asked {
    pub(super) app: AppKey,
    pub(super) request: CallbackRequest,
    pub(super) warning: Option<String>,
}

/// # Errors
/// A sentence for the person who typed it: the command line is wrong.
pub(super) fn of(command: CallbackCommand) -> Result<Asked, String> {
    Ok(match command {
        CallbackCommand::Add(args) => return add(args),
        CallbackCommand::List(of) => Asked::new(of.app, CallbackRequest::List),
        CallbackCommand::Show { rule, with_secrets } => {
            about(rule, |name| CallbackRequest::Show { name, with_secrets })
        }
        CallbackCommand::Enable(rule) => about(rule, |name| CallbackRequest::Enable { name }),
        CallbackCommand::Disable(rule) => about(rule, |name| CallbackRequest::Disable { name }),
        CallbackCommand::Remove(rule) => about(rule, |name| CallbackRequest::Remove { name }),
        CallbackCommand::RotateSecret { rule, finish: false } => {
            about(rule, |name| CallbackRequest::RotateSecret { name })
        }
        CallbackCommand::RotateSecret { rule, finish: true } => {
            about(rule, |name| CallbackRequest::FinishRotation { name })
        }
        CallbackCommand::Test(rule) => about(rule, |name| CallbackRequest::Test { name }),
        CallbackCommand::Status(some) => Asked::new(some.of.app, CallbackRequest::Status { name: some.name }),
        CallbackCommand::DeadLetters(some) => {
            Asked::new(some.of.app, CallbackRequest::DeadLetters { name: some.name, after: None })
        }
        CallbackCommand::Replay(args) => {
            let what = again(&args)?;
            about(args.rule, |name| CallbackRequest::Replay { name, what })
        }
    })
}

impl Asked {
    fn new(app: AppKey, request: CallbackRequest) -> Self {
        Self { app, request, warning: None }
    }
}

fn about(rule: RuleArgs, request: impl FnOnce(RuleName) -> CallbackRequest) -> Asked {
    Asked::new(rule.of.app, request(rule.name))
}

fn add(args: AddArgs) -> Result<Asked, String> {
    let AddArgs { rule, url, events, rooms, secret_file, disabled } = args;
    let (mut secret, mut warning) = (None, None);
    if let Some(path) = secret_file {
        let (read, known) = secret_file::read(&path, "a secret")?;
        if read.expose_secret().len() > LONGEST_SECRET {
            return Err(format!("{} is too long for a secret", path.display()));
        }
        (secret, warning) = (Some(Shown::new(read)), known);
    }
    let events = (!events.is_empty()).then(|| events.into_iter().flat_map(|kinds| kinds.0).collect());
    let rooms = (!rooms.is_empty()).then(|| rooms.into_iter().collect());
    let add =
        |name| CallbackRequest::Add(NewCallback { name, url, secret, enabled: !disabled, events, rooms });
    Ok(Asked { warning, ..about(rule, add) })
}

fn again(args: &ReplayArgs) -> Result<Again, String> {
    let ReplayArgs { rule: _, room, seq, since, until, dead_letters: _ } = *args;
    Ok(match (room, since) {
        (Some(room), _) => seq.map_or(Again::Room { room }, |seq| Again::Event { room, seq }),
        (None, Some(since)) => {
            if until.is_some_and(|until| until <= since) {
                return Err("`--until` must be later than `--since`".to_owned());
            }
            let until = until.map(Timestamp::as_millis);
            Again::Between { since: since.as_millis(), until, after: None }
        }
        // The command line has one of the three.
        (None, None) => Again::DeadLetters { after: None },
    })
}
