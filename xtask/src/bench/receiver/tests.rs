use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Manner, Receiver};

const PATIENCE: Duration = Duration::from_secs(30);

fn connect(receiver: &Receiver) -> TcpStream {
    let stream = TcpStream::connect(receiver.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn post(stream: &mut TcpStream, rule: usize, body: &str) {
    let length = body.len();
    let request = format!("POST /{rule} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
}

fn is_answered(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 38];
    stream.read_exact(&mut answer).is_ok() && answer.starts_with(b"HTTP/1.1 200")
}

#[test]
fn posts_are_answered_and_counted_by_rule() {
    let receiver = Receiver::start(Manner::Answer).unwrap();
    receiver.begin_anew(true).unwrap();
    let mut streams = [connect(&receiver), connect(&receiver)];
    for (stream, rule, body) in [(0, 3, "a"), (1, 3, &"b".repeat(9_000)), (0, 5, "c")] {
        let stream = &mut streams[stream];
        post(stream, rule, body);
        assert!(is_answered(stream));
    }
    receiver.wait_for(3, PATIENCE).unwrap();
    receiver.seen(|seen| {
        assert_eq!([3, 4, 5, 6].map(|rule| seen.of_rule(rule)), [2, 0, 1, 0]);
        assert_eq!((seen.posts(), seen.most_connections(), seen.last().is_some()), (3, 2, true));
        let lengths: Vec<_> = seen.take_bodies().iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 9_000, 1]);
    });
}

#[test]
fn what_is_held_is_answered_when_the_manner_changes() {
    let receiver = Receiver::start(Manner::Hold).unwrap();
    let mut stream = connect(&receiver);
    post(&mut stream, 0, "{}");
    receiver.wait_for(1, PATIENCE).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!(!is_answered(&mut stream));
    receiver.behave(Manner::Answer).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(is_answered(&mut stream));
}

#[test]
fn one_that_refuses_closes_without_an_answer() {
    let receiver = Receiver::start(Manner::Refuse).unwrap();
    let mut stream = connect(&receiver);
    assert!(!matches!(stream.read(&mut [0]), Ok(1..)));
    assert_eq!(receiver.seen(|seen| seen.posts()), 0);
}

#[test]
fn answers_at_a_rate_come_no_faster() {
    let receiver = Receiver::start(Manner::PerSecond(100.0)).unwrap();
    let mut stream = connect(&receiver);
    let began = Instant::now();
    for _ in 0..11 {
        post(&mut stream, 0, "{}");
        assert!(is_answered(&mut stream));
    }
    assert!(began.elapsed() >= Duration::from_millis(90), "{:?}", began.elapsed());
}

/// The body says when its event was: a second ago, so the latency is a second and a little.
#[test]
fn latency_is_from_the_event_to_its_arrival() {
    let receiver = Receiver::start(Manner::Answer).unwrap();
    let mut stream = connect(&receiver);
    #[expect(clippy::disallowed_methods, reason = "the receiver asks the same clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    post(&mut stream, 0, &format!(r#"{{"timestamp":{}}}"#, now.as_millis() - 1_000));
    assert!(is_answered(&mut stream));
    let micros = receiver.seen(|seen| seen.quantile(1.0));
    assert!(micros >= 999_000, "{micros}");
}
