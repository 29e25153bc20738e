//! A lint that is switched off says why, also in code that this platform does not build, and no test is ignored.

use super::tree::{Finding, Tree};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".rs") {
        for (line, attribute) in attributes(text) {
            let lint = ["expect(", "allow("].iter().any(|word| attribute.contains(word));
            let conditional = attribute.starts_with("cfg_attr(");
            if lint && (conditional || !attribute.starts_with("cfg(")) && !attribute.contains("reason =") {
                findings.push(Finding::at(path, line, "a lint is switched off without a reason"));
            }
            if attribute == "ignore"
                || attribute.starts_with("ignore ")
                || (conditional && attribute.contains("ignore"))
            {
                findings.push(Finding::at(path, line, "a test is ignored: mend it or take it out"));
            }
        }
    }
    findings
}

/// The attributes that begin a line, without their brackets, and where they begin.
fn attributes(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let begins = line.trim_start();
        if let Some(open) = ["#[", "#!["].into_iter().find(|open| begins.starts_with(open)) {
            let start = at + (line.len() - begins.len()) + open.len();
            found.push((index + 1, &text[start..start + until_closed(&text[start..])]));
        }
        at += line.len();
    }
    found
}

/// The length of what stands before the bracket that closes an open one.
fn until_closed(text: &str) -> usize {
    let mut depth = 1_u32;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn lines(text: &str) -> Vec<usize> {
        check(&Tree::of(&[("a.rs", text)])).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_lint_that_is_switched_off_needs_a_reason() {
        assert_eq!(lines("x\n    #[expect(dead_code)]\n#![allow(\n  unused,\n)]\n"), [2, 3]);
        let explained =
            "#[expect(dead_code, reason = \"why\")]\n#[expect(\n  dead_code,\n  reason = \"why\"\n)]\n";
        assert!(lines(explained).is_empty());
        assert_eq!(lines("#[cfg_attr(test, allow(dead_code))]\n"), [1]);
    }

    #[test]
    fn an_ignored_test_is_found() {
        assert_eq!(lines("#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\n"), [2, 4]);
    }

    #[test]
    fn other_attributes_are_left_alone() {
        assert!(lines("#[derive(Debug)]\n#[doc = \"[x]\"]\nlet a = [1];\n// #[ignore]\n").is_empty());
    }
}
