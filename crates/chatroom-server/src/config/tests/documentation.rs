//! `docs/configuration.md` and the table of keys say the same.

use super::super::{apps, callbacks};
use super::*;

#[test]
fn the_documentation_names_exactly_the_known_keys() {
    let documentation = include_str!("../../../../../docs/configuration.md");
    let mut defaults = Config::default();
    let mut rows: Vec<String> = keys::all()
        .iter()
        .map(|key| {
            let default =
                key.show(&mut defaults).map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
            format!("| `{}` | {} | {default} |", key.name, key.takes())
        })
        .collect();
    for table in [&apps::APPS, &callbacks::CALLBACKS] {
        rows.extend(table.keys.iter().map(|key| format!("| `{}` | {} | none |", key.name, key.takes)));
    }
    let named: Vec<_> = documentation.lines().filter(|line| line.starts_with("| `")).collect();
    for (row, line) in rows.iter().zip(&named) {
        assert!(line.starts_with(row.as_str()), "write\n{row}\ninstead of\n{line}");
    }
    assert_eq!(named.len(), rows.len(), "write\n{}", rows.join("\n"));
}

#[test]
fn the_examples_of_the_documentation_can_be_read() {
    let documentation = include_str!("../../../../../docs/configuration.md");
    let examples: Vec<_> =
        documentation.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        file(example);
    }
}
