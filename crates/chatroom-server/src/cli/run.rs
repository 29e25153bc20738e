//! Runs a command and says how it went: 0 done, 1 failed, 2 not even begun because the configuration is wrong.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use super::backend::{Backend, Serve};
use super::render::Text;
use super::{
    AppCommand, Cli, Command, DataArgs, LayerArgs, MigrateArgs, ServeArgs, Terminal, TokenCommand, callback,
    render, transfer,
};
use crate::admin::{Admin, AdminError, AdminRequest};
use crate::config::{Config, Loaded, Overlay, StoreKind};
use crate::control::ControlClient;
use crate::logging;

pub(super) type Environment = Vec<(OsString, OsString)>;

const FAILED: u8 = 1;
pub(super) const WRONG: u8 = 2;

/// Runs the command on a runtime of its own. `environment` is what the process was given.
pub fn run(
    cli: Cli,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.note(&format!("error: no threads to run on: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let command = dispatch(cli, environment.into_iter().collect(), backend, terminal);
    ExitCode::from(runtime.block_on(command))
}

pub(super) async fn dispatch(
    cli: Cli,
    environment: Environment,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> u8 {
    match cli.command {
        None => serve(cli.serve, environment, backend, terminal).await,
        Some(Command::Serve(args)) => serve(args, environment, backend, terminal).await,
        Some(Command::App(args)) => {
            let request = match args.command {
                AppCommand::Create(name) => AdminRequest::AppCreate { app: name.app },
                AppCommand::List => AdminRequest::AppList,
                AppCommand::Show(name) => AdminRequest::AppShow { app: name.app },
                AppCommand::RotateSecret(name) => AdminRequest::AppRotateSecret { app: name.app },
                AppCommand::Delete(name) => AdminRequest::AppDelete { app: name.app },
            };
            administer(&args.data, request, environment, backend, terminal).await
        }
        Some(Command::Token(args)) => {
            let TokenCommand::Issue { name, ttl } = args.command;
            let request = AdminRequest::TokenIssue { app: name.app, ttl_seconds: ttl };
            administer(&args.data, request, environment, backend, terminal).await
        }
        Some(Command::Callback(args)) => callback::run(args, environment, backend, terminal).await,
        Some(Command::Export(args)) => {
            let Some(config) = load_data(&args.data, environment, terminal) else { return WRONG };
            let done = transfer::export(&args, &config, backend, terminal).await;
            ended(done, terminal)
        }
        Some(Command::Import(args)) => {
            let Some(config) = load_data(&args.data, environment, terminal) else { return WRONG };
            let done = transfer::import(&args, &config, backend, terminal).await;
            ended(done, terminal)
        }
        Some(Command::Migrate(args)) => migrate(&args, environment, backend, terminal).await,
        Some(Command::CheckConfig(args)) => check_config(&args, environment, terminal),
        Some(Command::Version) => {
            printed(concat!("chatroom-server ", env!("CARGO_PKG_VERSION"), "\n"), terminal)
        }
    }
}

async fn serve(
    args: ServeArgs,
    environment: Environment,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> u8 {
    let Some(loaded) = load(args.layers.config.as_deref(), environment, &args.layers.overlay(), terminal)
    else {
        return WRONG;
    };
    if let Err(error) = logging::init(&loaded.config.log) {
        terminal.note(&format!("error: {error}"));
        return FAILED;
    }
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let serve = Serve { config: loaded.config, public_demo: args.public_demo };
    let served = backend.serve(serve, terminal).await;
    ended(served, terminal)
}

async fn migrate(
    args: &MigrateArgs,
    environment: Environment,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> u8 {
    let Some(loaded) = load(args.config.as_deref(), environment, &Overlay::default(), terminal) else {
        return WRONG;
    };
    match backend.migrate(&loaded.config).await {
        Ok((before, after)) if before == after => {
            printed(&format!("the database has schema {after} already\n"), terminal)
        }
        Ok((before, after)) => {
            printed(&format!("the database had schema {before} and has schema {after} now\n"), terminal)
        }
        Err(error) => failed(&format!("{error:#}"), terminal),
    }
}

async fn administer(
    args: &DataArgs,
    request: AdminRequest,
    environment: Environment,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> u8 {
    let admin = match administrator(args, environment, backend, terminal).await {
        Ok(admin) => admin,
        Err(code) => return code,
    };
    let reply = admin.run(request).await;
    admin.close().await;
    match reply {
        Ok(reply) => say(&render::reply(&reply), terminal),
        Err(error) => failed(&error.to_string(), terminal),
    }
}

/// Who carries out commands on the data that the configuration names.
///
/// # Errors
/// The exit status, if there is nobody; why was said.
pub(super) async fn administrator(
    args: &DataArgs,
    environment: Environment,
    backend: &dyn Backend,
    terminal: &mut Terminal,
) -> Result<Box<dyn Admin>, u8> {
    let config = load_data(args, environment, terminal).ok_or(WRONG)?;
    let admin = admin(&config, backend).await;
    admin.map_err(|error| failed(&error.to_string(), terminal))
}

/// The running server if one answers, else the opened store.
async fn admin(config: &Config, backend: &dyn Backend) -> Result<Box<dyn Admin>, AdminError> {
    if config.store.kind == StoreKind::Postgres {
        return backend.open_admin(config).await;
    }
    let Some(data_dir) = config.data_dir() else {
        return Err(AdminError::Failed(
            "the memory store keeps nothing that a command could work on: declare apps in the configuration with \
             `[[apps]]`, or give `--data-dir`"
                .to_owned(),
        ));
    };
    match ControlClient::connect(data_dir).await {
        Ok(Some(server)) => Ok(Box::new(server)),
        Ok(None) => backend.open_admin(config).await,
        Err(error) => Err(AdminError::failed(error)),
    }
}

fn check_config(args: &LayerArgs, environment: Environment, terminal: &mut Terminal) -> u8 {
    let Some(loaded) = load(args.config.as_deref(), environment, &args.overlay(), terminal) else {
        return WRONG;
    };
    for warning in &loaded.warnings {
        terminal.note(&format!("warning: {warning}"));
    }
    let code = printed(&loaded.config.to_toml(), terminal);
    if code == 0 {
        terminal.note("ok");
    }
    code
}

/// What a command that works on data goes by.
fn load_data(args: &DataArgs, environment: Environment, terminal: &mut Terminal) -> Option<Config> {
    load(args.config.as_deref(), environment, &args.overlay(), terminal).map(|loaded| loaded.config)
}

fn load(
    file: Option<&Path>,
    environment: Environment,
    overlay: &Overlay,
    terminal: &mut Terminal,
) -> Option<Loaded> {
    match Config::load(file, environment, overlay) {
        Ok(loaded) => Some(loaded),
        Err(errors) => {
            terminal.note(&errors.to_string());
            None
        }
    }
}

/// Says all of a text, and how the command ends with it.
pub(super) fn say(text: &Text, terminal: &mut Terminal) -> u8 {
    let code = printed(&text.out, terminal);
    if let Some(warning) = &text.warning {
        terminal.note(&format!("warning: {warning}"));
    }
    if let Some(aside) = text.aside.as_ref().filter(|_| terminal.is_interactive()) {
        terminal.note(aside);
    }
    text.failure.as_ref().map_or(code, |why| failed(why, terminal))
}

pub(super) fn printed(text: &str, terminal: &mut Terminal) -> u8 {
    match terminal.print(text) {
        Ok(()) => 0,
        Err(error) => failed(&format!("the output could not be written: {error}"), terminal),
    }
}

fn ended(done: anyhow::Result<()>, terminal: &mut Terminal) -> u8 {
    match done {
        Ok(()) => 0,
        Err(error) => failed(&format!("{error:#}"), terminal),
    }
}

pub(super) fn failed(why: &str, terminal: &mut Terminal) -> u8 {
    terminal.note(&format!("error: {why}"));
    FAILED
}
