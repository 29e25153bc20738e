//! Files stay short enough to be read at a sitting: one thing a file.

use super::tree::{Finding, Tree};

const LONGEST: usize = 400;
/// Half of the files are shorter than this.
const MEDIAN: usize = 150;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut lengths: Vec<(usize, &str)> =
        tree.texts(".rs").map(|(path, text)| (text.lines().count(), path)).collect();
    let mut findings: Vec<Finding> = lengths
        .iter()
        .filter(|(length, _)| *length > LONGEST)
        .map(|(length, path)| Finding::at(path, 0, format!("{length} lines; at most {LONGEST}: divide it")))
        .collect();
    lengths.sort_unstable();
    if let Some((median, path)) = lengths.get(lengths.len() / 2)
        && *median >= MEDIAN
    {
        findings.push(Finding::at(
            path,
            0,
            format!("the median file has {median} lines; it is to be under {MEDIAN}"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::tree::Tree;

    fn found(lengths: &[usize]) -> Vec<String> {
        let files: Vec<_> = lengths
            .iter()
            .enumerate()
            .map(|(i, length)| (format!("{i}.rs"), "x\n".repeat(*length)))
            .collect();
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_of_400_lines_is_the_longest() {
        assert_eq!(found(&[400, 1, 1]), Vec::<String>::new());
        assert_eq!(found(&[401, 1, 1]), ["0.rs: 401 lines; at most 400: divide it"]);
    }

    #[test]
    fn a_median_of_150_is_found() {
        assert_eq!(found(&[149, 149, 300]), Vec::<String>::new());
        assert_eq!(found(&[10, 150, 300]), ["1.rs: the median file has 150 lines; it is to be under 150"]);
    }
}
