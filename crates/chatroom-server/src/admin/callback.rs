//! What the `callback` commands ask for, and what they are told. Times are milliseconds since 1970.

mod views;

use std::collections::BTreeSet;

use chatroom_core::{ChatroomId, EventClass, RuleName};
use serde::{Deserialize, Serialize};

use super::{Shown, text};

pub use views::{FailureView, HealthView, LetterView, RuleSecretsView, RuleView, StateView, StatusView};

/// One request about the callbacks of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackRequest {
    /// Make a rule; answered by [`CallbackReply::Added`].
    Add(NewCallback),
    /// Show all rules; answered by [`CallbackReply::Rules`].
    List,
    /// Show one rule; answered by [`CallbackReply::Rule`].
    Show {
        /// Which.
        #[serde(with = "text")]
        name: RuleName,
        /// Whether its secrets are to be shown too.
        with_secrets: bool,
    },
    /// Let a rule deliver; answered by [`CallbackReply::Changed`].
    Enable {
        /// Which.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// Let a rule deliver no more; answered by [`CallbackReply::Changed`].
    Disable {
        /// Which.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// Remove a rule and all that waits for it; answered by [`CallbackReply::Removed`].
    Remove {
        /// Which.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// Begin a rotation of the secret; answered by [`CallbackReply::SecretRotated`].
    RotateSecret {
        /// Of which rule.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// End the rotation now; answered by [`CallbackReply::Changed`].
    FinishRotation {
        /// Of which rule.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// Post a sample event; answered by [`CallbackReply::Tried`].
    Test {
        /// By which rule.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// Say how deliveries are doing; answered by [`CallbackReply::Statuses`].
    Status {
        /// Of which rule; `None`: of all.
        #[serde(with = "text::optional")]
        name: Option<RuleName>,
    },
    /// Show some dead letters; answered by [`CallbackReply::DeadLetters`].
    DeadLetters {
        /// Of which rule; `None`: of all.
        #[serde(with = "text::optional")]
        name: Option<RuleName>,
        /// Behind which.
        after: Option<LetterPlace>,
    },
    /// Tell something again; answered by [`CallbackReply::Replayed`].
    Replay {
        /// By which rule.
        #[serde(with = "text")]
        name: RuleName,
        /// What.
        what: Again,
    },
}

/// What a new rule is to be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCallback {
    /// Its name, which must be free.
    #[serde(with = "text")]
    pub name: RuleName,
    /// Where it delivers to, as it was written.
    pub url: String,
    /// What signs; `None`: a secret is made.
    pub secret: Option<Shown>,
    /// Whether it delivers from now on.
    pub enabled: bool,
    /// Which events it wants; `None`: all.
    #[serde(with = "text::classes")]
    pub events: Option<BTreeSet<EventClass>>,
    /// Which rooms it wants; `None`: all.
    #[serde(with = "text::choice")]
    pub rooms: Option<BTreeSet<ChatroomId>>,
}

/// The place of a dead letter among those of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterPlace {
    /// Its rule.
    #[serde(with = "text")]
    pub rule: RuleName,
    /// Its room.
    #[serde(with = "text")]
    pub room: ChatroomId,
    /// Its first event.
    pub first: u64,
}

/// What is to be told again. A walk over many rooms is made in steps: the reply to each has the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    /// One event.
    Event {
        /// Of which room.
        #[serde(with = "text")]
        room: ChatroomId,
        /// Its sequence number.
        seq: u64,
    },
    /// All that is kept of one room.
    Room {
        /// Which.
        #[serde(with = "text")]
        room: ChatroomId,
    },
    /// What happened in a range of time, in all rooms.
    Between {
        /// The first moment that counts.
        since: i64,
        /// The first moment that does not; `None`: now.
        until: Option<i64>,
        /// Rooms up to here are done.
        #[serde(with = "text::optional")]
        after: Option<ChatroomId>,
    },
    /// All dead letters whose events are kept.
    DeadLetters {
        /// Those up to here are done.
        after: Option<LetterPlace>,
    },
}

/// What an administrator is told about callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackReply {
    /// A rule was made.
    Added {
        /// The rule.
        rule: RuleView,
        /// Its secret, if it was made.
        secret: Option<Shown>,
        /// Why its host has no address now, in words.
        unresolved: Option<String>,
    },
    /// All rules, oldest first.
    Rules(Vec<RuleView>),
    /// One rule.
    Rule {
        /// The rule.
        rule: RuleView,
        /// Its secrets, if they were asked for.
        secrets: Option<RuleSecretsView>,
    },
    /// A rule as it is now.
    Changed(RuleView),
    /// The rule is gone.
    Removed {
        /// Its name.
        #[serde(with = "text")]
        name: RuleName,
    },
    /// A rotation began.
    SecretRotated {
        /// The rule.
        rule: RuleView,
        /// The new secret.
        secret: Shown,
    },
    /// A sample event was posted, or could not be.
    Tried {
        /// Its `webhook-id`.
        event: String,
        /// What came of it.
        attempt: Attempt,
    },
    /// How rules are doing, oldest first.
    Statuses {
        /// When that was.
        now: i64,
        /// Each.
        rules: Vec<StatusView>,
    },
    /// Some dead letters, by rule, by room, in order.
    DeadLetters {
        /// Each.
        letters: Vec<LetterView>,
        /// Where the rest begins, if there may be one.
        next: Option<LetterPlace>,
    },
    /// Something will be told again.
    Replayed(Replayed),
}

/// What came of an attempt to post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attempt {
    /// The receiver answered.
    Answered {
        /// Its status.
        status: u16,
        /// Why that means that it did not take the event, in words; `None`: it did.
        not_taken: Option<String>,
        /// After how many milliseconds.
        took: u64,
        /// The beginning of its body, as text.
        beginning: String,
        /// Whether there was more of it.
        more: bool,
    },
    /// It did not: why, in words.
    Failed(String),
}

/// What will be told again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replayed {
    /// How many events, those among them that the rule does not want counted too.
    pub events: u64,
    /// How many rooms, or dead letters, were looked at.
    pub looked_at: u64,
    /// How many dead letters cannot be told again: their events are no longer kept.
    pub gone: u64,
    /// Whether the rule delivers, so that they are told soon.
    pub delivers: bool,
    /// Whether the rule wants some events only, so that it may pass over some of these.
    pub picks: bool,
    /// What is to be asked next.
    pub next: Option<Again>,
}

impl Replayed {
    /// Takes in the step that comes next.
    pub(crate) fn add(&mut self, step: Self) {
        let Self { events, looked_at, gone, delivers, picks, next } = step;
        self.events += events;
        self.looked_at += looked_at;
        self.gone += gone;
        (self.delivers, self.picks, self.next) = (delivers, picks, next);
    }
}

#[cfg(test)]
mod tests {
    use super::super::AdminRequest;
    use super::*;

    fn crossed(request: CallbackRequest) -> String {
        let request = AdminRequest::Callback { app: "demo/chat".parse().unwrap(), ask: request };
        let json = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<AdminRequest>(&json).unwrap(), request);
        json
    }

    #[test]
    fn a_request_about_callbacks_crosses_as_people_write_it() {
        let name = || "hook".parse().unwrap();
        let mut new = NewCallback {
            name: name(),
            url: "https://example.com/".to_owned(),
            secret: Some(Shown::new("s3cret".into())),
            enabled: true,
            events: Some([EventClass::Kicked, EventClass::Dissolved].into()),
            rooms: Some([ChatroomId::TEST].into()),
        };
        assert!(!format!("{new:?}").contains("s3cret"));
        insta::assert_snapshot!(crossed(CallbackRequest::Add(new.clone())), @r#"{"callback":{"app":"demo#chat","ask":{"add":{"name":"hook","url":"https://example.com/","secret":"s3cret","enabled":true,"events":["LEAVE/KICK","DELETE"],"rooms":["123456789012345"]}}}}"#);
        (new.events, new.rooms, new.secret) = (None, None, None);
        insta::assert_snapshot!(crossed(CallbackRequest::Add(new)), @r#"{"callback":{"app":"demo#chat","ask":{"add":{"name":"hook","url":"https://example.com/","secret":null,"enabled":true,"events":null,"rooms":null}}}}"#);
        let after = LetterPlace { rule: name(), room: ChatroomId::TEST, first: 7 };
        let letters = CallbackRequest::DeadLetters { name: None, after: Some(after) };
        insta::assert_snapshot!(crossed(letters), @r#"{"callback":{"app":"demo#chat","ask":{"dead_letters":{"name":null,"after":{"rule":"hook","room":"123456789012345","first":7}}}}}"#);
        let what = Again::Between { since: 1, until: None, after: Some(ChatroomId::TEST) };
        insta::assert_snapshot!(crossed(CallbackRequest::Replay { name: name(), what }), @r#"{"callback":{"app":"demo#chat","ask":{"replay":{"name":"hook","what":{"between":{"since":1,"until":null,"after":"123456789012345"}}}}}}"#);
    }
}
