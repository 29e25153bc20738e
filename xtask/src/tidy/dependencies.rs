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
    ("chatroom-store-testkit", &["chatroom-core"]),
    (
        "chatroom-server",
        &["chatroom-core", "chatroom-protocol", "chatroom-store-embedded", "chatroom-store-memory"],
    ),
    ("chatroom-client", &["chatroom-core", "chatroom-protocol"]),
    ("xtask", &[]),
    ("xtask-bare", &[]),
];

/// The core is pure: nothing comes in that could do IO.
const CORE_MAY_USE: &[&str] = &["async-trait", "mockall", "serde", "thiserror"];

/// A crate of the workspace, with the names of what it depends on.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    name: String,
    /// Dependencies of the code and of its build script.
    normal: Vec<String>,
    dev: Vec<String>,
}

pub(crate) fn crates_of(metadata: &Metadata) -> Vec<Crate> {
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let mut found = Crate { name: package.name.to_string(), ..Crate::default() };
            for dependency in &package.dependencies {
                if dependency.kind == DependencyKind::Development {
                    found.dev.push(dependency.name.clone());
                } else {
                    found.normal.push(dependency.name.clone());
                }
            }
            found
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
        if let Some(cycle) = cycle_from(found, &ours) {
            say(format!("is in a cycle of dependencies: {cycle}"));
        }
    }
    findings
}

/// A way from a crate back to itself. Cargo allows one through tests; it compiles the crate twice, and types of
/// the two are not the same.
fn cycle_from(start: &Crate, ours: &BTreeMap<&str, &Crate>) -> Option<String> {
    let mut ways = vec![vec![start.name.as_str()]];
    let mut seen = Vec::new();
    while let Some(way) = ways.pop() {
        let Some(last) = way.last().and_then(|name| ours.get(name)) else { continue };
        for next in last.normal.iter().chain(&last.dev).map(String::as_str) {
            // A crate that names itself as a test dependency switches on its own features.
            if next == start.name && way.len() > 1 {
                return Some(format!("{} -> {next}", way.join(" -> ")));
            }
            if ours.contains_key(next) && next != start.name && !seen.contains(&next) {
                seen.push(next);
                ways.push([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Crate, check};

    fn on(name: &str, normal: &[&str], dev: &[&str]) -> Crate {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Crate { name: name.to_owned(), normal: owned(normal), dev: owned(dev) }
    }

    fn found(crates: &[Crate]) -> Vec<String> {
        check(crates).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_layout_of_the_project_is_allowed() {
        let crates = [
            on("chatroom-core", &["thiserror"], &["tokio"]),
            on("chatroom-protocol", &["serde"], &[]),
            on("chatroom-store-memory", &["chatroom-core", "hashbrown"], &["chatroom-store-testkit"]),
            on(
                "chatroom-store-embedded",
                &["chatroom-core", "chatroom-store-memory"],
                &["chatroom-store-testkit"],
            ),
            on("chatroom-store-testkit", &["chatroom-core"], &[]),
            on("chatroom-server", &["chatroom-store-embedded", "chatroom-protocol"], &["chatroom-client"]),
            on("chatroom-client", &["chatroom-protocol", "chatroom-core"], &[]),
        ];
        assert_eq!(found(&crates), Vec::<String>::new());
    }

    #[test]
    fn a_store_that_knows_the_protocol_is_found() {
        let crates =
            [on("chatroom-store-memory", &["chatroom-protocol"], &[]), on("chatroom-protocol", &[], &[])];
        assert_eq!(found(&crates), ["chatroom-store-memory: must not know chatroom-protocol"]);
    }

    #[test]
    fn a_server_that_knows_the_client_is_found() {
        let crates = [on("chatroom-server", &["chatroom-client"], &[]), on("chatroom-client", &[], &[])];
        assert_eq!(found(&crates), ["chatroom-server: must not know chatroom-client"]);
    }

    #[test]
    fn a_core_that_could_do_io_is_found() {
        assert_eq!(
            found(&[on("chatroom-core", &["tokio"], &[])]),
            ["chatroom-core: must not use tokio: the core is pure"]
        );
    }

    #[test]
    fn a_crate_that_nobody_placed_is_found() {
        assert!(found(&[on("chatroom-new", &[], &[])])[0].contains("is not in the table"));
    }

    #[test]
    fn a_cycle_through_tests_is_found() {
        let crates = [
            on("chatroom-core", &[], &["chatroom-store-testkit"]),
            on("chatroom-store-testkit", &["chatroom-core"], &[]),
        ];
        let found = found(&crates);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with("chatroom-core -> chatroom-store-testkit -> chatroom-core"), "{found:?}");
    }
}
