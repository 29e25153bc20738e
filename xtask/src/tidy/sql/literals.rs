//! The texts in Rust code, without its comments.

use std::str::FromStr as _;

use proc_macro2::{TokenStream, TokenTree};

use super::words::Text;

/// The string literals, or the line on which the text stops being Rust.
pub(super) fn literals(code: &str) -> Result<Vec<Text>, usize> {
    let tokens = TokenStream::from_str(code).map_err(|error| error.span().start().line)?;
    let mut found = Vec::new();
    collect(tokens, &mut found);
    Ok(found)
}

fn collect(tokens: TokenStream, found: &mut Vec<Text>) {
    let mut attribute = false;
    for token in tokens {
        match token {
            // A comment for the documentation is an attribute by now.
            TokenTree::Group(_) if attribute => attribute = false,
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Punct(mark) => {
                attribute = mark.as_char() == '#' || (attribute && mark.as_char() == '!');
            }
            TokenTree::Literal(literal) => {
                let written = literal.to_string();
                if let Some(text) = inside(&written) {
                    found.push(Text::of_literal(&text, literal.span().start().line));
                }
            }
            TokenTree::Ident(_) => attribute = false,
        }
    }
}

/// What stands between the quotes, with a blank for each escape, so that words and lines stay where they are.
fn inside(written: &str) -> Option<String> {
    let (prefix, rest) = written.split_once('"')?;
    if !matches!(prefix.trim_end_matches('#'), "" | "r" | "b" | "br" | "c" | "cr") {
        return None;
    }
    let text = rest.trim_end_matches('#').strip_suffix('"')?;
    if prefix.contains('r') {
        return Some(text.to_owned());
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('\n') => plain.push('\n'),
                _ => plain.push(' '),
            },
            c => plain.push(c),
        }
    }
    Some(plain)
}
