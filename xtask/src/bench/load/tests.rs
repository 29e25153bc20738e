use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use super::{Pace, Plan, run, watch};
use crate::bench::message::has_field;
use crate::bench::requests::{Peer, Requests};

/// A server that answers the call number `n` of a connection with `answer(n)`.
fn server(answer: fn(usize) -> String) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let ends = lines.map_while(Result::ok).filter(String::is_empty);
                for (n, _) in ends.enumerate() {
                    stream.write_all(answer(n).as_bytes()).unwrap();
                }
            });
        }
    });
    address
}

fn ok(_: usize) -> String {
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned()
}

fn requests(address: SocketAddr, count: usize) -> Requests {
    let peer = Peer { address, token: "t".to_owned() };
    let mut requests = Requests::default();
    for index in 0..count {
        requests.push(&peer, "DELETE", &index.to_string(), "");
    }
    requests
}

#[test]
fn each_request_is_answered_once() {
    let address = server(ok);
    for pace in [Pace::Closed, Pace::PerSecond(10_000.0)] {
        let mut seen = Vec::new();
        run(address, 8, pace, &requests(address, 200), |index, body| {
            assert_eq!(body, b"{}");
            seen.push(index);
        })
        .unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..200).collect::<Vec<_>>(), "{pace:?}");
    }
}

#[test]
fn an_answer_that_comes_in_pieces_is_read_to_its_end() {
    let address =
        server(|_| format!("HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n{}", "x".repeat(300_000)));
    let mut lengths = Vec::new();
    run(address, 2, Pace::Closed, &requests(address, 5), |_, body| lengths.push(body.len())).unwrap();
    assert_eq!(lengths, [300_000; 5]);
}

#[test]
fn a_failed_call_makes_the_run_invalid() {
    let address = server(|n| match n {
        3 => "HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nbusy".to_owned(),
        _ => ok(n),
    });
    let error = run(address, 1, Pace::Closed, &requests(address, 8), |_, _| {}).err().unwrap();
    assert_eq!(error.to_string(), "the run is invalid: 1 of 8 calls failed, the first with 503 busy");
}

/// One call takes 200 ms on the only connection. The 20 calls that were to come meanwhile waited too, although
/// none of them had been sent.
#[test]
fn a_pause_is_charged_to_every_call_that_arrived_in_it() {
    let address = server(|n| {
        if n == 0 {
            thread::sleep(Duration::from_millis(200));
        }
        ok(n)
    });
    let measured = run(address, 1, Pace::PerSecond(100.0), &requests(address, 21), |_, _| {}).unwrap();
    assert!(measured.quantile(0.5) > 50_000, "half of them waited 100 ms: {}", measured.quantile(0.5));
}

#[test]
fn every_answer_is_seen_with_its_head_when_any_status_will_do() {
    let address = server(|n| match n % 2 {
        0 => "HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nbusy".to_owned(),
        _ => ok(n),
    });
    let plan = Plan { connections: 1, pace: Pace::Closed, at_most: None };
    let mut seen = Vec::new();
    let ran = watch(address, plan, &requests(address, 4), |answer| {
        seen.push((answer.request, answer.status, has_field(answer.head, b"retry-after"), answer.body.len()));
    });
    assert_eq!(ran.unwrap().sent, 4);
    assert_eq!(seen, [(0, 503, true, 4), (1, 200, false, 2), (2, 503, true, 4), (3, 200, false, 2)]);
}

#[test]
fn nothing_is_sent_when_the_time_is_over_and_what_was_sent_is_answered() {
    let address = server(|n| {
        thread::sleep(Duration::from_millis(400));
        ok(n)
    });
    let plan = Plan { connections: 1, pace: Pace::Closed, at_most: Some(Duration::from_millis(200)) };
    let mut answered = 0;
    let ran = watch(address, plan, &requests(address, 1_000), |_| answered += 1).unwrap();
    assert_eq!((ran.sent, answered), (1, 1));
    assert!(ran.last_sent.elapsed() >= Duration::from_millis(400));
}
