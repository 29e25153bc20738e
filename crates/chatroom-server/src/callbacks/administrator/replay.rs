//! `callback replay`: events that are told again. What spans many rooms is done in steps of bounded size, so that
//! neither memory nor the time of a request grows with the number of rooms.

mod between;

use chatroom_core::{ChatroomId, RoomKey, Rule, RuleName, Seq, Span};

use super::AppCallbacks;
use crate::admin::{AdminError, Again, CallbackReply, LetterPlace, Replayed};

/// How many rooms, or dead letters, a step looks at.
pub(super) const STEP: usize = 128;

impl AppCallbacks<'_> {
    pub(super) async fn replay(&self, name: &RuleName, what: Again) -> Result<CallbackReply, AdminError> {
        let rule = self.find(name).await?;
        let replayed = match what {
            Again::Event { room, seq } => self.replay_event(&rule, room, Seq(seq)).await,
            Again::Room { room } => self.replay_room(&rule, room).await,
            Again::Between { since, until, after } => self.replay_between(&rule, since, until, after).await,
            Again::DeadLetters { after } => self.replay_letters(&rule, after).await,
        }?;
        let picks = rule.events.is_some();
        Ok(CallbackReply::Replayed(Replayed { delivers: rule.delivers(), picks, ..replayed }))
    }

    async fn replay_event(&self, rule: &Rule, id: ChatroomId, seq: Seq) -> Result<Replayed, AdminError> {
        let room = self.wanted_room(rule, id)?;
        let kept = self.kept(&room).await?;
        if seq < kept.first || kept.last < seq {
            return Err(AdminError::Failed(format!(
                "of room {id}, the events {} to {} are kept, {} is not among them",
                kept.first.0, kept.last.0, seq.0
            )));
        }
        let before = Seq(seq.0.saturating_sub(1));
        let event = self.callbacks.outbox.events(&room, before, 1).await.map_err(AdminError::failed)?;
        if event.iter().any(|event| !rule.wants(event)) {
            return Err(AdminError::Failed(format!(
                "the rule `{}` does not want events of the kind that event {} of room {id} is",
                rule.name, seq.0
            )));
        }
        self.again(rule, vec![(room, Span::one(seq))]).await
    }

    async fn replay_room(&self, rule: &Rule, id: ChatroomId) -> Result<Replayed, AdminError> {
        let room = self.wanted_room(rule, id)?;
        let kept = self.kept(&room).await?;
        self.again(rule, vec![(room, kept)]).await
    }

    async fn replay_letters(&self, rule: &Rule, after: Option<LetterPlace>) -> Result<Replayed, AdminError> {
        let behind = after.map(|place| (place.room, Seq(place.first)));
        let letters = self.callbacks.deliveries.dead_letters(rule.id, behind, STEP).await;
        let letters = letters.map_err(AdminError::failed)?;
        let full = letters.len() >= STEP;
        let last = letters.last().filter(|_| full).map(|letter| LetterPlace {
            rule: rule.name.clone(),
            room: letter.room.id,
            first: letter.span.first.0,
        });
        let dead: u64 = letters.iter().map(|letter| letter.span.events()).sum();
        let runs = letters.iter().map(|letter| (letter.room, letter.span)).collect();
        let replayed = self.again(rule, runs).await?;
        let gone = dead.saturating_sub(replayed.events);
        let next = last.map(|place| Again::DeadLetters { after: Some(place) });
        Ok(Replayed { gone, next, ..replayed })
    }

    /// The room, unless the rule is never told of it.
    fn wanted_room(&self, rule: &Rule, id: ChatroomId) -> Result<RoomKey, AdminError> {
        if rule.rooms.as_ref().is_some_and(|rooms| !rooms.contains(&id)) {
            return Err(AdminError::Failed(format!("the rule `{}` does not want room {id}", rule.name)));
        }
        Ok(RoomKey { app: self.app.id, id })
    }

    /// What of a room's log is kept.
    async fn kept(&self, room: &RoomKey) -> Result<Span, AdminError> {
        let outbox = &self.callbacks.outbox;
        let counters = outbox.counters(room).await.map_err(AdminError::failed)?;
        let oldest = outbox.events(room, Seq(0), 1).await.map_err(AdminError::failed)?;
        match (oldest.first(), counters) {
            (Some(oldest), Some(counters)) => Ok(Span { first: oldest.seq, last: counters.seq }),
            _ => Err(AdminError::Failed(format!("no event of room {} is kept", room.id))),
        }
    }

    async fn again(&self, rule: &Rule, runs: Vec<(RoomKey, Span)>) -> Result<Replayed, AdminError> {
        let looked_at = u64::try_from(runs.len()).unwrap_or(u64::MAX);
        let mut events = 0;
        if !runs.is_empty() {
            events = self.callbacks.deliveries.replay(rule.id, runs).await.map_err(AdminError::failed)?;
        }
        Ok(Replayed { events, looked_at, ..Replayed::default() })
    }
}
