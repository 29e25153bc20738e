//! Each dependency has its line of why, in the one place where dependencies are chosen.

use super::tree::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts("Cargo.toml") {
        if path == "Cargo.toml" {
            for (line, name) in unexplained(text) {
                findings.push(Finding::at(
                    path,
                    line,
                    format!("`{name}` has no comment above it that says why"),
                ));
            }
        } else {
            for (line, entry) in entries(text, |section| section.ends_with("dependencies")) {
                // A crate that names itself switches on its own features for its tests.
                if !entry.contains("workspace = true") && !entry.contains("path = \".\"") {
                    let what = "a dependency is declared at the root, with its why, and inherited here";
                    findings.push(Finding::at(path, line, what));
                }
            }
        }
    }
    findings
}

/// The lines of the sections that are asked for, numbered from 1.
fn section_lines(text: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            inside = wanted(section.0);
            return None;
        }
        inside.then_some((index + 1, line))
    })
}

fn entries(text: &str, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    section_lines(text, wanted)
        .filter(|(_, line)| line.starts_with(|c: char| c.is_alphanumeric()) && line.contains('='))
}

/// In a paragraph that has one comment, at its head, the comment speaks for all of it. Where there are several,
/// each entry needs its own, or nobody can tell for which entries one speaks.
fn unexplained(text: &str) -> Vec<(usize, String)> {
    let lines: Vec<_> = section_lines(text, |section| section == "workspace.dependencies").collect();
    let mut found = Vec::new();
    for paragraph in lines.split(|(_, line)| line.trim().is_empty()) {
        let is_comment = |index: usize| paragraph.get(index).is_some_and(|(_, line)| line.starts_with('#'));
        let after = |index: usize| index.checked_sub(1).is_some_and(is_comment);
        let blocks = (0..paragraph.len()).filter(|index| is_comment(*index) && !after(*index)).count();
        if blocks == 1 && is_comment(0) {
            continue;
        }
        for (index, (number, line)) in paragraph.iter().enumerate() {
            if let Some((name, _)) = line.split_once([' ', '=', '.'])
                && !is_comment(index)
                && !after(index)
            {
                found.push((*number, name.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_paragraph_with_one_comment_is_explained() {
        let text = "[workspace.dependencies]\n# Given.\na = \"1\"\nb = \"1\"\n\n# Why c.\nc = \"1\"\n# Why d.\nd = \"1\"\n";
        assert_eq!(found("Cargo.toml", text), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_without_a_why_is_found() {
        let text = "[workspace]\nx = 1\n[workspace.dependencies]\n# Why a.\na = \"1\"\nb = \"1\"\n# Why c.\nc = \"1\"\n\nd = \"1\"\n";
        assert_eq!(
            found("Cargo.toml", text),
            [
                "Cargo.toml:6: `b` has no comment above it that says why",
                "Cargo.toml:10: `d` has no comment above it that says why"
            ]
        );
    }

    #[test]
    fn a_dependency_that_is_not_inherited_is_found() {
        let text =
            "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = \"1\"\n[features]\nc = []\n";
        assert_eq!(found("crates/x/Cargo.toml", text).len(), 1);
        assert!(found("crates/x/Cargo.toml", text)[0].starts_with("crates/x/Cargo.toml:5: "));
    }
}
