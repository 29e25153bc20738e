//! The example with the importer's own maps keeps the testkit's part for repositories.

use std::sync::Arc;

use chatroom_core::test_util::HandFacts;
use chatroom_core::{AppId, Facts};
use chatroom_store_testkit::{RepositoryHarness, Setup, async_trait, repository_tests};

#[path = "../../examples/own_map.rs"]
mod example;

struct OwnMap;

#[expect(clippy::unwrap_used, reason = "facts made by hand have their app")]
#[async_trait]
impl RepositoryHarness for OwnMap {
    type Repository = example::OwnMap;

    async fn open(&self, setup: Setup) -> (Arc<example::OwnMap>, AppId) {
        let app = HandFacts::with_users(&[]).app(&HandFacts::app_key()).cloned().unwrap();
        (Arc::new(example::OwnMap::new(app, setup.clock)), HandFacts::APP)
    }
}

repository_tests!(OwnMap);

#[test]
fn the_example_with_the_importers_own_maps_runs() {
    example::main().unwrap();
}
