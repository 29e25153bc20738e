//! `callback …`: the rules of an app, and how its deliveries are doing.

mod render;
mod replay;
mod request;
mod run;
mod status;

use std::path::PathBuf;

use chatroom_core::{AppKey, ChatroomId, EventClass, RuleName, Timestamp, UnknownEventClass};
use clap::{ArgGroup, Args, Subcommand};

use super::{DataArgs, time};

pub(super) use run::run;

pub(super) const ABOUT: &str = "\
Make, show, change and remove rules of callbacks, and see to deliveries

A rule says where events of an app are posted to, which of them, and with which secret they are signed. These commands \
work through a server that runs on the data directory; when none runs, they open the directory themselves. Rules that \
the configuration declares can be shown and tried, not changed.";

#[derive(Debug, Args)]
pub(super) struct CallbackArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: CallbackCommand,
}

#[derive(Debug, Subcommand)]
enum CallbackCommand {
    /// Make a rule; prints its secret, unless you give one
    #[command(after_long_help = ADD_EXAMPLES)]
    Add(AddArgs),
    /// List the rules of an app
    List(AppFlag),
    /// Show a rule
    Show {
        #[command(flatten)]
        rule: RuleArgs,
        /// Print its secrets too
        #[arg(long)]
        with_secrets: bool,
    },
    /// Let a rule deliver, from where it was
    Enable(RuleArgs),
    /// Let a rule deliver no more; what happens waits for it as long as events are kept
    Disable(RuleArgs),
    /// Remove a rule and all that waits for it; this cannot be undone
    Remove(RuleArgs),
    /// Make a new secret and print it; the old one signs beside it for 24 hours
    #[command(after_long_help = ROTATE_EXAMPLES)]
    RotateSecret {
        #[command(flatten)]
        rule: RuleArgs,
        /// End the rotation now: the old secret signs no more
        #[arg(long)]
        finish: bool,
    },
    /// Post a sample event to a rule's URL and print what comes back
    #[command(long_about = TEST_ABOUT)]
    Test(RuleArgs),
    /// Show how deliveries are doing: how far behind, the last failure, the last success
    Status(SomeRuleArgs),
    /// List the events that were given up or lost
    DeadLetters(SomeRuleArgs),
    /// Tell a rule something again
    #[command(long_about = REPLAY_ABOUT, after_long_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
}

const ADD_EXAMPLES: &str = "\
Examples:
  chatroom-server callback add room_events https://example.com/hook --app demo/chat
  chatroom-server callback add kicks https://example.com/hook --app demo/chat --events LEAVE/KICK
  chatroom-server callback add own https://example.com/hook --app demo/chat --secret-file own.key";

const ROTATE_EXAMPLES: &str = "\
Examples:
  chatroom-server callback rotate-secret room_events --app demo/chat
  chatroom-server callback rotate-secret room_events --app demo/chat --finish";

const TEST_ABOUT: &str = "\
Post a sample event to a rule's URL and print what comes back

The event is signed as all are. It tells of a removal from a room that no app has, has an id of its own, and is not in \
any log. The exit status is 1 if the receiver did not take it.";

const REPLAY_ABOUT: &str = "\
Tell a rule something again

Each room's events are told again in their order, before the room goes on, with the ids that they had. What was not \
told yet will be told anyhow, and is not told twice. Events that are no longer kept cannot be told again.";

const REPLAY_EXAMPLES: &str = "\
Examples:
  chatroom-server callback replay room_events --app demo/chat --dead-letters
  chatroom-server callback replay room_events --app demo/chat --room 217587034000512
  chatroom-server callback replay room_events --app demo/chat --room 217587034000512 --seq 7
  chatroom-server callback replay room_events --app demo/chat --since 2026-11-26T09:00:00Z";

#[derive(Debug, Args)]
struct AppFlag {
    /// The app, as ORG/APP or ORG#APP
    #[arg(long, value_name = "ORG/APP")]
    app: AppKey,
}

#[derive(Debug, Args)]
struct RuleArgs {
    /// The rule: 1 to 32 letters, digits and underscores
    #[arg(value_name = "NAME")]
    name: RuleName,
    #[command(flatten)]
    of: AppFlag,
}

#[derive(Debug, Args)]
struct SomeRuleArgs {
    /// The rule; without it, all of the app
    #[arg(value_name = "NAME")]
    name: Option<RuleName>,
    #[command(flatten)]
    of: AppFlag,
}

#[derive(Debug, Args)]
struct AddArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// Where events are posted to: http:// or https://, at an address that is public or that
    /// `callback.allow_networks` allows
    #[arg(value_name = "URL")]
    url: String,
    /// Only these kinds: CREATE, JOIN, LEAVE, DELETE, or one of JOIN/DIRECT, LEAVE/KICK, LEAVE/QUIT, LEAVE/DELETE;
    /// separated by commas
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kinds)]
    events: Vec<Kinds>,
    /// Only these rooms, by their ids; separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    rooms: Vec<ChatroomId>,
    /// Sign with the secret in this file, which holds nothing else [default: a new one is made]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Do not deliver until `callback enable` says so
    #[arg(long)]
    disabled: bool,
}

/// The classes that one word means.
#[derive(Debug, Clone)]
struct Kinds(Vec<EventClass>);

fn kinds(text: &str) -> Result<Kinds, UnknownEventClass> {
    EventClass::parse(text).map(Kinds)
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
struct ReplayArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// All that is kept of this room, or one event of it
    #[arg(long, value_name = "ID", group = "what")]
    room: Option<ChatroomId>,
    /// The event with this sequence number
    #[arg(long, value_name = "N", requires = "room", value_parser = clap::value_parser!(u64).range(1..))]
    seq: Option<u64>,
    /// What happened in all rooms from this time on, such as 2026-11-26T10:00:00Z
    #[arg(long, value_name = "TIME", group = "what", value_parser = time::moment)]
    since: Option<Timestamp>,
    /// And before this time [default: now]
    #[arg(long, value_name = "TIME", requires = "since", value_parser = time::moment)]
    until: Option<Timestamp>,
    /// All dead letters whose events are kept
    #[arg(long, group = "what")]
    dead_letters: bool,
}
