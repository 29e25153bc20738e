//! Which apps this node delivers, and what of them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chatroom_core::{
    AppId, Backlog, ChatroomId, CursorWrite, LEASE, RuleId, Seq, StorageError, Ticker, Timestamp,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::deadline::Deadline;
use crate::error::{not_done, unavailable};
use crate::numbers;
use crate::rows;
use crate::session::{Session, call};
use crate::shared::Shared;

/// How often a node looks for apps that nobody delivers.
const CLAIM: Duration = Duration::from_millis(500);
/// How many it takes at once, so that nodes that start together share them.
const CLAIMED_AT_ONCE: i64 = 64;
/// How old a lease may get before it is renewed although nothing is due.
const RENEW: Duration = Duration::from_secs(10);

const CLAIM_APPS: &str = "\
    WITH free AS ( \
        SELECT a.app FROM apps a LEFT JOIN couriers c ON c.app = a.app \
        WHERE a.has_rules AND a.state <> 3 AND (c.app IS NULL OR c.until < clock_timestamp() \
            OR (c.token = $1 AND a.app = ANY($4))) \
        ORDER BY a.app LIMIT $3 \
    ) \
    INSERT INTO couriers (app, token, until) SELECT app, $1, clock_timestamp() + $2 * interval '1 ms' FROM free \
    ON CONFLICT (app) DO UPDATE SET token = EXCLUDED.token, until = EXCLUDED.until \
    WHERE couriers.until < clock_timestamp() OR couriers.token = EXCLUDED.token RETURNING app";
pub(super) const RENEW_APPS: &str = "\
    UPDATE couriers SET until = clock_timestamp() + $3 * interval '1 ms' \
    WHERE app = ANY($1) AND token = $2 RETURNING app";
const RELEASE: &str = "DELETE FROM couriers WHERE token = $1";

/// The part of a node that delivers.
pub(crate) struct Courier {
    pub(super) state: tokio::sync::Mutex<State>,
    pub(super) ticker: Ticker,
    pub(super) token: Uuid,
    /// Whether somebody asks for what is to be delivered, so that this node may claim apps.
    pub(super) delivers: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    /// Taken out while it is used, so that a call that is given up leaves no half of an answer behind.
    pub(super) session: Option<Session>,
    pub(super) backlog: Backlog,
    pub(super) apps: HashMap<AppId, Held>,
    /// Apps whose leases may be this node's although it does not hold what is to be delivered of them. They are taken
    /// over again, since nobody else may until the leases end.
    pub(super) astray: HashSet<AppId>,
    /// Of the registry, as the rules here are.
    pub(super) version: i64,
    claimed: Option<Instant>,
}

/// An app that this node delivers.
#[derive(Default)]
pub(super) struct Held {
    /// Rooms whose log has news that are in the backlog and not noted yet: up to which event, and since when.
    pub(super) seen: HashMap<ChatroomId, (Seq, Instant)>,
    /// Cursors that are stored. Those of a room lie side by side.
    pub(super) stored: BTreeSet<(ChatroomId, RuleId)>,
    /// Rooms of which more is known than is stored.
    pub(super) dirty: BTreeSet<ChatroomId>,
    /// Dead letters that came and went and are not stored yet.
    pub(super) letters: Vec<CursorWrite>,
    renewed: Option<Instant>,
    /// What was last said of its rules, and when.
    pub(super) shown: Option<(Instant, Said)>,
}

/// What is said of rules, as it is stored.
pub(super) type Said = Vec<(RuleId, Vec<u8>)>;

impl Courier {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut token = [0; 16];
        getrandom::fill(&mut token)?;
        Ok(Self {
            state: tokio::sync::Mutex::new(State::default()),
            ticker: Ticker::starting_at(Timestamp::default()),
            token: Uuid::from_bytes(token),
            delivers: AtomicBool::new(false),
        })
    }

    /// The time of deliveries, which does not go back.
    pub(super) fn now(&self, shared: &Shared) -> Timestamp {
        self.ticker.tick(&*shared.clock).0
    }

    /// Gives the apps back, so that others need not wait for the leases to end.
    pub(crate) async fn release(&self, shared: &Shared) {
        let deadline = Deadline::after(shared.options.patience);
        let mut state = self.state.lock().await;
        state.apps.clear();
        state.backlog = Backlog::default();
        let Ok(session) = state.take_session(shared, deadline).await else { return };
        let released = deadline.hold(session.client().execute(RELEASE, &[&self.token])).await;
        if !matches!(released, Ok(Ok(_))) {
            tracing::debug!("what this node delivers is free when its lease ends");
        }
    }

    /// Brings everything up to date: what this node delivers, its rules, and what has happened.
    pub(super) async fn turn(&self, shared: &Shared, state: &mut State) -> Result<(), StorageError> {
        let deadline = Deadline::after(shared.options.patience);
        let mut session = state.take_session(shared, deadline).await?;
        let now = self.now(shared);
        let done = deadline.hold(async {
            let changed = shared.registry.take_change();
            if changed || state.apps.is_empty() || state.claimed.is_none_or(|last| last.elapsed() >= CLAIM) {
                self.claim(&mut session, state, now).await?;
                state.claimed = Some(Instant::now());
            }
            self.renew_old(&mut session, state).await?;
            for replay in super::poll::poll(&mut session, state, now).await? {
                self.replay(&mut session, state, replay, now).await?;
            }
            self.show(&mut session, state).await?;
            self.flush_old(&mut session, state, now).await
        });
        done.await??;
        state.session = Some(session);
        Ok(())
    }

    async fn claim(
        &self,
        session: &mut Session,
        state: &mut State,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let astray: Vec<Uuid> = state.astray.iter().map(|app| numbers::app(*app)).collect();
        let calls = vec![call!(CLAIM_APPS, self.token, lease_millis(), CLAIMED_AT_ONCE, astray)];
        let claimed = run(session, calls).await?.pop().unwrap_or_default();
        let mut apps = Vec::new();
        for row in &claimed {
            apps.push(numbers::app_of(rows::get(row, "app")?));
        }
        // Whatever is held of them is from before the lease.
        for app in &apps {
            state.lose(*app);
        }
        if !apps.is_empty() {
            super::load::load(session, state, &apps, now).await?;
        }
        for app in apps {
            if let Some(held) = state.apps.get_mut(&app) {
                held.renewed = Some(Instant::now());
            }
        }
        Ok(())
    }

    async fn renew_old(&self, session: &mut Session, state: &mut State) -> Result<(), StorageError> {
        let old = |held: &Held| held.renewed.is_none_or(|last| last.elapsed() >= RENEW);
        let old: Vec<AppId> = state.apps.iter().filter(|(_, held)| old(held)).map(|(app, _)| *app).collect();
        if old.is_empty() {
            return Ok(());
        }
        let renewed = run(session, vec![self.renewal(&old)]).await?.pop().unwrap_or_default();
        state.renewed(&old, &renewed)
    }

    /// Renews the leases of these apps.
    pub(super) fn renewal(&self, apps: &[AppId]) -> crate::session::Call {
        let apps: Vec<Uuid> = apps.iter().map(|app| numbers::app(*app)).collect();
        call!(RENEW_APPS, apps, self.token, lease_millis())
    }
}

fn lease_millis() -> f64 {
    LEASE.as_secs_f64() * 1_000.0
}

impl State {
    /// Notes which of the apps are still this node's. The others are somebody else's now.
    pub(super) fn renewed(
        &mut self,
        asked: &[AppId],
        renewed: &[tokio_postgres::Row],
    ) -> Result<(), StorageError> {
        let mut ours = HashSet::new();
        for row in renewed {
            ours.insert(numbers::app_of(rows::get(row, "app")?));
        }
        for app in asked {
            if !ours.contains(app) {
                self.forget(*app);
            } else if let Some(held) = self.apps.get_mut(app) {
                held.renewed = Some(Instant::now());
            }
        }
        Ok(())
    }

    /// Delivers this app no more. What is in hand is lost.
    pub(super) fn forget(&mut self, app: AppId) {
        self.apps.remove(&app);
        let rules: Vec<RuleId> = self.backlog.rules_of(app).map(|rule| rule.id).collect();
        for rule in rules {
            self.backlog.remove_rule(rule);
        }
    }

    /// Forgets this app, to take it over again from what is stored. The lease may still be this node's.
    pub(super) fn lose(&mut self, app: AppId) {
        self.forget(app);
        self.astray.insert(app);
        self.claimed = None;
    }

    /// A session whose commits need not be durable: what is forgotten is delivered again.
    pub(super) async fn take_session(
        &mut self,
        shared: &Shared,
        deadline: Deadline,
    ) -> Result<Session, StorageError> {
        if let Some(session) = self.session.take().filter(|session| !session.is_closed()) {
            return Ok(session);
        }
        let connected = deadline.hold(async {
            let session = shared.connector.connect().await?;
            session.client().batch_execute("SET synchronous_commit = off").await?;
            Ok::<_, tokio_postgres::Error>(session)
        });
        connected.await?.map_err(not_done)
    }
}

/// Sends these calls at once, outside a transaction.
pub(super) async fn run(
    session: &mut Session,
    calls: Vec<crate::session::Call>,
) -> Result<Vec<Vec<tokio_postgres::Row>>, StorageError> {
    session.prepare(&calls).await.map_err(not_done)?;
    session.send(&[], calls, &[]).await.rows().map_err(not_done)
}

/// The rows of the call in this place.
pub(super) fn nth(
    rows: &mut [Vec<tokio_postgres::Row>],
    index: usize,
) -> Result<Vec<tokio_postgres::Row>, StorageError> {
    rows.get_mut(index).map(std::mem::take).ok_or_else(|| unavailable("an answer is missing"))
}
