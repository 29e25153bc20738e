//! What a commit means here: whether anybody but the primary has it when it is answered.

use std::fmt;

/// What it takes to lose what a commit was answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The loss of the primary's disk.
    Local,
    /// The loss of the primary and of a standby that commits wait for.
    Replicated,
    /// The database does not say: it was not reached yet, or this user may not read `pg_stat_replication`.
    Unknown,
}

/// A row of `pg_stat_replication`. Without the right to read it, all of it is null.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) state: Option<&'a str>,
    pub(crate) sync_state: Option<&'a str>,
}

impl Durability {
    /// Both have to be so: a standby that counts as synchronous is nothing to a session that does not wait for it.
    pub(crate) fn of(synchronous_commit: &str, senders: &[Sender<'_>]) -> Self {
        if !matches!(synchronous_commit, "on" | "remote_write" | "remote_apply") {
            return Self::Local;
        }
        let waited_for = |sender: &Sender<'_>| {
            sender.state == Some("streaming") && matches!(sender.sync_state, Some("sync" | "quorum"))
        };
        if senders.iter().any(waited_for) {
            Self::Replicated
        } else if senders.iter().any(|sender| sender.sync_state.is_none()) {
            Self::Unknown
        } else {
            Self::Local
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::Replicated => "replicated",
            Self::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(state: &'static str, sync_state: &'static str) -> Sender<'static> {
        Sender { state: Some(state), sync_state: Some(sync_state) }
    }

    const HIDDEN: Sender<'_> = Sender { state: None, sync_state: None };

    #[test]
    fn a_commit_that_waits_for_a_standby_is_replicated() {
        for commit in ["on", "remote_write", "remote_apply"] {
            for sync_state in ["sync", "quorum"] {
                let senders = [sender("streaming", "async"), sender("streaming", sync_state)];
                assert_eq!(Durability::of(commit, &senders), Durability::Replicated, "{commit} {sync_state}");
            }
        }
    }

    #[test]
    fn a_session_that_does_not_wait_is_local_whoever_follows() {
        for commit in ["local", "off"] {
            assert_eq!(Durability::of(commit, &[sender("streaming", "sync")]), Durability::Local, "{commit}");
        }
    }

    #[test]
    fn standbys_that_nobody_waits_for_make_nothing_replicated() {
        for senders in [
            &[][..],
            &[sender("streaming", "async")],
            &[sender("streaming", "potential")],
            &[sender("catchup", "sync")],
        ] {
            assert_eq!(Durability::of("on", senders), Durability::Local, "{senders:?}");
        }
    }

    #[test]
    fn what_may_not_be_read_is_unknown_and_not_taken_for_replicated() {
        assert_eq!(Durability::of("on", &[HIDDEN]), Durability::Unknown);
        assert_eq!(Durability::of("local", &[HIDDEN]), Durability::Local);
    }
}
