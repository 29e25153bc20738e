//! Stores that fail as real ones cannot be made to: never a hang, never a 200.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chatroom_core::test_util::ManualClock;
use chatroom_core::{
    AppId, ChatroomId, ChatroomRepository, MembersRequest, MembersSlice, MockChatroomRepository, Operation,
    Outcome, RoomKey, RoomView, StorageError, StorageErrorKind, Sweep, TransactError, User, UserId, Username,
};
use chatroom_server::serve::{Health, Life, Stores};
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::support::{Answer, NOW, TestServer, config};

const REMOVAL: &str = "/chatrooms/123456789012345/users/u";

/// A server whose apps are in memory and whose rooms are in this repository.
async fn on(repository: impl ChatroomRepository, request_timeout: Duration) -> TestServer {
    let mut config = config();
    config.limits.request_timeout = request_timeout;
    let clock = Arc::new(ManualClock::at(NOW));
    let stores = Stores { repository: Arc::new(repository), ..Stores::memory(&config, clock.clone()) };
    TestServer::on(config, stores, clock).await
}

fn mock() -> MockChatroomRepository {
    let mut mock = MockChatroomRepository::new();
    mock.expect_sweeps().returning(|_| Ok(Vec::new()));
    mock
}

/// The answers to a removal and to a list of members when the store fails so.
async fn failing(kind: StorageErrorKind) -> (Answer, Answer) {
    let mut mock = mock();
    mock.expect_transact()
        .returning(move |_| Err(StorageError::new(kind, "staged: /var/secret/path").into()));
    mock.expect_members().returning(move |_, _| Err(StorageError::new(kind, "staged: /var/secret/path")));
    let server = on(mock, Duration::from_secs(30)).await;
    let removal = server.call("DELETE", REMOVAL, "").await;
    let list = server.call("GET", "/chatrooms/123456789012345/users", "").await;
    assert!(!removal.body.contains("secret") && !list.body.contains("secret"));
    (removal, list)
}

#[tokio::test]
async fn decision_34_an_unavailable_store_gets_503_with_retry_after() {
    for kind in [StorageErrorKind::Unavailable, StorageErrorKind::Overloaded, StorageErrorKind::Conflict] {
        let (removal, list) = failing(kind).await;
        for answer in [&removal, &list] {
            assert_eq!((answer.status, answer.json()["error"].as_str()), (503, Some("service_unavailable")));
            let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!(seconds >= 1);
        }
        if kind == StorageErrorKind::Unavailable {
            insta::assert_snapshot!(removal.shown(), @r#"503 {"error":"service_unavailable","exception":"ServiceUnavailableException","timestamp":1729497896834,"duration":0,"error_description":"Nothing was done: repeat the request after the time that Retry-After names"}"#);
        }
    }
}

#[tokio::test]
async fn decision_34_an_unknown_outcome_gets_504_without_retry_after() {
    let (removal, _) = failing(StorageErrorKind::OutcomeUnknown).await;
    insta::assert_snapshot!(removal.shown(), @r#"504 {"error":"outcome_unknown","exception":"OutcomeUnknownException","timestamp":1729497896834,"duration":0,"error_description":"It may or may not have been done: look at the present state before you repeat the request"}"#);
    assert_eq!(removal.header("retry-after"), None);
}

#[tokio::test]
async fn decision_35_a_corrupt_store_gets_500_with_the_request_id() {
    let (removal, _) = failing(StorageErrorKind::Corrupt).await;
    insta::assert_snapshot!(removal.shown(), @r#"500 {"error":"internal","exception":"InternalServerErrorException","timestamp":1729497896834,"duration":0,"error_description":"The server failed on this request: report it with the X-Request-Id of this answer"}"#);
    assert!(removal.header("x-request-id").is_some());
    assert_eq!(removal.header("retry-after"), None);
}

/// Long enough for a token on a busy machine.
const SOON: Duration = Duration::from_millis(500);

/// Never answers anything.
struct Silent;

#[async_trait]
impl ChatroomRepository for Silent {
    async fn transact(&self, _: Operation) -> Result<Outcome, TransactError> {
        std::future::pending().await
    }

    async fn user(&self, _: AppId, _: &Username) -> Result<Option<User>, StorageError> {
        std::future::pending().await
    }

    async fn users(&self, _: AppId, _: Option<UserId>, _: usize) -> Result<Vec<User>, StorageError> {
        std::future::pending().await
    }

    async fn room(&self, _: &RoomKey) -> Result<Option<RoomView>, StorageError> {
        std::future::pending().await
    }

    async fn rooms(
        &self,
        _: AppId,
        _: Option<ChatroomId>,
        _: usize,
        _: usize,
    ) -> Result<Vec<RoomView>, StorageError> {
        std::future::pending().await
    }

    async fn members(&self, _: &RoomKey, _: MembersRequest) -> Result<Option<MembersSlice>, StorageError> {
        std::future::pending().await
    }

    async fn sweeps(&self, _: usize) -> Result<Vec<Sweep>, StorageError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn decision_34_a_change_that_the_store_does_not_answer_in_time_gets_504() {
    let server = on(Silent, SOON).await;
    let user = r#"{"username":"u","password":"p"}"#;
    let calls = [
        ("DELETE", REMOVAL, ""),
        ("POST", REMOVAL, ""),
        ("POST", "/users", user),
        ("DELETE", "/users/u", ""),
        ("DELETE", "/chatrooms/123456789012345", ""),
    ];
    for answer in join_all(calls.map(|(method, path, body)| server.call(method, path, body))).await {
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (504, Some("outcome_unknown")),
            "{answer:?}"
        );
        assert_eq!(answer.header("retry-after"), None);
    }
}

#[tokio::test]
async fn decision_34_a_read_that_the_store_does_not_answer_in_time_may_be_repeated() {
    let server = on(Silent, SOON).await;
    let paths = [
        "/users/u",
        "/users",
        "/chatrooms",
        "/chatrooms/123456789012345",
        "/chatrooms/123456789012345/users",
    ];
    for answer in join_all(paths.map(|path| server.call("GET", path, ""))).await {
        assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{answer:?}");
    }
}

#[tokio::test]
async fn a_call_beyond_what_a_store_answers_in_time_gets_503_at_once() {
    let mut config = config();
    config.limits.request_timeout = Duration::from_secs(30);
    config.rate_limit.per_second = 0;
    let clock = Arc::new(ManualClock::at(NOW));
    let stores = Stores { repository: Arc::new(Silent), ..Stores::memory(&config, clock.clone()) };
    let server = TestServer::on(config, stores, clock).await;
    let taken = join_all((0..256).map(|_| server.call("DELETE", REMOVAL, "")));
    let refused = async {
        loop {
            // Until the store has the others, this one waits too, and goes away.
            if let Ok(answer) = timeout(SOON, server.call("DELETE", REMOVAL, "")).await {
                return answer;
            }
        }
    };
    tokio::select! {
        answers = taken => panic!("{:?}", answers[0]),
        answer = refused => assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1"))),
    }
}

#[tokio::test]
async fn a_panic_gets_the_500_body_and_the_server_goes_on() {
    let mut mock = mock();
    mock.expect_room().returning(|_| panic!("staged"));
    mock.expect_user().returning(|_, _| Ok(None));
    let server = on(mock, Duration::from_secs(30)).await;
    let answer = server.call("GET", "/chatrooms/123456789012345", "").await;
    insta::assert_snapshot!(answer.shown(), @r#"500 {"error":"internal","exception":"InternalServerErrorException","timestamp":1729497896834,"duration":0,"error_description":"The server failed on this request: report it with the X-Request-Id of this answer"}"#);
    assert!(answer.header("x-request-id").is_some());
    assert_eq!(server.call("GET", "/users/u", "").await.status, 404);
}

#[tokio::test]
async fn a_panic_in_a_change_leaves_open_whether_it_was_made() {
    let mut mock = mock();
    mock.expect_transact().returning(|_| panic!("staged"));
    let server = on(mock, Duration::from_secs(30)).await;
    let answer = server.call("DELETE", REMOVAL, "").await;
    assert_eq!(answer.status, 504, "{}", answer.shown());
}

/// A store in this state.
struct Staged(Health);

#[async_trait]
impl Life for Staged {
    fn health(&self) -> Health {
        self.0.clone()
    }

    async fn failed(&self) -> Arc<str> {
        std::future::pending().await
    }

    async fn close(&self) {}
}

#[tokio::test]
async fn readyz_says_in_words_why_the_server_is_not_ready() {
    let mut shown = Vec::new();
    for health in [Health::Full, Health::Closed, Health::Failed("the sync failed".into())] {
        let clock = Arc::new(ManualClock::at(NOW));
        let stores = Stores { life: Arc::new(Staged(health)), ..Stores::memory(&config(), clock.clone()) };
        let server = TestServer::on(config(), stores, clock).await;
        let answer = server.raw("GET", "/readyz", &[], "").await;
        assert!(answer.header("retry-after").is_some());
        shown.push(answer.shown());
        assert_eq!(server.raw("GET", "/livez", &[], "").await.status, 200);
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    503 {"error":"service_unavailable","exception":"ServiceUnavailableException","timestamp":1729497896834,"duration":0,"error_description":"Not ready: the disk is full: nothing can be changed"}
    503 {"error":"service_unavailable","exception":"ServiceUnavailableException","timestamp":1729497896834,"duration":0,"error_description":"Not ready: the store is closed"}
    503 {"error":"service_unavailable","exception":"ServiceUnavailableException","timestamp":1729497896834,"duration":0,"error_description":"Not ready: the store failed, and the server ends: the sync failed"}
    "#);
}
