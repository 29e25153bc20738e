//! The storage contract, on the embedded store.

#![expect(clippy::expect_used, reason = "a test that cannot set itself up fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chatroom_store_embedded::{EmbeddedStore, Options, Sync};
use chatroom_store_testkit::{
    DeliveryHarness, DurableHarness, Harness, Setup, async_trait, contract_tests, delivery_tests,
    one_process_delivery_tests,
};

/// Stores in directories that are gone with it.
struct Embedded {
    dir: tempfile::TempDir,
    lives: AtomicU32,
    /// How many bytes of commits are followed by a snapshot.
    snapshot_bytes: u64,
}

impl Embedded {
    fn new() -> Self {
        Self::with_snapshots_after(64 << 20)
    }

    fn with_snapshots_after(snapshot_bytes: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory for tests");
        Self { dir, lives: AtomicU32::new(0), snapshot_bytes }
    }

    fn life(&self) -> PathBuf {
        self.dir.path().join(self.lives.load(Ordering::SeqCst).to_string())
    }

    fn store(&self, setup: &Setup) -> Arc<EmbeddedStore> {
        let mut options = Options::new(self.life());
        options.max_members = setup.max_memberships;
        options.snapshot_bytes = self.snapshot_bytes;
        options.keep = setup.keep;
        // No power is lost here; what is synced when is another test's matter.
        options.sync = Sync::None;
        Arc::new(EmbeddedStore::open(&options, setup.clock.clone()).expect("a store that opens"))
    }
}

#[async_trait]
impl Harness for Embedded {
    type Store = EmbeddedStore;

    async fn open(&self, setup: Setup) -> Arc<EmbeddedStore> {
        self.store(&setup)
    }
}

#[async_trait]
impl DeliveryHarness for Embedded {
    async fn retain(&self, store: &EmbeddedStore) {
        store.maintain().expect("a tidy directory");
    }
}

/// Goes on from a copy of the files, made in the middle of whatever the store does: as if the process had been killed.
#[async_trait]
impl DurableHarness for Embedded {
    async fn restart(&self, store: Arc<EmbeddedStore>, setup: Setup) -> Arc<EmbeddedStore> {
        let before = self.life();
        self.lives.fetch_add(1, Ordering::SeqCst);
        std::fs::create_dir(self.life()).expect("a directory for the copy");
        for name in ["journal.db", "journal.db-wal"] {
            copy(&before, &self.life(), name);
        }
        // The journal first: what it no longer holds, a snapshot did before.
        for name in snapshots(&before) {
            copy(&before, &self.life(), &name);
        }
        drop(store);
        self.store(&setup)
    }
}

/// Stores that write snapshots all the time, and are closed before they are opened again.
struct Snapshots(Embedded);

#[async_trait]
impl Harness for Snapshots {
    type Store = EmbeddedStore;

    async fn open(&self, setup: Setup) -> Arc<EmbeddedStore> {
        self.0.store(&setup)
    }
}

#[async_trait]
impl DeliveryHarness for Snapshots {
    async fn retain(&self, store: &EmbeddedStore) {
        self.0.retain(store).await;
    }
}

#[async_trait]
impl DurableHarness for Snapshots {
    async fn restart(&self, store: Arc<EmbeddedStore>, setup: Setup) -> Arc<EmbeddedStore> {
        store.maintain().expect("a snapshot");
        drop(store);
        assert_eq!(snapshots(&self.0.life()).len(), 1, "it begins with a snapshot");
        self.0.store(&setup)
    }
}

fn snapshots(dir: &Path) -> Vec<String> {
    let files = std::fs::read_dir(dir).expect("a directory").flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("snapshot-")).collect()
}

fn copy(from: &Path, to: &Path, name: &str) {
    std::fs::copy(from.join(name), to.join(name)).expect("a file to copy");
}

contract_tests!(Embedded::new());
delivery_tests!(Embedded::new());
one_process_delivery_tests!(Embedded::new());

mod killed {
    use super::Embedded;
    chatroom_store_testkit::durability_tests!(Embedded::new());
    chatroom_store_testkit::delivery_durability_tests!(Embedded::new());
    chatroom_store_testkit::one_process_delivery_durability_tests!(Embedded::new());
}

mod from_snapshots {
    use super::{Embedded, Snapshots};

    fn harness() -> Snapshots {
        Snapshots(Embedded::with_snapshots_after(1))
    }

    chatroom_store_testkit::small_durability_tests!(harness());
    chatroom_store_testkit::delivery_durability_tests!(harness());
    chatroom_store_testkit::one_process_delivery_durability_tests!(harness());
}
