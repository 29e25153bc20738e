//! Hands out what is due, and takes what became of it.

use std::sync::atomic::Ordering;

use chatroom_core::{
    AppId, Claim, Event, LeaseRequest, Leased, Progress, RuleStatus, Seq, Settled, Settlement, StorageError,
};
use uuid::Uuid;

use super::courier::{Courier, State, nth, run};
use crate::deadline::Deadline;
use crate::numbers;
use crate::rows;
use crate::session::{Call, Session, call};
use crate::shared::Shared;

/// The next events of each room.
const EVENTS: &str = "\
    SELECT q.nth, e.app, e.room, e.seq, e.id, e.at, e.members, e.kind, e.body \
    FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) AS q (nth, app, room, first, last), \
    LATERAL (SELECT * FROM events e WHERE e.app = q.app AND e.room = q.room AND e.seq >= q.first AND e.seq <= q.last \
        ORDER BY e.app, e.room, e.seq LIMIT $6) e \
    ORDER BY q.nth, e.seq";

impl Courier {
    pub(crate) async fn lease(&self, shared: &Shared, ask: LeaseRequest) -> Result<Leased, StorageError> {
        self.delivers.store(true, Ordering::SeqCst);
        let mut state = self.state.lock().await;
        self.turn(shared, &mut state).await?;
        let claims = state.backlog.lease(self.now(shared), ask.leases);
        if claims.is_empty() {
            return Ok(Leased { leases: Vec::new(), next: state.backlog.next() });
        }
        let events = self.events(shared, &mut state, &claims, ask.events).await;
        let events = match events {
            Ok(events) => events,
            Err(error) => {
                // Nobody got them: they are due again at once.
                let back = claims.iter().map(given_back).collect::<Vec<_>>();
                state.backlog.settle(self.now(shared), &back);
                return Err(error);
            }
        };
        let leases =
            claims.into_iter().zip(events).filter(|(claim, _)| state.apps.contains_key(&claim.id.room.app));
        let leases = leases.map(|(claim, events)| claim.with(events)).collect();
        Ok(Leased { leases, next: state.backlog.next() })
    }

    /// The events of these claims, whose apps are this node's for as long as the leases last.
    async fn events(
        &self,
        shared: &Shared,
        state: &mut State,
        claims: &[Claim],
        limit: usize,
    ) -> Result<Vec<Vec<Event>>, StorageError> {
        let deadline = Deadline::after(shared.options.patience);
        let mut session = state.take_session(shared, deadline).await?;
        let mut apps: Vec<AppId> = claims.iter().map(|claim| claim.id.room.app).collect();
        apps.sort_unstable();
        apps.dedup();
        let calls = vec![self.renewal(&apps), events_call(claims, limit)];
        let mut found = deadline.hold(run(&mut session, calls)).await??;
        state.session = Some(session);
        let (ours, rows) = (nth(&mut found, 0)?, nth(&mut found, 1)?);
        state.renewed(&apps, &ours)?;
        let mut events = vec![Vec::new(); claims.len()];
        for row in &rows {
            let index = usize::try_from(rows::count(row, "nth")?).unwrap_or(usize::MAX);
            if let Some(of) = events.get_mut(index) {
                of.push(rows::event(row)?);
            }
        }
        Ok(events)
    }

    pub(crate) async fn settle(
        &self,
        shared: &Shared,
        done: Vec<Settlement>,
    ) -> Result<Vec<Settled>, StorageError> {
        let mut state = self.state.lock().await;
        if shared.registry.is_changed() {
            // What was settled may be of a rule that is gone.
            self.turn(shared, &mut state).await?;
        }
        let now = self.now(shared);
        let (mut settled, writes) = state.backlog.settle(now, &done);
        state.note(writes);
        if let Err(error) = self.store(shared, &mut state).await {
            // It counts here, and is stored with what comes next.
            tracing::debug!(%error, "what became of deliveries is not stored yet");
        }
        for (settled, settlement) in settled.iter_mut().zip(&done) {
            if !state.apps.contains_key(&settlement.lease.room.app) {
                *settled = Settled::Lost;
            }
        }
        Ok(settled)
    }

    /// Stores all that is known and not stored.
    pub(super) async fn store(&self, shared: &Shared, state: &mut State) -> Result<(), StorageError> {
        let deadline = Deadline::after(shared.options.patience);
        let mut session: Session = state.take_session(shared, deadline).await?;
        let now = self.now(shared);
        deadline.hold(self.flush(&mut session, state, now, None)).await??;
        state.session = Some(session);
        Ok(())
    }

    /// How the rules of an app are doing, if this node delivers it.
    pub(crate) async fn statuses(
        &self,
        shared: &Shared,
        app: AppId,
    ) -> Result<Option<Vec<RuleStatus>>, StorageError> {
        let mut state = self.state.lock().await;
        self.turn(shared, &mut state).await?;
        Ok(state.apps.contains_key(&app).then(|| state.backlog.statuses(app)))
    }

    /// Takes a turn: what was asked for is done, if this node delivers the app or nobody does.
    pub(crate) async fn look(&self, shared: &Shared) -> Result<(), StorageError> {
        let mut state = self.state.lock().await;
        self.turn(shared, &mut state).await
    }
}

fn events_call(claims: &[Claim], limit: usize) -> Call {
    let nth: Vec<i64> = (0..).take(claims.len()).collect();
    let apps: Vec<Uuid> = claims.iter().map(|claim| numbers::app(claim.id.room.app)).collect();
    let rooms: Vec<i64> = claims.iter().map(|claim| numbers::room(claim.id.room.id)).collect();
    let firsts: Vec<i64> = claims.iter().map(|claim| numbers::seq(claim.span.first)).collect();
    let lasts: Vec<i64> = claims.iter().map(|claim| numbers::seq(claim.span.last)).collect();
    call!(EVENTS, nth, apps, rooms, firsts, lasts, numbers::limit(limit))
}

fn given_back(claim: &Claim) -> Settlement {
    Settlement { lease: claim.id, through: None::<Seq>, taken: 0, then: Progress::Go }
}
