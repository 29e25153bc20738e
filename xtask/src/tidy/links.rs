//! Links between the documents lead somewhere: to a file of the repository, and to a heading that it has.

use super::markdown;
use super::tree::{Finding, Tree, resolve};

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".md") {
        for line in markdown::lines(text).iter().filter(|line| line.fence.is_none()) {
            for target in targets(&markdown::without_code_spans(line.text)) {
                if let Some(what) = fault(tree, path, text, &target) {
                    findings.push(Finding::at(path, line.number, what));
                }
            }
        }
    }
    findings
}

/// The targets of `[text](target)` and `[name]: target`.
fn targets(line: &str) -> Vec<String> {
    let mut targets: Vec<String> = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split_whitespace().next().unwrap_or_default().to_owned())
        .collect();
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        targets.push(target.split_whitespace().next().unwrap_or_default().to_owned());
    }
    targets
}

fn fault(tree: &Tree, path: &str, text: &str, target: &str) -> Option<String> {
    if ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let document = if file.is_empty() {
        Some(text)
    } else {
        let Some(found) = resolve(path, file) else {
            return Some(format!("`{target}` leads out of the repository"));
        };
        if file.starts_with('/') || !tree.has(&found) {
            return Some(format!("`{target}` leads to no file"));
        }
        tree.text(&found).filter(|_| found.ends_with(".md"))
    };
    // A heading is checked in documents only: a `#L10` of a source file is GitHub's own.
    let (document, anchor) = (document?, anchor?);
    let known = markdown::anchors(document).iter().any(|heading| heading == anchor)
        || document.contains(&format!("<a id=\"{anchor}\">"));
    (!known).then(|| format!("`{target}` leads to no heading"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(readme: &str) -> Vec<String> {
        let tree = Tree::of(&[
            ("README.md", readme),
            ("docs/a.md", "# One heading\n"),
            ("crates/x/src/lib.rs", "fn x() {}\n"),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        let text = "# Top\n[a](docs/a.md) [b](docs/a.md#one-heading), [c](#top \"title\") [d](https://example.org/x)\n\
                    [e](crates/x) [f](crates/x/src/lib.rs#L1) `[g](nowhere)`\n\n[h]: docs/a.md\n```\n[i](nowhere)\n```\n";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn a_link_to_no_file_is_found() {
        assert_eq!(found("x\n[a](docs/b.md)\n"), ["README.md:2: `docs/b.md` leads to no file"]);
        assert_eq!(found("[a]: docs/b.md\n"), ["README.md:1: `docs/b.md` leads to no file"]);
    }

    #[test]
    fn a_link_to_no_heading_is_found() {
        assert_eq!(found("[a](docs/a.md#two)\n"), ["README.md:1: `docs/a.md#two` leads to no heading"]);
        assert_eq!(found("[a](#two)\n"), ["README.md:1: `#two` leads to no heading"]);
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        assert_eq!(found("[a](../b.md)\n"), ["README.md:1: `../b.md` leads out of the repository"]);
    }
}
