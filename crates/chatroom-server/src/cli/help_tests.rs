//! What `--help` says, word for word: people read it, so a change of it is looked at.

mod callback;

use clap::CommandFactory;

use super::Cli;

/// The long help of a subcommand, 100 columns wide, without the spaces at the ends of lines.
fn help(path: &[&str]) -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let found = path.iter().fold(&mut command, |command, name| {
        command.find_subcommand_mut(name).expect("the subcommand exists")
    });
    found.render_long_help().to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn the_help_of_the_binary() {
    insta::assert_snapshot!(help(&[]), @"
    A chatroom-membership server that speaks the REST API of Easemob IM

    Without a subcommand it serves. The first start makes a demo app with a room and some members, and
    prints `curl` lines that work when pasted.

    Usage: chatroom-server [OPTIONS]
           chatroom-server <COMMAND>

    Commands:
      serve         Serve (what happens without a subcommand)
      app           Make, list, show, change and delete apps
      token         Make app tokens
      callback      Make, show, change and remove rules of callbacks, and see to deliveries
      export        Write everything that the store holds to a file, while a server runs or not
      import        Read an export into an empty store, on which no server runs
      migrate       Bring the schema of the PostgreSQL database up to this version, while servers run or
                    not
      check-config  Read the configuration and print what is in force, or what is wrong with it
      version       Print the version
      help          Print this message or the help of the given subcommand(s)

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --listen <ADDRESS>
              Listen here: 127.0.0.1:8080, [::1]:8080 or unix:PATH; may be repeated

          --data-dir <DIR>
              Keep the data in this directory [default: what the configuration says, else ./data]

          --ephemeral
              Keep everything in memory and leave nothing behind

          --public-demo
              Let the demo app be reached from other machines

              Its credentials are generated, yet it is there without anybody having asked for it: while
              it exists, the server refuses to listen on anything but loopback unless this flag is
              given.

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

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
      0 when it was done, 1 when it failed, 2 when the command line or the configuration is wrong.
    ");
}

#[test]
fn the_help_of_serve() {
    insta::assert_snapshot!(help(&["serve"]), @"
    Serve (what happens without a subcommand)

    Usage: chatroom-server serve [OPTIONS]

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --listen <ADDRESS>
              Listen here: 127.0.0.1:8080, [::1]:8080 or unix:PATH; may be repeated

          --data-dir <DIR>
              Keep the data in this directory [default: what the configuration says, else ./data]

          --ephemeral
              Keep everything in memory and leave nothing behind

          --public-demo
              Let the demo app be reached from other machines

              Its credentials are generated, yet it is there without anybody having asked for it: while
              it exists, the server refuses to listen on anything but loopback unless this flag is
              given.

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      chatroom-server serve --config chatroom.toml
      chatroom-server serve --listen '[::1]:8080' --data-dir /var/lib/chatroom
      CHATROOM__LISTEN=127.0.0.1:9000,unix:/run/chatroom.sock chatroom-server serve
    ");
}

#[test]
fn the_help_of_export() {
    insta::assert_snapshot!(help(&["export"]), @"
    Write everything that the store holds to a file, while a server runs or not

    The export is of one moment. It is the online backup, and what `import` takes, into a store of the
    same kind or of another. It holds secrets: digests of client secrets, keys of tokens, secrets of
    callbacks. The file is readable by its owner only.

    Usage: chatroom-server export [OPTIONS]

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

          --to <FILE>
              Write to this file, which is there when it is complete; `-` is standard output

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      chatroom-server export --to backup.ndjson
      chatroom-server export --config chatroom.toml | zstd > backup.ndjson.zst
    ");
}

#[test]
fn the_help_of_import() {
    insta::assert_snapshot!(help(&["import"]), @"
    Read an export into an empty store, on which no server runs

    An import that was interrupted goes on where it stopped when it is run again. Until it is finished,
    nothing is served from the store. At the end, everything is read back and held against the export.

    Usage: chatroom-server import [OPTIONS] <FILE>

    Arguments:
      <FILE>
              Read this file; `-` is standard input

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      chatroom-server import backup.ndjson --data-dir restored
      zstd -d < backup.ndjson.zst | chatroom-server import - --config chatroom.toml
    ");
}

#[test]
fn the_help_of_app() {
    insta::assert_snapshot!(help(&["app"]), @"
    Make, list, show, change and delete apps

    These commands work through a server that runs on the data directory; when none runs, they open the
    directory themselves. On PostgreSQL they work on the database, whether or not servers run, which
    follow within a second. Apps that the configuration declares can be shown, not changed.

    Usage: chatroom-server app [OPTIONS] <COMMAND>

    Commands:
      create         Make an app; prints its client id and its secret, which is not shown again
      list           List all apps
      show           Show an app, with its client id
      rotate-secret  Replace the client secret of an app; tokens of the old one stop working within a
                     second
      delete         Delete an app with all its rooms and users; this cannot be undone
      help           Print this message or the help of the given subcommand(s)

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

      -h, --help
              Print help (see a summary with '-h')
    ");
}

#[test]
fn the_help_of_app_create() {
    insta::assert_snapshot!(help(&["app", "create"]), @"
    Make an app; prints its client id and its secret, which is not shown again

    Usage: chatroom-server app create [OPTIONS] <ORG/APP>

    Arguments:
      <ORG/APP>
              The app, as ORG/APP or ORG#APP

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

      -h, --help
              Print help (see a summary with '-h')

    Example:
      chatroom-server app create acme/support
    ");
}

#[test]
fn the_help_of_token_issue() {
    insta::assert_snapshot!(help(&["token", "issue"]), @r#"
    Make an app token and print it, alone on its line

    Usage: chatroom-server token issue [OPTIONS] <ORG/APP>

    Arguments:
      <ORG/APP>
              The app, as ORG/APP or ORG#APP

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --ttl <DURATION>
              How long it is valid, such as 3600s, 12h or 7d; 0s means for ever [default: as for POST
              …/token]

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      chatroom-server token issue demo/chat --ttl 12h
      TOKEN=$(chatroom-server token issue demo/chat)
      curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/demo/chat/chatrooms
    "#);
}

#[test]
fn the_help_of_check_config() {
    insta::assert_snapshot!(help(&["check-config"]), @"
    Read the configuration and print what is in force, or what is wrong with it

    Takes the file, the environment and the flags as `serve` does. Standard output gets the
    configuration as TOML, with secrets redacted. If something is wrong, standard error gets one line
    for each error, and the exit status is 2.

    Usage: chatroom-server check-config [OPTIONS]

    Options:
          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --listen <ADDRESS>
              Listen here: 127.0.0.1:8080, [::1]:8080 or unix:PATH; may be repeated

          --data-dir <DIR>
              Keep the data in this directory [default: what the configuration says, else ./data]

          --ephemeral
              Keep everything in memory and leave nothing behind

      -h, --help
              Print help (see a summary with '-h')
    ");
}

#[test]
fn the_command_line_is_put_together_without_contradictions() {
    Cli::command().debug_assert();
}
