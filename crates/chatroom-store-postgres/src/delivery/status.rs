//! How rules are doing, as the courier of their app says, for the other nodes.

use std::sync::Arc;
use std::time::Duration;

use chatroom_core::{AppId, Failing, Rule, RuleHealth, RuleStatus, StorageError, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::courier::{Courier, State, run};
use crate::error::corrupt;
use crate::numbers;
use crate::session::{Session, call};

/// How often it is said.
const SHOW: Duration = Duration::from_secs(1);

const SHOWN: &str = "\
    INSERT INTO rule_states (app, rule, state) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) \
    ON CONFLICT (app, rule) DO UPDATE SET state = EXCLUDED.state";

impl Courier {
    /// Says how the rules here are doing, if that changed since it was last said.
    pub(super) async fn show(&self, session: &mut Session, state: &mut State) -> Result<(), StorageError> {
        let due = state
            .apps
            .iter()
            .filter(|(_, held)| held.shown.as_ref().is_none_or(|(at, _)| at.elapsed() >= SHOW));
        let due: Vec<AppId> = due.map(|(app, _)| *app).collect();
        for app in due {
            let statuses = state.backlog.statuses(app);
            let said: Vec<_> = statuses.iter().map(|status| (status.rule.id, encode(status))).collect();
            let Some(held) = state.apps.get_mut(&app) else { continue };
            let before = held.shown.replace((Instant::now(), said.clone()));
            if before.is_some_and(|(_, before)| before == said) || said.is_empty() {
                continue;
            }
            let apps: Vec<Uuid> = said.iter().map(|_| numbers::app(app)).collect();
            let (rules, states): (Vec<Uuid>, Vec<Vec<u8>>) =
                said.into_iter().map(|(rule, said)| (numbers::rule(rule), said)).unzip();
            run(session, vec![call!(SHOWN, apps, rules, states)]).await?;
        }
        Ok(())
    }
}

fn encode(status: &RuleStatus) -> Vec<u8> {
    let millis = |at: Timestamp| at.as_millis();
    let health = match status.health {
        RuleHealth::Delivering => json!("delivering"),
        RuleHealth::Paused { since, next_probe } => json!([millis(since), millis(next_probe)]),
        RuleHealth::Off => json!("off"),
    };
    let failure = status.last_failure.as_ref().map(|failing| json!([millis(failing.at), failing.words]));
    let said = json!({
        "version": 1,
        "health": health,
        "rooms_behind": status.rooms_behind,
        "events_behind": status.events_behind,
        "behind_since": status.behind_since.map(millis),
        "leased": status.leased,
        "failures_in_a_row": status.failures_in_a_row,
        "last_failure": failure,
        "last_success": status.last_success.map(millis),
        "dead_letters": status.dead_letters,
        "lost": status.lost,
    });
    said.to_string().into_bytes()
}

/// How a rule is doing, as was said.
pub(crate) fn decode(rule: Rule, said: Option<&[u8]>) -> Result<RuleStatus, StorageError> {
    let said: Value = match said {
        Some(said) => {
            serde_json::from_slice(said).map_err(|error| corrupt("a status is not readable", error))?
        }
        None => Value::Null,
    };
    let number = |key: &str| said.get(key).and_then(Value::as_u64).unwrap_or(0);
    let time = |value: Option<&Value>| value.and_then(Value::as_i64).map(Timestamp::from_millis);
    let health = match said.get("health") {
        _ if !rule.delivers() => RuleHealth::Off,
        Some(Value::Array(times)) => RuleHealth::Paused {
            since: time(times.first()).unwrap_or_default(),
            next_probe: time(times.get(1)).unwrap_or_default(),
        },
        _ => RuleHealth::Delivering,
    };
    let failure = said.get("last_failure").and_then(Value::as_array).and_then(|failure| {
        let words = failure.get(1)?.as_str()?.into();
        Some(Failing { at: time(failure.first())?, words })
    });
    Ok(RuleStatus {
        rule: Arc::new(rule),
        health,
        rooms_behind: number("rooms_behind"),
        events_behind: number("events_behind"),
        behind_since: time(said.get("behind_since")),
        leased: usize::try_from(number("leased")).unwrap_or(usize::MAX),
        failures_in_a_row: u32::try_from(number("failures_in_a_row")).unwrap_or(u32::MAX),
        last_failure: failure,
        last_success: time(said.get("last_success")),
        dead_letters: number("dead_letters"),
        lost: number("lost"),
    })
}
