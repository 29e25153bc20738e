//! As much of Markdown as the checks need: what is code, what is prose, which headings there are.

/// A line and where it stands, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
    /// The language of the fenced block that it stands in (`""` if none is named); `None` is prose.
    pub(crate) fence: Option<&'a str>,
}

/// The lines without the fences themselves.
pub(crate) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut open: Option<(&str, &str)> = None;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (mark, open) {
            (Some(mark), None) => open = Some((mark, trimmed.trim_start_matches(['`', '~']).trim())),
            (Some(mark), Some((opened, _))) if mark == opened => open = None,
            _ => {
                let fence = open.map(|(_, language)| language);
                lines.push(Line { number: index + 1, text: line, fence });
            }
        }
    }
    lines
}

/// The code spans of a line of prose.
pub(crate) fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// A line of prose without its code spans, which may look like anything.
pub(crate) fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// The anchors that a document's headings make, as GitHub makes them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for line in lines(text).iter().filter(|line| line.fence.is_none()) {
        let heading = line.text.trim_start_matches('#');
        if heading.len() == line.text.len() || !heading.starts_with(' ') {
            continue;
        }
        let slug = slug(heading.trim());
        let mut anchor = slug.clone();
        let mut again = 0_u32;
        while anchors.contains(&anchor) {
            again += 1;
            anchor = format!("{slug}-{again}");
        }
        anchors.push(anchor);
    }
    anchors
}

fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{anchors, code_spans, lines, without_code_spans};

    #[test]
    fn fenced_lines_know_their_language() {
        let text = "a\n```sh\nb\n```\nc\n~~~\nd\n```\n~~~\n";
        let found: Vec<_> = lines(text).iter().map(|line| (line.number, line.text, line.fence)).collect();
        let expected =
            [(1, "a", None), (3, "b", Some("sh")), (5, "c", None), (7, "d", Some("")), (8, "```", Some(""))];
        assert_eq!(found, expected);
    }

    #[test]
    fn anchors_are_those_of_github() {
        let text = "# Who may `know` whom?\n## Removal\n## Removal\n#no heading\n```\n# no heading\n```\n";
        assert_eq!(anchors(text), ["who-may-know-whom", "removal", "removal-1"]);
    }

    #[test]
    fn code_spans_are_told_from_prose() {
        assert_eq!(code_spans("run `a b`, then `c`.").collect::<Vec<_>>(), ["a b", "c"]);
        assert_eq!(without_code_spans("run `[a](b)` now"), "run `` now");
    }
}
