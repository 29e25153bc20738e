//! Apps and rules as statements: one for each, since they change rarely.

use chatroom_core::{App, AppId, Rule, RuleId};

use crate::numbers;
use crate::rows::{origin_number, rule_state_number, state_number};
use crate::session::{Call, call};

const INSERT_APP: &str = "\
    INSERT INTO apps (app, org, name, client_id, secret, generation, signing_key, origin, state, created) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE_APP: &str = "\
    UPDATE apps SET org = $2, name = $3, client_id = $4, secret = $5, generation = $6, signing_key = $7, \
        origin = $8, state = $9, created = $10 \
    WHERE app = $1";
const DELETE_APP: &str = "DELETE FROM apps WHERE app = $1";
const PUT_RULE: &str = "\
    INSERT INTO rules (app, id, name, url, secret, outgoing_secret, outgoing_until, state, events, rooms, origin, \
        created) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
    ON CONFLICT (app, id) DO UPDATE SET name = $3, url = $4, secret = $5, outgoing_secret = $6, \
        outgoing_until = $7, state = $8, events = $9, rooms = $10, origin = $11, created = $12";
const DELETE_RULE: &str = "DELETE FROM rules WHERE app = $1 AND id = $2";

/// `new`: it was not there before.
pub(super) fn put_app(app: &App, new: bool) -> Call {
    call!(
        if new { INSERT_APP } else { UPDATE_APP },
        numbers::app(app.id),
        app.key.org().to_owned(),
        app.key.app().to_owned(),
        app.credentials.client_id.as_bytes().to_vec(),
        app.credentials.secret.0.to_vec(),
        i64::from(app.credentials.generation),
        app.signing_key.0.to_vec(),
        origin_number(app.origin),
        state_number(app.state),
        app.created.as_millis(),
    )
}

pub(super) fn put_rule(rule: &Rule) -> Call {
    let outgoing = rule.secrets.outgoing.as_ref();
    let events = rule.events.as_ref();
    let rooms = rule.rooms.as_ref();
    call!(
        PUT_RULE,
        numbers::app(rule.app),
        numbers::rule(rule.id),
        rule.name.as_str().to_owned(),
        rule.url.to_string(),
        rule.secrets.newest.expose().as_bytes().to_vec(),
        outgoing.map(|outgoing| outgoing.secret.expose().as_bytes().to_vec()),
        outgoing.map(|outgoing| outgoing.until.as_millis()),
        rule_state_number(rule.state),
        events.map(|classes| classes.iter().map(|class| class.as_str().to_owned()).collect::<Vec<_>>()),
        rooms.map(|rooms| rooms.iter().map(|room| numbers::room(*room)).collect::<Vec<_>>()),
        origin_number(rule.origin),
        rule.created.as_millis(),
    )
}

pub(super) fn delete_app(app: AppId) -> Call {
    call!(DELETE_APP, numbers::app(app))
}

pub(super) fn delete_rule(app: AppId, rule: RuleId) -> Call {
    call!(DELETE_RULE, numbers::app(app), numbers::rule(rule))
}
