//! Export and import with the real binary: whole, interrupted, damaged, and beside a server that removes members.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatroom_core::test_util::CountingIds;
use chatroom_core::{
    AppRegistry, Chatrooms, Deliveries, Limits, NewRoom, NewUser, Rule, RuleRegistry,
};
use chatroom_server::serve::SystemClock;
use chatroom_store_embedded::{EmbeddedStore, Options, Sync};
use serde_json::Value;

use crate::support::{Binary, command, ended, open, paste};
