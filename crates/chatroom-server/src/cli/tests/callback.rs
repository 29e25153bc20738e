//! The `callback` commands, answered by a fake.

mod answers;

use super::*;

pub(super) use answers::answer;

async fn callback(line: &[&str]) -> Said {
    let dir = tempfile::tempdir().unwrap();
    let line: Vec<_> = ["callback"].iter().chain(line).chain(&["--app", "demo/chat"]).copied().collect();
    run(&in_dir(dir.path(), &line)).await
}

async fn out(line: &[&str]) -> String {
    let said = callback(line).await;
    assert_eq!(said.code, 0, "{said:?}");
    said.out
}

#[tokio::test]
async fn a_new_rule_is_printed_with_its_secret() {
    let said = callback(&["add", "hook", "https://nowhere.test/"]).await;
    assert_eq!(said.code, 0);
    insta::assert_snapshot!(said.out, @"
    made the rule hook of demo#chat
    url         https://nowhere.test/
    events      all
    rooms       all
    state       enabled
    made        2024-10-21T08:04:56Z
    secret      whsec_c2VjcmV0
    ");
    insta::assert_snapshot!(said.err, @"
    warning: the host of the URL cannot be found now: no such host
    `chatroom-server callback test hook --app demo/chat` tries it out
    ");
}

#[tokio::test]
async fn what_a_new_rule_is_like_is_read_from_its_options() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    std::fs::write(&secret, "of my own\n").unwrap();
    let file = secret.to_str().unwrap();
    let line =
        ["add", "hook", "https://example.com/", "--events", "LEAVE/KICK,join", "--rooms", "123456789012345"];
    let said = callback(&[&line[..], &["--secret-file", file, "--disabled"]].concat()).await;
    insta::assert_snapshot!(said.out, @"
    made the rule hook of demo#chat
    url         https://example.com/
    events      JOIN/DIRECT, LEAVE/KICK
    rooms       123456789012345
    state       disabled
    made        2024-10-21T08:04:56Z
    ");
    let warning = format!("warning: {file} holds a secret and can be read by others; `chmod 600` it\n");
    assert!(said.err.starts_with(&warning), "{}", said.err);
}

#[tokio::test]
async fn a_secret_file_that_is_none_ends_the_command_with_two() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "\n").unwrap();
    let large = dir.path().join("large");
    std::fs::write(&large, "x".repeat(100_000)).unwrap();
    for (file, why) in [
        (dir.path().join("absent"), "cannot be read: No such file or directory (os error 2)"),
        (empty, "is empty"),
        (large, "is too long for a secret"),
    ] {
        let file = file.to_str().unwrap();
        let said = callback(&["add", "hook", "https://example.com/", "--secret-file", file]).await;
        assert_eq!((said.code, said.err), (2, format!("error: {file} {why}\n")));
    }
}

#[tokio::test]
async fn rules_are_listed_as_a_table() {
    insta::assert_snapshot!(out(&["list"]).await, @"
    NAME         STATE                                              EVENTS      ROOMS  URL
    room_events  enabled                                            all         all    https://example.com/hook
    audit        disabled, no longer declared in the configuration  LEAVE/KICK  2      https://example.com/hook
    ");
    let dir = tempfile::tempdir().unwrap();
    let said = run(&in_dir(dir.path(), &["callback", "list", "--app", "empty#app"])).await;
    assert_eq!((said.code, said.out.as_str()), (0, ""));
    insta::assert_snapshot!(said.err, @"there are no rules; `chatroom-server callback add NAME URL --app empty/app` makes one");
}

#[tokio::test]
async fn a_rule_is_shown_without_its_secrets_unless_they_are_asked_for() {
    insta::assert_snapshot!(out(&["show", "hook"]).await, @"
    rule        hook
    url         https://example.com/hook
    events      all
    rooms       all
    state       enabled
    made        2024-10-21T08:04:56Z
    rotation    the old secret signs too until 2024-10-22T08:04:56Z
    ");
    let with = out(&["show", "hook", "--with-secrets"]).await;
    insta::assert_snapshot!(with.lines().skip(7).collect::<Vec<_>>().join("\n"), @"
    secret      whsec_c2VjcmV0
    old secret  the old one
    ");
}

#[tokio::test]
async fn a_rule_that_is_changed_is_shown_as_it_is_now() {
    assert!(out(&["enable", "hook"]).await.contains("state       enabled\n"));
    assert!(out(&["disable", "hook"]).await.contains("state       disabled\n"));
    assert_eq!(out(&["remove", "hook"]).await, "removed the rule hook of demo#chat\n");
    let finished = out(&["rotate-secret", "hook", "--finish"]).await;
    assert!(!finished.contains("rotation") && !finished.contains("whsec_"), "{finished}");
}

#[tokio::test]
async fn a_rotation_prints_the_new_secret_and_how_to_end_it() {
    let said = callback(&["rotate-secret", "hook"]).await;
    insta::assert_snapshot!(said.out, @"
    made a new secret for hook
    url         https://example.com/hook
    events      all
    rooms       all
    state       enabled
    made        2024-10-21T08:04:56Z
    rotation    the old secret signs too until 2024-10-22T08:04:56Z
    secret      whsec_c2VjcmV0
    ");
    insta::assert_snapshot!(said.err, @"when the receiver has the new one: `chatroom-server callback rotate-secret hook --finish --app demo/chat`");
}

#[tokio::test]
async fn a_test_prints_what_came_back_and_nothing_of_it_steers_the_terminal() {
    let taken = callback(&["test", "hook"]).await;
    assert_eq!((taken.code, taken.err.as_str()), (0, ""));
    insta::assert_snapshot!(taken.out, @r#"
    event       01900000-0000-7000-8000-123456780000
    answered    200 OK, after 12 ms
    body        {"ok":"ä"}\r\n\u{1b}[2J\u{202e} …
    "#);
    let moved = callback(&["test", "moved"]).await;
    assert_eq!(moved.code, 1);
    insta::assert_snapshot!(moved.out, @"
    event       01900000-0000-7000-8000-123456780000
    answered    301 Moved Permanently, after 3 ms
    body        empty
    ");
    insta::assert_snapshot!(moved.err, @"error: the receiver did not take the sample event: answered 301 Moved Permanently (redirects are not followed)");
    let dead = callback(&["test", "dead"]).await;
    assert_eq!(dead.code, 1);
    insta::assert_snapshot!(dead.out, @"event       01900000-0000-7000-8000-123456780000");
    insta::assert_snapshot!(dead.err, @"error: the receiver did not take the sample event: cannot connect: Connection refused");
}

#[tokio::test]
async fn a_status_is_a_block_for_each_rule() {
    let said = callback(&["status"]).await;
    insta::assert_snapshot!(said.out, @"
    rule          room_events
    url           https://example.com/hook
    state         paused for 1h after 25 failures in a row; probed again in 35s
    behind        12000 events in 37 rooms, for 3h 12s
    last failure  1m 1s ago: answered 503 Service Unavailable (25 in a row)
    last success  2h ago
    dead letters  11
    lost ranges   3

    rule          audit
    url           https://example.com/hook
    state         disabled
    behind        1 event in 1 room, for 0s
    last failure  0s ago: no answer within 10s (taken since then)
    last success  none is known
    dead letters  0
    lost ranges   0
    ");
    insta::assert_snapshot!(said.err, @"`chatroom-server callback dead-letters --app demo/chat` lists what is dead or lost");
    insta::assert_snapshot!(out(&["status", "hook"]).await, @"
    rule          hook
    url           https://example.com/hook
    state         delivering
    behind        nothing waits
    last failure  none is known
    last success  none is known
    dead letters  0
    lost ranges   0
    ");
}

#[tokio::test]
async fn dead_letters_are_printed_page_by_page_under_one_head() {
    insta::assert_snapshot!(out(&["dead-letters"]).await, @"
    SINCE                 RULE          ROOM             EVENTS       WHY
    2024-10-21T08:04:56Z  hook          123456789012345  7            answered 500 Internal Server Error
    2024-10-21T08:04:56Z  hook          123456789012345  9            answered 500 Internal Server Error
    2024-10-21T08:04:56Z  hook          123456789012345  10-12345     lost: no longer kept when its turn came
    ");
    let none = callback(&["dead-letters", "hook"]).await;
    assert_eq!((none.code, none.out.as_str(), none.err.as_str()), (0, "", "there are no dead letters\n"));
}

#[tokio::test]
async fn a_walk_over_many_rooms_says_how_far_it_is() {
    let times = ["--since", "2024-10-21T08:04:56Z", "--until", "2024-10-21T11:04:56+02:00"];
    let said = callback(&[&["replay", "hook"], &times[..]].concat()).await;
    assert_eq!((said.code, said.out.as_str()), (0, "15 events are told again\n"));
    insta::assert_snapshot!(said.err, @"
    looked at 16000 so far: 10 events to tell again
    looked at 24000 so far: 15 events to tell again
    ");
    let broken = callback(&[&["replay", "broken"], &times[..]].concat()).await;
    assert_eq!((broken.code, broken.out.as_str()), (1, ""));
    insta::assert_snapshot!(broken.err, @"
    looked at 16000 so far: 10 events to tell again
    10 events are told again; the command broke off there and may be repeated, which tells them once more
    error: the disk is gone
    ");
    let empty = ["replay", "hook", "--since", "2024-10-21T08:04:56Z", "--until", "2024-10-21T08:04:56Z"];
    let said = callback(&empty).await;
    assert_eq!((said.code, said.err.as_str()), (2, "error: `--until` must be later than `--since`\n"));
}

#[tokio::test]
async fn what_should_be_known_of_a_replay_is_told_beside_it() {
    let one = callback(&["replay", "hook", "--room", "123456789012345", "--seq", "7"]).await;
    assert_eq!((one.code, one.out.as_str(), one.err.as_str()), (0, "1 event is told again\n", ""));
    let nothing = callback(&["replay", "nothing", "--room", "123456789012345"]).await;
    assert_eq!(nothing.out, "nothing is told again\n");
    insta::assert_snapshot!(nothing.err, @"note: what was not told yet is told anyhow");
    insta::assert_snapshot!(callback(&["replay", "hook", "--dead-letters"]).await.err, @"
    note: 2 events are dead and no longer kept: they cannot be told again
    note: the rule does not want every kind of event: some of these may be passed over
    note: the rule does not deliver: they wait until it is enabled
    ");
}

#[test]
fn what_the_callback_commands_do_not_take_is_said() {
    let of = |line: &[&'static str]| refused(&[&["callback"], line, &["--app", "demo/chat"]].concat());
    insta::assert_snapshot!(refused(&["callback", "list"]), @"
    error: the following required arguments were not provided:
      --app <ORG/APP>

    Usage: chatroom-server callback list --app <ORG/APP>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["add", "room-events", "https://example.com/"]), @"
    error: invalid value 'room-events' for '<NAME>': `room-events` is not a rule's name: use 1 to 32 letters, digits and underscores

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["add", "hook", "https://example.com/", "--events", "KICK"]), @"
    error: invalid value 'KICK' for '--events <KINDS>': `KICK` is no kind of event: use CREATE, JOIN, LEAVE, DELETE, or one of JOIN/DIRECT, LEAVE/KICK, LEAVE/QUIT, LEAVE/DELETE

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["add", "hook", "https://example.com/", "--rooms", "1"]), @"
    error: invalid value '1' for '--rooms <IDS>': a chatroom id is a decimal number of 15 digits

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["replay", "hook"]), @"
    error: the following required arguments were not provided:
      <--room <ID>|--since <TIME>|--dead-letters>

    Usage: chatroom-server callback replay --app <ORG/APP> <--room <ID>|--since <TIME>|--dead-letters> <NAME>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["replay", "hook", "--seq", "7"]), @"
    error: the following required arguments were not provided:
      <--room <ID>|--since <TIME>|--dead-letters>

    Usage: chatroom-server callback replay --app <ORG/APP> --seq <N> <--room <ID>|--since <TIME>|--dead-letters> <NAME>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["replay", "hook", "--room", "123456789012345", "--seq", "0"]), @"
    error: invalid value '0' for '--seq <N>': 0 is not in 1..18446744073709551615

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["replay", "hook", "--dead-letters", "--since", "2024-10-21T08:04:56Z"]), @"
    error: the argument '--dead-letters' cannot be used with '--since <TIME>'

    Usage: chatroom-server callback replay --app <ORG/APP> <--room <ID>|--since <TIME>|--dead-letters> <NAME>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["replay", "hook", "--since", "yesterday"]), @"
    error: invalid value 'yesterday' for '--since <TIME>': write a time with its offset from UTC, such as `2026-11-26T10:00:00Z` or `2026-11-26T18:00:00+08:00`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(of(&["replay", "hook", "--until", "2024-10-21T08:04:56Z"]), @"
    error: the following required arguments were not provided:
      <--room <ID>|--since <TIME>|--dead-letters>

    Usage: chatroom-server callback replay --app <ORG/APP> --until <TIME> <--room <ID>|--since <TIME>|--dead-letters> <NAME>

    For more information, try '--help'.
    ");
}
