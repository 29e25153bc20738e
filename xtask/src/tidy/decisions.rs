//! Every promise in `docs/contract` is shown by a test that carries the promise's number in its name.

use std::collections::BTreeSet;

use super::tree::{Finding, Tree};

const INDEX: &str = "docs/contract/README.md";
const ROWS: u32 = 38;
/// A test of the client shows what the client makes of an answer, not what the server answers.
const CLIENT: &str = "crates/chatroom-client/";

/// The last cell of a row of the index.
enum Shown {
    /// `decision_8_`: a test of this version shows it.
    ByTest,
    /// `later: …`: what it speaks of does not exist yet.
    Later,
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(index) = tree.text(INDEX) else {
        return vec![Finding::at(INDEX, 0, "is missing")];
    };
    let (tested, mut findings) = tested(tree);
    let mut listed = BTreeSet::new();
    for (number, line) in index.lines().enumerate() {
        let Some((row, shown)) = row(line) else { continue };
        let mut say = |what: String| findings.push(Finding::at(INDEX, number + 1, what));
        if !listed.insert(row) {
            say(format!("row {row} stands here twice"));
        }
        match shown {
            None => say(format!("row {row} is to end with `decision_{row:02}_` or `later: …`")),
            Some(Shown::ByTest) if !tested.contains(&row) => {
                say(format!("no test shows row {row}: its name would hold `decision_{row:02}_`"));
            }
            Some(Shown::Later) if tested.contains(&row) => {
                say(format!("row {row} is said to come later, and a test shows it"));
            }
            Some(Shown::ByTest | Shown::Later) => {}
        }
    }
    let missing = (1..=ROWS).filter(|row| !listed.contains(row));
    findings.extend(missing.map(|row| Finding::at(INDEX, 0, format!("row {row} is missing"))));
    findings
}

/// `| 8 | question | where | shown by |`
fn row(line: &str) -> Option<(u32, Option<Shown>)> {
    let cells: Vec<_> =
        line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect();
    let row = cells.first()?.parse().ok()?;
    let shown = cells.last().copied().unwrap_or_default();
    let by_test = numbers(shown).contains(&row);
    Some((
        row,
        if by_test { Some(Shown::ByTest) } else { shown.starts_with("later: ").then_some(Shown::Later) },
    ))
}

/// The rows that the names of functions carry.
fn tested(tree: &Tree) -> (BTreeSet<u32>, Vec<Finding>) {
    let mut tested = BTreeSet::new();
    let mut findings = Vec::new();
    for (path, text) in
        tree.texts(".rs").filter(|(path, _)| path.starts_with("crates/") && !path.starts_with(CLIENT))
    {
        for (number, line) in text.lines().enumerate() {
            let Some((_, rest)) = line.split_once("fn ") else { continue };
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if name.contains(char::is_whitespace) {
                continue;
            }
            for row in numbers(name) {
                if !(1..=ROWS).contains(&row) {
                    findings.push(Finding::at(path, number + 1, format!("there is no row {row}")));
                }
                tested.insert(row);
            }
        }
    }
    (tested, findings)
}

/// The numbers in `decision_8_…` and `…_decision_08_…`.
fn numbers(name: &str) -> Vec<u32> {
    name.split("decision_").skip(1).filter_map(|rest| rest.split_once('_')?.0.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{INDEX, ROWS, check};
    use crate::tidy::tree::Tree;

    fn index(last: impl Fn(u32) -> String) -> String {
        (1..=ROWS).map(|row| format!("| {row} | q | w | {} |\n", last(row))).collect()
    }

    fn tests(rows: impl Iterator<Item = u32>) -> String {
        rows.map(|row| format!("#[test]\nfn decision_{row}_holds() {{}}\n")).collect()
    }

    fn found(index: &str, tests: &str) -> Vec<String> {
        let tree = Tree::of(&[(INDEX, index), ("crates/x/src/a.rs", tests)]);
        check(&tree).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn rows_that_are_shown_are_fine() {
        let index =
            index(|row| if row == 9 { "later: admins".to_owned() } else { format!("`decision_{row}_`") });
        assert_eq!(found(&index, &tests((1..=ROWS).filter(|row| *row != 9))), Vec::<String>::new());
    }

    #[test]
    fn a_row_that_no_test_shows_is_found() {
        let index = index(|row| format!("`decision_{row}_`"));
        let what = found(&index, &tests(2..=ROWS));
        assert_eq!(what, ["no test shows row 1: its name would hold `decision_01_`"]);
    }

    #[test]
    fn a_row_that_came_earlier_than_said_is_found() {
        let index = index(|_| "later: something".to_owned());
        assert_eq!(
            found(&index, "fn decision_07_holds() {}\n"),
            ["row 7 is said to come later, and a test shows it"]
        );
    }

    #[test]
    fn a_row_that_is_missing_twice_there_or_unknown_is_found() {
        let index = index(|_| "later: x".to_owned())
            .replace("| 38 |", "| 37 |")
            .replace("| 1 | q | w | later: x", "| 1 | q | w | -");
        let mut what = found(&index, "async fn a_decision_39_is_none<T>() {}\n");
        what.sort();
        assert_eq!(
            what,
            [
                "row 1 is to end with `decision_01_` or `later: …`",
                "row 37 stands here twice",
                "row 38 is missing",
                "there is no row 39"
            ]
        );
    }

    #[test]
    fn a_test_of_the_client_shows_no_row() {
        let index = index(|_| "later: x".to_owned());
        let tree =
            Tree::of(&[(INDEX, &index), ("crates/chatroom-client/src/a.rs", "fn decision_07_holds() {}\n")]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_missing_index_is_found() {
        assert_eq!(check(&Tree::of(&[]))[0].what, "is missing");
    }
}
