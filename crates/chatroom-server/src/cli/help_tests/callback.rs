//! The `callback` commands.

use super::help;

#[test]
fn the_help_of_callback() {
    insta::assert_snapshot!(help(&["callback"]), @"
    Make, show, change and remove rules of callbacks, and see to deliveries

    A rule says where events of an app are posted to, which of them, and with which secret they are
    signed. These commands work through a server that runs on the data directory; when none runs, they
    open the directory themselves. Rules that the configuration declares can be shown and tried, not
    changed.

    Usage: chatroom-server callback [OPTIONS] <COMMAND>

    Commands:
      add            Make a rule; prints its secret, unless you give one
      list           List the rules of an app
      show           Show a rule
      enable         Let a rule deliver, from where it was
      disable        Let a rule deliver no more; what happens waits for it as long as events are kept
      remove         Remove a rule and all that waits for it; this cannot be undone
      rotate-secret  Make a new secret and print it; the old one signs beside it for 24 hours
      test           Post a sample event to a rule's URL and print what comes back
      status         Show how deliveries are doing: how far behind, the last failure, the last success
      dead-letters   List the events that were given up or lost
      replay         Tell a rule something again
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
fn the_help_of_callback_add() {
    insta::assert_snapshot!(help(&["callback", "add"]), @"
    Make a rule; prints its secret, unless you give one

    Usage: chatroom-server callback add [OPTIONS] --app <ORG/APP> <NAME> <URL>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

      <URL>
              Where events are posted to: http:// or https://, at an address that is public or that
              `callback.allow_networks` allows

    Options:
          --app <ORG/APP>
              The app, as ORG/APP or ORG#APP

          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

          --events <KINDS>
              Only these kinds: CREATE, JOIN, LEAVE, DELETE, or one of JOIN/DIRECT, LEAVE/KICK,
              LEAVE/QUIT, LEAVE/DELETE; separated by commas

          --rooms <IDS>
              Only these rooms, by their ids; separated by commas

          --secret-file <FILE>
              Sign with the secret in this file, which holds nothing else [default: a new one is made]

          --disabled
              Do not deliver until `callback enable` says so

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      chatroom-server callback add room_events https://example.com/hook --app demo/chat
      chatroom-server callback add kicks https://example.com/hook --app demo/chat --events LEAVE/KICK
      chatroom-server callback add own https://example.com/hook --app demo/chat --secret-file own.key
    ");
}

#[test]
fn the_help_of_callback_replay() {
    insta::assert_snapshot!(help(&["callback", "replay"]), @"
    Tell a rule something again

    Each room's events are told again in their order, before the room goes on, with the ids that they
    had. What was not told yet will be told anyhow, and is not told twice. Events that are no longer
    kept cannot be told again.

    Usage: chatroom-server callback replay [OPTIONS] --app <ORG/APP> <--room <ID>|--since <TIME>|--dead-letters> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Options:
          --app <ORG/APP>
              The app, as ORG/APP or ORG#APP

          --config <FILE>
              Read this configuration file (TOML); without it, no file is read

          --data-dir <DIR>
              Work on the data in this directory [default: what the configuration says, else ./data]

          --room <ID>
              All that is kept of this room, or one event of it

          --seq <N>
              The event with this sequence number

          --since <TIME>
              What happened in all rooms from this time on, such as 2026-11-26T10:00:00Z

          --until <TIME>
              And before this time [default: now]

          --dead-letters
              All dead letters whose events are kept

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      chatroom-server callback replay room_events --app demo/chat --dead-letters
      chatroom-server callback replay room_events --app demo/chat --room 217587034000512
      chatroom-server callback replay room_events --app demo/chat --room 217587034000512 --seq 7
      chatroom-server callback replay room_events --app demo/chat --since 2026-11-26T09:00:00Z
    ");
}

#[test]
fn the_help_of_the_other_callback_commands_begins_with_what_they_do_and_take() {
    let all =
        ["list", "show", "enable", "disable", "remove", "rotate-secret", "test", "status", "dead-letters"];
    let heads = all.map(|name| {
        let text = help(&["callback", name]);
        text.split("Options:").next().unwrap().to_owned()
    });
    insta::assert_snapshot!(heads.join(""), @"
    List the rules of an app

    Usage: chatroom-server callback list [OPTIONS] --app <ORG/APP>

    Show a rule

    Usage: chatroom-server callback show [OPTIONS] --app <ORG/APP> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Let a rule deliver, from where it was

    Usage: chatroom-server callback enable [OPTIONS] --app <ORG/APP> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Let a rule deliver no more; what happens waits for it as long as events are kept

    Usage: chatroom-server callback disable [OPTIONS] --app <ORG/APP> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Remove a rule and all that waits for it; this cannot be undone

    Usage: chatroom-server callback remove [OPTIONS] --app <ORG/APP> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Make a new secret and print it; the old one signs beside it for 24 hours

    Usage: chatroom-server callback rotate-secret [OPTIONS] --app <ORG/APP> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Post a sample event to a rule's URL and print what comes back

    The event is signed as all are. It tells of a removal from a room that no app has, has an id of its
    own, and is not in any log. The exit status is 1 if the receiver did not take it.

    Usage: chatroom-server callback test [OPTIONS] --app <ORG/APP> <NAME>

    Arguments:
      <NAME>
              The rule: 1 to 32 letters, digits and underscores

    Show how deliveries are doing: how far behind, the last failure, the last success

    Usage: chatroom-server callback status [OPTIONS] --app <ORG/APP> [NAME]

    Arguments:
      [NAME]
              The rule; without it, all of the app

    List the events that were given up or lost

    Usage: chatroom-server callback dead-letters [OPTIONS] --app <ORG/APP> [NAME]

    Arguments:
      [NAME]
              The rule; without it, all of the app
    ");
}
