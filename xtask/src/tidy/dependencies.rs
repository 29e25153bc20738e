//! Who may know whom. Rules stay in the core only as long as the core can reach nothing else, and a store that
//! cannot see the protocol cannot answer in its terms.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata};

use super::tree::Finding;

/// Each crate and those of ours that it may depend on. What tests depend on is free.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("chatroom-core", &[]),
    ("chatroom-protocol", &[]),
    ("chatroom-callback", &["chatroom-core", "chatroom-protocol"]),
    ("chatroom-store-memory", &["chatroom-core"]),
    ("chatroom-store-embedded", &["chatroom-core", "chatroom-store-memory"]),
    ("chatroom-store-postgres", &["chatroom-core"]),
    ("chatroom-store-testkit", &["chatroom-core"]),
    (
        "chatroom-server",
        &[
            "chatroom-callback",
            "chatroom-core",
            "chatroom-protocol",
            "chatroom-store-embedded",
            "chatroom-store-memory",
            "chatroom-store-postgres",
        ],
    ),
    ("chatroom-client", &["chatroom-core", "chatroom-protocol"]),
    ("xtask", &["xtask-postgres"]),
    ("xtask-bare", &[]),
    ("xtask-grouping", &["chatroom-core", "chatroom-store-postgres"]),
    ("xtask-postgres", &[]),
    ("xtask-poster", &[]),
    ("xtask-slow", &["chatroom-core", "chatroom-server"]),
];

/// The core is pure: nothing comes in that could do IO.
const CORE_MAY_USE: &[&str] = &["async-trait", "mockall", "serde", "smol_str", "thiserror"];

/// A crate of the workspace, with the names of what it depends on.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    name: String,
    /// Dependencies of the code and of its build script.
    normal: Vec<String>,
}

pub(crate) fn crates_of(metadata: &Metadata) -> Vec<Crate> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let free = |kind| kind == DependencyKind::Development;
            let normal = package.dependencies.iter().filter(|dependency| !free(dependency.kind));
            Crate {
                name: package.name.to_string(),
                normal: normal.map(|dependency| dependency.name.clone()).collect(),
            }
        })
        .collect()
}

pub(crate) fn check(crates: &[Crate]) -> Vec<Finding> {
    let ours: BTreeMap<&str, &Crate> = crates.iter().map(|found| (found.name.as_str(), found)).collect();
    let mut findings = Vec::new();
    for found in crates {
        let mut say = |what: String| findings.push(Finding::at(&found.name, 0, what));
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(name, _)| *name == found.name) else {
            say("is not in the table of who may know whom (xtask/src/tidy/dependencies.rs)".to_owned());
            continue;
        };
        for other in &found.normal {
            if ours.contains_key(other.as_str()) && !allowed.contains(&other.as_str()) {
                say(format!("must not know {other}"));
            }
            if found.name == "chatroom-core" && !CORE_MAY_USE.contains(&other.as_str()) {
                say(format!("must not use {other}: the core is pure"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Crate, check};

    fn on(name: &str, normal: &[&str]) -> Crate {
        let normal = normal.iter().map(|name| (*name).to_owned()).collect();
        Crate { name: name.to_owned(), normal }
    }

    fn found(crates: &[Crate]) -> Vec<String> {
        check(crates).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_layout_of_the_project_is_allowed() {
        let crates = [
            on("chatroom-core", &["thiserror"]),
            on("chatroom-protocol", &["serde"]),
            on("chatroom-store-memory", &["chatroom-core", "hashbrown"]),
            on("chatroom-store-embedded", &["chatroom-core", "chatroom-store-memory"]),
            on("chatroom-store-testkit", &["chatroom-core"]),
            on("chatroom-server", &["chatroom-store-embedded", "chatroom-protocol"]),
            on("chatroom-client", &["chatroom-protocol", "chatroom-core"]),
        ];
        assert_eq!(found(&crates), Vec::<String>::new());
    }

    #[test]
    fn a_store_that_knows_the_protocol_is_found() {
        let crates = [on("chatroom-store-memory", &["chatroom-protocol"]), on("chatroom-protocol", &[])];
        assert_eq!(found(&crates), ["chatroom-store-memory: must not know chatroom-protocol"]);
    }

    #[test]
    fn a_server_that_knows_the_client_is_found() {
        let crates = [on("chatroom-server", &["chatroom-client"]), on("chatroom-client", &[])];
        assert_eq!(found(&crates), ["chatroom-server: must not know chatroom-client"]);
    }

    #[test]
    fn a_core_that_could_do_io_is_found() {
        assert_eq!(
            found(&[on("chatroom-core", &["tokio"])]),
            ["chatroom-core: must not use tokio: the core is pure"]
        );
    }

    #[test]
    fn a_crate_that_nobody_placed_is_found() {
        assert!(found(&[on("chatroom-new", &[])])[0].contains("is not in the table"));
    }
}
