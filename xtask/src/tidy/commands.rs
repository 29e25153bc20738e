//! The commands that the documents show exist, with the options that they are shown with. The definitions of
//! the command lines are asked, not a list beside them.

mod line;

use anyhow::Result;
use clap::CommandFactory as _;

use self::line::{Invocation, Program, invocations};
use super::markdown;
use super::server_help::ServerHelp;
use super::tree::{Finding, Tree};
use crate::cli::Cli;
use crate::project::Project;

type HelpOf<'a> = Box<dyn FnMut(&[String]) -> Result<Option<String>> + 'a>;

/// What can be called.
pub(crate) struct Known<'a> {
    /// The help text of a subcommand of the server, if there is one.
    server: HelpOf<'a>,
    examples: Vec<String>,
}

impl<'a> Known<'a> {
    pub(crate) fn of(project: &Project, server: &'a mut ServerHelp<'_>) -> Self {
        let targets = project.metadata.workspace_packages().into_iter().flat_map(|package| &package.targets);
        let examples =
            targets.filter(|target| target.is_example()).map(|target| target.name.clone()).collect();
        Self { server: Box::new(|words| server.of(words)), examples }
    }
}

pub(crate) fn check(tree: &Tree, known: &mut Known<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".md") {
        for (number, command) in commands(text) {
            for invocation in invocations(&command) {
                for what in faults(&invocation, known)? {
                    findings.push(Finding::at(path, number, what));
                }
            }
        }
    }
    Ok(findings)
}

/// Lines of shell in fenced blocks, those that `\` continues as one, and code spans in prose.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut continued = false;
    for line in markdown::lines(text) {
        match line.fence {
            None => {
                commands.extend(markdown::code_spans(line.text).map(|span| (line.number, span.to_owned())));
                continued = false;
            }
            Some("" | "sh" | "bash" | "shell" | "console" | "text") => {
                let text = line.text.trim();
                let part = text.trim_end_matches('\\');
                match commands.last_mut() {
                    Some((_, command)) if continued => {
                        command.push(' ');
                        command.push_str(part);
                    }
                    _ => commands.push((line.number, part.to_owned())),
                }
                continued = text.ends_with('\\');
            }
            Some(_) => {}
        }
    }
    commands
}

fn faults(invocation: &Invocation, known: &mut Known<'_>) -> Result<Vec<String>> {
    let Invocation { program, words, options } = invocation;
    let shown = words.join(" ");
    let (name, help) = match program {
        Program::Xtask => ("cargo xtask", xtask_help(words)),
        Program::Server => ("chatroom-server", (known.server)(words)?),
        Program::Example(name) => {
            let missing = !known.examples.contains(name);
            return Ok(missing.then(|| format!("there is no example `{name}`")).into_iter().collect());
        }
    };
    let Some(help) = help else { return Ok(vec![format!("there is no `{name} {shown}`")]) };
    let unknown = options.iter().filter(|option| !has_option(&help, option));
    Ok(unknown.map(|option| format!("`{name} {shown}` has no option `{option}`")).collect())
}

fn xtask_help(words: &[String]) -> Option<String> {
    let mut command = Cli::command();
    let mut task = &mut command;
    for word in words {
        if !task.has_subcommands() {
            break;
        }
        task = task.find_subcommand_mut(word)?;
    }
    Some(task.render_long_help().to_string())
}

fn has_option(help: &str, option: &str) -> bool {
    help.split(|c: char| c.is_whitespace() || matches!(c, ',' | '=' | '[' | ']' | '`'))
        .any(|word| word == option)
}

#[cfg(test)]
mod tests {
    use super::{Known, check};
    use crate::tidy::tree::Tree;

    fn found(text: &str) -> Vec<String> {
        let server = |words: &[String]| {
            let known = [vec![], vec!["app".to_owned(), "show".to_owned()]];
            Ok(known.iter().any(|known| known == words).then(|| "  --listen <A>\n  --help".to_owned()))
        };
        let mut known = Known { server: Box::new(server), examples: vec!["embed".to_owned()] };
        let tree = Tree::of(&[("README.md", text)]);
        check(&tree, &mut known).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commands_that_exist_are_fine() {
        let text = "`cargo xtask tidy` and `cargo xtask …`\n```sh\n$ cargo xtask torture --rounds 100 \\\n  --seed 7\n\
                    cargo run --release -- --listen [::1]:8080\nchatroom-server app show demo/chat\ncargo run --example embed\n\
                    cargo build --release\n```\n```rust\ncargo xtask nothing\n```\n";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn a_task_that_does_not_exist_is_found() {
        assert_eq!(found("run `cargo xtask paint`\n"), ["README.md:1: there is no `cargo xtask paint`"]);
        let expected = ["README.md:1: there is no `cargo xtask bench paint`"];
        assert_eq!(found("`cargo xtask bench paint`, `cargo xtask bench removal --rounds 9`\n"), expected);
    }

    #[test]
    fn an_option_that_does_not_exist_is_found() {
        assert_eq!(
            found("```\ncargo xtask torture \\\n  --round 3\n```\n"),
            ["README.md:2: `cargo xtask torture` has no option `--round`"]
        );
        assert_eq!(
            found("```\ncargo run -- --lissten x\n```\n"),
            ["README.md:2: `chatroom-server ` has no option `--lissten`"]
        );
    }

    #[test]
    fn a_subcommand_of_the_server_that_does_not_exist_is_found() {
        let expected = ["README.md:1: there is no `chatroom-server app hide`"];
        assert_eq!(found("`./target/release/chatroom-server app hide demo/chat`\n"), expected);
        assert_eq!(found("`cargo run --release -p chatroom-server -- app hide`\n"), expected);
    }

    #[test]
    fn an_example_that_does_not_exist_is_found() {
        assert_eq!(found("`cargo run --example imbed`\n"), ["README.md:1: there is no example `imbed`"]);
    }
}
