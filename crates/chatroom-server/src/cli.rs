//! The command line.

use std::path::PathBuf;

use chatroom_core::AppKey;
use clap::{Args, Parser, Subcommand};

use crate::config::{ListenAddress, Overlay};

mod backend;
mod callback;
mod render;
mod run;
mod table;
mod terminal;
mod time;
mod transfer;
mod ttl;

pub use backend::{Backend, Serve};
pub use run::run;
pub use terminal::Terminal;
use transfer::{EXPORT_ABOUT, ExportArgs, IMPORT_ABOUT, ImportArgs};

/// A chatroom-membership server that speaks the REST API of Easemob IM
#[derive(Debug, Parser)]
#[command(
    name = "chatroom-server",
    version,
    args_conflicts_with_subcommands = true,
    long_about = LONG_ABOUT,
    after_long_help = EXAMPLES
)]
pub struct Cli {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

const LONG_ABOUT: &str = "\
A chatroom-membership server that speaks the REST API of Easemob IM

Without a subcommand it serves. The first start makes a demo app with a room and some members, and prints `curl` \
lines that work when pasted.";

const EXAMPLES: &str = "\
Examples:
  Serve on 127.0.0.1:8080 with the data in ./data:
    chatroom-server

  Serve elsewhere, and leave nothing behind:
    chatroom-server --listen 127.0.0.1:9000 --listen unix:/tmp/chatroom.sock --ephemeral

  Make an app, and a token for it, while the server runs or while it does not:
    chatroom-server app create acme/support
    TOKEN=$(chatroom-server token issue acme/support --ttl 12h)

  Post its events to a server of yours, and see that they arrive:
    chatroom-server callback add room_events https://example.com/hook --app acme/support
    chatroom-server callback test room_events --app acme/support

Configuration:
  The file of --config comes first, then variables such as CHATROOM__LISTEN=[::1]:8080,
  then flags; the later wins. `chatroom-server check-config` prints what is in force.

Exit status:
  0 when it was done, 1 when it failed, 2 when the command line or the configuration is wrong.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (what happens without a subcommand)
    #[command(after_long_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Make, list, show, change and delete apps
    #[command(long_about = APP_ABOUT)]
    App(AppArgs),
    /// Make app tokens
    Token(TokenArgs),
    /// Make, show, change and remove rules of callbacks, and see to deliveries
    #[command(long_about = callback::ABOUT)]
    Callback(callback::CallbackArgs),
    /// Write everything that the store holds to a file, while a server runs or not
    #[command(long_about = EXPORT_ABOUT)]
    Export(ExportArgs),
    /// Read an export into an empty store, on which no server runs
    #[command(long_about = IMPORT_ABOUT)]
    Import(ImportArgs),
    /// Bring the schema of the PostgreSQL database up to this version, while servers run or not
    #[command(long_about = MIGRATE_ABOUT, after_long_help = MIGRATE_EXAMPLES)]
    Migrate(MigrateArgs),
    /// Read the configuration and print what is in force, or what is wrong with it
    #[command(long_about = CHECK_ABOUT)]
    CheckConfig(LayerArgs),
    /// Print the version
    Version,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  chatroom-server serve --config chatroom.toml
  chatroom-server serve --listen '[::1]:8080' --data-dir /var/lib/chatroom
  CHATROOM__LISTEN=127.0.0.1:9000,unix:/run/chatroom.sock chatroom-server serve";

const APP_ABOUT: &str = "\
Make, list, show, change and delete apps

These commands work through a server that runs on the data directory; when none runs, they open the directory \
themselves. On PostgreSQL they work on the database, whether or not servers run, which follow within a second. Apps that the configuration declares can be shown, not changed.";

const MIGRATE_ABOUT: &str = "\
Bring the schema of the PostgreSQL database up to this version, while servers run or not

`serve` does this by itself unless `store.migrate = false`. Servers of the version before go on working beside a newer \
schema. There is no way back.";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  chatroom-server migrate --config chatroom.toml
  CHATROOM__STORE__KIND=postgres CHATROOM__STORE__URL=postgresql://host/db chatroom-server migrate";

const CHECK_ABOUT: &str = "\
Read the configuration and print what is in force, or what is wrong with it

Takes the file, the environment and the flags as `serve` does. Standard output gets the configuration as TOML, with \
secrets redacted. If something is wrong, standard error gets one line for each error, and the exit status is 2.";

/// What decides the configuration.
#[derive(Debug, Args)]
struct LayerArgs {
    /// Read this configuration file (TOML); without it, no file is read
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(
        long,
        value_name = "ADDRESS",
        help = "Listen here: 127.0.0.1:8080, [::1]:8080 or unix:PATH; may be repeated"
    )]
    listen: Vec<ListenAddress>,
    /// Keep the data in this directory [default: what the configuration says, else ./data]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    data_dir: Option<PathBuf>,
    /// Keep everything in memory and leave nothing behind
    #[arg(long)]
    ephemeral: bool,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    layers: LayerArgs,
    /// Let the demo app be reached from other machines
    ///
    /// Its credentials are generated, yet it is there without anybody having asked for it: while it exists, the
    /// server refuses to listen on anything but loopback unless this flag is given.
    #[arg(long)]
    public_demo: bool,
}

#[derive(Debug, Args)]
struct MigrateArgs {
    /// Read this configuration file (TOML); without it, no file is read
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What decides on which data a command works.
#[derive(Debug, Args)]
struct DataArgs {
    /// Read this configuration file (TOML); without it, no file is read
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Work on the data in this directory [default: what the configuration says, else ./data]
    #[arg(long, value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct AppArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: AppCommand,
}

#[derive(Debug, Subcommand)]
enum AppCommand {
    /// Make an app; prints its client id and its secret, which is not shown again
    #[command(after_long_help = "Example:\n  chatroom-server app create acme/support")]
    Create(AppName),
    /// List all apps
    List,
    /// Show an app, with its client id
    #[command(after_long_help = "Example:\n  chatroom-server app show demo/chat")]
    Show(AppName),
    /// Replace the client secret of an app; tokens of the old one stop working within a second
    #[command(after_long_help = "Example:\n  chatroom-server app rotate-secret demo/chat")]
    RotateSecret(AppName),
    /// Delete an app with all its rooms and users; this cannot be undone
    #[command(after_long_help = "Example:\n  chatroom-server app delete acme/support")]
    Delete(AppName),
}

#[derive(Debug, Args)]
struct AppName {
    /// The app, as ORG/APP or ORG#APP
    #[arg(value_name = "ORG/APP")]
    app: AppKey,
}

#[derive(Debug, Args)]
struct TokenArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make an app token and print it, alone on its line
    #[command(after_long_help = TOKEN_EXAMPLES)]
    Issue {
        #[command(flatten)]
        name: AppName,
        /// How long it is valid, such as 3600s, 12h or 7d; 0s means for ever [default: as for POST …/token]
        #[arg(long, value_name = "DURATION", value_parser = ttl::seconds)]
        ttl: Option<u64>,
    },
}

const TOKEN_EXAMPLES: &str = "\
Examples:
  chatroom-server token issue demo/chat --ttl 12h
  TOKEN=$(chatroom-server token issue demo/chat)
  curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8080/demo/chat/chatrooms";

impl LayerArgs {
    fn overlay(&self) -> Overlay {
        Overlay { listen: self.listen.clone(), data_dir: self.data_dir.clone(), ephemeral: self.ephemeral }
    }
}

impl DataArgs {
    fn overlay(&self) -> Overlay {
        Overlay { data_dir: self.data_dir.clone(), ..Overlay::default() }
    }
}

#[cfg(test)]
mod help_tests;
#[cfg(test)]
mod tests;
