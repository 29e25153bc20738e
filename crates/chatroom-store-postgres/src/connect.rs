//! Connections for those who change something.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::poll_fn;
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::session::Session;

/// What every session begins with.
///
/// Waits are bounded, so that a caller is answered. Plans are made once and go by index: statistics of tables that
/// were empty when the plan was made would choose worse ones. Where the database answers commits before they are on
/// its disk, this session waits for that; where more is asked for, that stays.
pub(crate) const BEGIN_SESSION: &str = "\
    SET lock_timeout = '2s'; \
    SET statement_timeout = '3s'; \
    SET idle_in_transaction_session_timeout = '10s'; \
    SET plan_cache_mode = force_generic_plan; \
    SET enable_seqscan = off; \
    SET enable_hashjoin = off; \
    SET enable_mergejoin = off; \
    SET jit = off; \
    SELECT set_config('synchronous_commit', 'local', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Makes connections to the host that takes writes.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

impl Connector {
    pub(crate) async fn connect(&self) -> Result<Session, tokio_postgres::Error> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        let doubt = Arc::new(AtomicBool::new(false));
        let noticed = doubt.clone();
        let driver = tokio::spawn(async move {
            loop {
                match poll_fn(|cx| connection.poll_message(cx)).await {
                    Some(Ok(AsyncMessage::Notice(notice))) => {
                        // A commit that stopped waiting for its standby is answered like one that did not.
                        if *notice.code() == SqlState::WARNING {
                            noticed.store(true, Ordering::SeqCst);
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => break,
                }
            }
        });
        let session = Session::new(client, driver, doubt);
        session.client().batch_execute(BEGIN_SESSION).await?;
        Ok(session)
    }
}
