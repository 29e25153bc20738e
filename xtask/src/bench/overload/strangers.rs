//! App keys and tokens that nobody has seen before: what is remembered of them?

use std::path::Path;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::bench::load::{self, Pace, Plan};
use crate::bench::requests::{Peer, Requests};
use crate::bench::server::{Server, Setup, Store};
use crate::project::Project;
use crate::say::Progress;

const CONNECTIONS: usize = 64;
/// Calls that are made at a time, and the first that do not count.
const AT_A_TIME: usize = 50_000;

#[derive(Serialize)]
pub(super) struct Growth {
    pub(super) what: &'static str,
    pub(super) strangers: usize,
    pub(super) grown_bytes: u64,
}

pub(super) fn measure(project: &Project, binary: &Path, strangers: usize) -> Result<Vec<Growth>> {
    let mut server = Server::start(project, binary, &Setup::of(Store::Embedded, 1_000))?;
    let peer = server.peer()?;
    let app = |number: usize| (format!("org{number}/app{number}"), peer.clone());
    let token = |number: usize| {
        ("demo/chat".to_owned(), Peer { token: disguised(&peer.token, number), ..peer.clone() })
    };
    let growths = vec![
        grown(&server, "app keys", 404, strangers, app)?,
        grown(&server, "tokens", 401, strangers, token)?,
    ];
    server.stop()?;
    Ok(growths)
}

fn grown(
    server: &Server,
    what: &'static str,
    status: u16,
    strangers: usize,
    call: impl Fn(usize) -> (String, Peer),
) -> Result<Growth> {
    let progress = Progress::of(format!("unknown {what}"), strangers);
    let mut before = 0;
    for first in (0..AT_A_TIME + strangers).step_by(AT_A_TIME) {
        if first == AT_A_TIME {
            before = server.resident()?;
        }
        let numbers = first..(first + AT_A_TIME).min(AT_A_TIME + strangers);
        refused(numbers.clone(), status, &call)?;
        progress.add(if first == 0 { 0 } else { numbers.len() });
    }
    let grown_bytes = server.resident()?.saturating_sub(before);
    Ok(Growth { what, strangers, grown_bytes })
}

fn refused(
    numbers: std::ops::Range<usize>,
    status: u16,
    call: impl Fn(usize) -> (String, Peer),
) -> Result<()> {
    let mut requests = Requests::default();
    let Some(address) = numbers.clone().next().map(|first| call(first).1.address) else { return Ok(()) };
    for number in numbers {
        let (app, peer) = call(number);
        requests.push_of(&peer, &app, "DELETE", "chatrooms/217587034000512/users/user00000001", "");
    }
    let plan = Plan { connections: CONNECTIONS, pace: Pace::Closed, at_most: None };
    let mut wrong = None;
    load::watch(address, plan, &requests, |answer| {
        if answer.status != status {
            wrong = Some(answer.status);
        }
    })?;
    ensure!(wrong.is_none(), "{wrong:?} where {status} was to come");
    Ok(())
}

/// A token of the same length that nobody issued, another for each number.
fn disguised(token: &str, number: usize) -> String {
    let end = format!("{number:020}");
    let begin = token.get(..token.len().saturating_sub(end.len())).unwrap_or_default();
    format!("{begin}{end}")
}

#[cfg(test)]
mod tests {
    use super::disguised;

    #[test]
    fn a_disguised_token_is_as_long_as_a_good_one() {
        let token = "YWMt".repeat(24);
        let (one, other) = (disguised(&token, 7), disguised(&token, 8));
        assert_eq!((one.len(), other.len()), (token.len(), token.len()));
        assert!(one != other && one != token && one.starts_with("YWMtYWMt"));
    }
}
