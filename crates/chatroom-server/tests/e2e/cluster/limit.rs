//! One limit over three nodes, of which one is killed while calls press: never more than it in a rolling second, and
//! never less than nine tenths of it, except until the dead node's lease has ended, and one second more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chatroom_core::permits::LEASE;
use xtask_postgres::shared;

use super::node::Nodes;
use crate::crash::api::Api;
use crate::support::Binary;

const LIMIT: usize = 100;
const SECOND: Duration = Duration::from_secs(1);
const CLIENTS: usize = 4;
/// Between two calls of a client: all together ask for several times the limit.
const PAUSE: Duration = Duration::from_millis(10);
/// The same, until each node has asked for its part: all together ask for the limit then, so that its slots are used
/// all over the second. Used at once they would be used again at nearly one moment, and one answer that is a little
/// late would leave a tenth of them out of a second.
const FIRST_PAUSE: Duration = Duration::from_millis(120);
/// Until each node has asked for its part.
const BEGIN: Duration = Duration::from_secs(1);
/// How long each half is watched.
const WATCHED: Duration = Duration::from_secs(3);
/// How late a call may be that could have been admitted earlier: clients ask now and then, on a busy machine. So nine
/// tenths of the limit are asked for over a second and this.
const LATE: Duration = Duration::from_millis(50);
/// A room that is not there: the call spends one all the same.
const CALL: &str = "/chatrooms/123456789012345/users/nobody";

/// A call that was admitted, at some moment between its request and its answer, since the beginning.
#[derive(Debug, Clone, Copy)]
struct Admitted {
    from: Duration,
    to: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_limit_holds_over_three_nodes_of_which_one_is_killed() {
    let database = shared().unwrap().fresh_database().unwrap();
    let nodes = Nodes::on(database.url(), "");
    let limited = || {
        let mut command = nodes.command();
        command.env("CHATROOM__RATE_LIMIT__PER_SECOND", LIMIT.to_string());
        Binary::spawn(command)
    };
    let mut servers: Vec<Binary> = (0..3).map(|_| limited()).collect();
    let first = Api::of(&servers[0]).await;
    let (began, done) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let pressing = servers.iter().flat_map(|server| vec![first.at(server); CLIENTS]);
    let pressing: Vec<_> = pressing.map(|api| tokio::spawn(press(api, began, done.clone()))).collect();

    tokio::time::sleep(BEGIN + WATCHED).await;
    let killed = began.elapsed();
    servers.remove(0).kill();
    let whole_again = killed + LEASE + SECOND;
    tokio::time::sleep(whole_again + WATCHED - killed).await;
    done.store(true, Ordering::SeqCst);
    let (mut admitted, mut answered) = (Vec::new(), Vec::new());
    for client in pressing {
        let (of_client, answers) = client.await.unwrap();
        admitted.extend(of_client);
        answered.push(answers);
    }
    let pauses: Vec<_> = answered.chunks(CLIENTS).flat_map(pauses).collect();

    for call in &admitted {
        let until = call.from + SECOND;
        let within = admitted.iter().filter(|other| other.from >= call.from && other.to <= until).count();
        assert!(within <= LIMIT, "{within} calls from {:?} on", call.from);
    }
    let touching = |from, to| admitted.iter().filter(|call| call.from <= to && call.to >= from).count();
    for (from, to) in [(BEGIN, killed), (whole_again, whole_again + WATCHED)] {
        let seconds = usize::try_from((to - from).as_secs()).unwrap();
        assert!(touching(from, to) >= seconds * LIMIT * 9 / 10, "{} from {from:?} on", touching(from, to));
        let mut second = from;
        while second + SECOND + LATE <= to {
            let until = second + SECOND + LATE;
            let within = touching(second, until);
            let pressed = !pauses.iter().any(|(from, to)| *from < until && *to > second);
            let least = 0.9 * LIMIT as f64 * (until - second).as_secs_f64();
            assert!(!pressed || within as f64 >= least, "{within} calls from {second:?} on");
            second += Duration::from_millis(20);
        }
    }
}

/// When a node answered nothing for longer than calls may be late, and a second more: what was used late is free late.
fn pauses(clients: &[Vec<Duration>]) -> Vec<(Duration, Duration)> {
    let mut answered: Vec<Duration> = clients.concat();
    // Before that clients pause because they are to.
    answered.retain(|at| *at >= BEGIN);
    answered.sort_unstable();
    let pause = |pair: &[Duration]| (pair[1] - pair[0] > LATE).then(|| (pair[0], pair[1] + SECOND));
    answered.windows(2).filter_map(pause).collect()
}

/// Calls until the test is done or the node is gone. Answers the calls that were admitted, and when all answers came.
async fn press(api: Api, began: Instant, done: Arc<AtomicBool>) -> (Vec<Admitted>, Vec<Duration>) {
    let (mut admitted, mut answered) = (Vec::new(), Vec::new());
    let mut remover = api.remover().await;
    while !done.load(Ordering::SeqCst) {
        let from = began.elapsed();
        let status = remover.call(CALL).await;
        let to = began.elapsed();
        match status {
            Some(404) => admitted.push(Admitted { from, to }),
            Some(429 | 503) => {}
            Some(status) => panic!("{status}"),
            None => break,
        }
        answered.push(to);
        tokio::time::sleep(if to < BEGIN { FIRST_PAUSE } else { PAUSE }).await;
    }
    (admitted, answered)
}
