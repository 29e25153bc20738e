//! Replies about rules, for people who read a terminal.

use chatroom_core::AppKey;
use http::StatusCode;

use super::super::render::Text;
use super::super::table::Table;
use super::super::time;
use super::{replay, status};
use crate::admin::{Attempt, CallbackReply, RuleSecretsView, RuleView, Shown, StateView};

pub(super) fn reply(app: &AppKey, reply: &CallbackReply) -> Text {
    let of = format!("--app {}/{}", app.org(), app.app());
    match reply {
        CallbackReply::Added { rule, secret, unresolved } => Text {
            out: format!("made the rule {} of {app}\n{}{}", rule.name, fields(rule), given(secret.as_ref())),
            warning: unresolved.as_ref().map(|why| format!("the host of the URL cannot be found now: {why}")),
            aside: Some(format!("`chatroom-server callback test {} {of}` tries it out", rule.name)),
            failure: None,
        },
        CallbackReply::Rules(rules) if rules.is_empty() => nothing(&of),
        CallbackReply::Rules(rules) => out(table(rules)),
        CallbackReply::Rule { rule, secrets } => {
            let secrets = secrets.as_ref().map(|secrets| shown(rule, secrets)).unwrap_or_default();
            out(format!("rule        {}\n{}{secrets}", rule.name, fields(rule)))
        }
        CallbackReply::Changed(rule) => out(format!("rule        {}\n{}", rule.name, fields(rule))),
        CallbackReply::Removed { name } => out(format!("removed the rule {name} of {app}\n")),
        CallbackReply::SecretRotated { rule, secret } => Text {
            out: format!("made a new secret for {}\n{}{}", rule.name, fields(rule), given(Some(secret))),
            aside: Some(format!(
                "when the receiver has the new one: `chatroom-server callback rotate-secret {} --finish {of}`",
                rule.name
            )),
            ..Text::default()
        },
        CallbackReply::Tried { event, attempt } => tried(event, attempt),
        CallbackReply::Statuses { rules, .. } if rules.is_empty() => nothing(&of),
        CallbackReply::Statuses { now, rules } => {
            let blocks: Vec<_> = rules.iter().map(|rule| status::block(rule, *now)).collect();
            let some = rules.iter().find(|rule| rule.dead_letters > 0);
            Text {
                out: blocks.join("\n"),
                aside: some.map(|_| {
                    format!("`chatroom-server callback dead-letters {of}` lists what is dead or lost")
                }),
                ..Text::default()
            }
        }
        CallbackReply::DeadLetters { letters, .. } => out(status::Letters::new().page(letters)),
        CallbackReply::Replayed(replayed) => out(replay::told_again(replayed)),
    }
}

fn out(out: String) -> Text {
    Text { out, ..Text::default() }
}

fn nothing(of: &str) -> Text {
    let aside = format!("there are no rules; `chatroom-server callback add NAME URL {of}` makes one");
    Text { aside: Some(aside), ..Text::default() }
}

fn fields(rule: &RuleView) -> String {
    let rotation = rule.rotating_until.map_or_else(String::new, |until| {
        format!("rotation    the old secret signs too until {}\n", time::shown(until))
    });
    format!(
        "url         {}\nevents      {}\nrooms       {}\nstate       {}\nmade        {}\n{rotation}",
        rule.url,
        listed(rule.events.as_deref()),
        listed(rule.rooms.as_deref()),
        state(rule),
        time::shown(rule.created),
    )
}

fn listed(some: Option<&[String]>) -> String {
    some.map_or_else(|| "all".to_owned(), |some| some.join(", "))
}

fn given(secret: Option<&Shown>) -> String {
    secret.map_or_else(String::new, |secret| format!("secret      {}\n", secret.expose()))
}

fn shown(rule: &RuleView, secrets: &RuleSecretsView) -> String {
    let outgoing = secrets.outgoing.as_ref().zip(rule.rotating_until);
    let outgoing =
        outgoing.map_or_else(String::new, |(secret, _)| format!("old secret  {}\n", secret.expose()));
    format!("{}{outgoing}", given(Some(&secrets.newest)))
}

pub(super) fn state(rule: &RuleView) -> &'static str {
    match (rule.state, rule.declared) {
        (StateView::Enabled, true) => "enabled, declared in the configuration",
        (StateView::Enabled, false) => "enabled",
        (StateView::Disabled, true) => "disabled, declared in the configuration",
        (StateView::Disabled, false) => "disabled",
        (StateView::Retired, _) => "disabled, no longer declared in the configuration",
    }
}

fn table(rules: &[RuleView]) -> String {
    let mut rows = vec![["NAME", "STATE", "EVENTS", "ROOMS", "URL"].map(str::to_owned)];
    rows.extend(rules.iter().map(|rule| {
        let rooms = rule.rooms.as_ref().map_or_else(|| "all".to_owned(), |rooms| rooms.len().to_string());
        let events = rule.events.as_ref().map_or_else(|| "all".to_owned(), |events| events.join(","));
        [rule.name.to_string(), state(rule).to_owned(), events, rooms, rule.url.clone()]
    }));
    Table::of([0; 5]).lines(&rows)
}

fn tried(event: &str, attempt: &Attempt) -> Text {
    let head = format!("event       {event}\n");
    let not_taken = |why: &str| Some(format!("the receiver did not take the sample event: {why}"));
    match attempt {
        Attempt::Failed(why) => Text { out: head, failure: not_taken(why), ..Text::default() },
        Attempt::Answered { status, not_taken: why, took, beginning, more } => {
            let body = match (beginning.as_str(), more) {
                ("", _) => "empty".to_owned(),
                (beginning, false) => printable(beginning),
                (beginning, true) => format!("{} …", printable(beginning)),
            };
            Text {
                out: format!("{head}answered    {}, after {took} ms\nbody        {body}\n", named(*status)),
                failure: why.as_ref().and_then(|why| not_taken(why)),
                ..Text::default()
            }
        }
    }
}

/// A status with its name, if it has one.
fn named(status: u16) -> String {
    let name = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    name.map_or_else(|| status.to_string(), |name| format!("{status} {name}"))
}

/// A text of somebody else, on one line: it must not be able to steer the terminal.
fn printable(text: &str) -> String {
    let one =
        |c: char| if matches!(c, '"' | '\'' | '\\') { c.to_string() } else { c.escape_debug().to_string() };
    text.chars().map(one).collect()
}

pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
