//! Nothing in the repository points outside it: a clone on another machine is complete.

use super::tree::{Content, Finding, Tree, resolve};

/// Folders of one machine. Written in two parts, so that this file does not point there itself.
const FOLDERS: &[&str] = &[
    concat!("/", "work"),
    concat!("/", "root"),
    concat!("/", "home"),
    concat!("/", "Users"),
    concat!("..", "/shared"),
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, content) in tree.files() {
        match content {
            Content::Text(text) => {
                for (index, line) in text.lines().enumerate() {
                    if let Some(folder) = FOLDERS.iter().find(|folder| names(line, folder)) {
                        findings.push(Finding::at(
                            path,
                            index + 1,
                            format!("names {folder}, outside the repository"),
                        ));
                    }
                }
            }
            Content::Link(to) => {
                if to.starts_with('/') || resolve(path, to).is_none() {
                    findings.push(Finding::at(path, 0, format!("is a link to {to}, outside the repository")));
                }
            }
            Content::Binary => {}
        }
    }
    findings
}

/// Whether a path on the line begins with the folder. `a/homes` and `example.org/home` are other things.
fn names(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '~');
        !before.is_some_and(inside) && !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    })
}

#[cfg(test)]
mod tests {
    use super::{FOLDERS, check};
    use crate::tidy::tree::Tree;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for folder in FOLDERS {
            let text = format!("first\nsee `{folder}/x/y`\n");
            let findings = check(&Tree::of(&[("docs/a.md", &text)]));
            assert_eq!(findings.len(), 1, "{folder}");
            assert_eq!((findings[0].path.as_str(), findings[0].line), ("docs/a.md", 2));
        }
    }

    #[test]
    fn paths_inside_the_repository_are_not() {
        let text = ".github/workflows, a/workspace, example.org/home, {root}/home and /workers\n";
        assert_eq!(check(&Tree::of(&[("docs/a.md", text)])), []);
    }

    #[test]
    fn a_link_that_leads_out_is_found() {
        let tree = Tree::of(&[])
            .with_link("docs/a", "/etc/passwd")
            .with_link("b", "../c")
            .with_link("docs/d", "../e");
        let paths: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(paths, ["docs/a", "b"]);
    }
}
