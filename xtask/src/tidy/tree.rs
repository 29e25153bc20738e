//! The files of the repository, read once.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use xshell::cmd;

use crate::project::Project;

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// From 1; 0 is the whole file.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn at(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

pub(crate) enum Content {
    Text(String),
    /// Not UTF-8.
    Binary,
    /// A symbolic link and where it leads.
    Link(String),
}

/// What git tracks, and what it would track: a file is checked before it is added.
pub(crate) struct Tree {
    files: Vec<(String, Content)>,
}

impl Tree {
    pub(crate) fn read(project: &Project) -> Result<Self> {
        let listed =
            cmd!(project.shell, "git ls-files -z --cached --others --exclude-standard").quiet().read()?;
        let mut files = Vec::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted and is still in the index is not there.
            if let Some(content) = content(&project.root.join(path)).with_context(|| path.to_owned())? {
                files.push((path.to_owned(), content));
            }
        }
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { files })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Content)> {
        self.files.iter().map(|(path, content)| (path.as_str(), content))
    }

    /// The text files whose path ends so.
    pub(crate) fn texts<'a>(&'a self, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.ends_with(end)).filter_map(
            |(path, content)| match content {
                Content::Text(text) => Some((path, text.as_str())),
                Content::Binary | Content::Link(_) => None,
            },
        )
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files().find_map(|(found, content)| match content {
            Content::Text(text) if found == path => Some(text.as_str()),
            Content::Text(_) | Content::Binary | Content::Link(_) => None,
        })
    }

    /// Whether a file or a folder lies there.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty() || self.files().any(|(file, _)| file == path || file.starts_with(&folder))
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let text = |(path, text): &(&str, &str)| ((*path).to_owned(), Content::Text((*text).to_owned()));
        Self { files: files.iter().map(text).collect() }
    }

    #[cfg(test)]
    pub(crate) fn with_link(mut self, path: &str, to: &str) -> Self {
        self.files.push((path.to_owned(), Content::Link(to.to_owned())));
        self
    }
}

fn content(path: &Path) -> Result<Option<Content>> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(None) };
    if metadata.is_symlink() {
        return Ok(Some(Content::Link(fs::read_link(path)?.to_string_lossy().into_owned())));
    }
    Ok(Some(String::from_utf8(fs::read(path)?).map_or(Content::Binary, Content::Text)))
}

/// Joins a relative path to the folder of a file and takes out `.` and `..`; `None` leads out of the repository.
pub(crate) fn resolve(from: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{Finding, resolve};

    #[test]
    fn a_path_is_resolved_from_the_folder_of_its_file() {
        assert_eq!(resolve("docs/contract/README.md", "../adr/1.md").as_deref(), Some("docs/adr/1.md"));
        assert_eq!(resolve("README.md", "./docs/").as_deref(), Some("docs"));
        assert_eq!(resolve("docs/a.md", "../../b.md"), None);
    }

    #[test]
    fn a_finding_names_its_place() {
        assert_eq!(Finding::at("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
        assert_eq!(Finding::at("a.rs", 0, "bad").to_string(), "a.rs: bad");
    }
}
