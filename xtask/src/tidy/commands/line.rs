//! Reads a line of shell as far as it calls a program of ours.

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Xtask,
    Server,
    Example(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invocation {
    pub(crate) program: Program,
    /// What may be a subcommand: plain words before the first argument that is something else.
    pub(crate) words: Vec<String>,
    /// `--long` options, without values.
    pub(crate) options: Vec<String>,
}

/// The calls of our programs on a line.
pub(crate) fn invocations(line: &str) -> Vec<Invocation> {
    let tokens: Vec<&str> = line
        .trim_start_matches("$ ")
        .split_whitespace()
        .take_while(|token| !token.starts_with('#'))
        .collect();
    tokens
        .split(|token| ["&&", "||", "|", ";", "&", ">", "2>"].contains(token))
        .filter_map(invocation)
        .collect()
}

fn invocation(tokens: &[&str]) -> Option<Invocation> {
    let begin = tokens.iter().position(|token| !is_assignment(token))?;
    let (program, args) = tokens.get(begin..)?.split_first()?;
    match (*program, args.first().copied()) {
        ("cargo", Some("xtask")) => Some(call(Program::Xtask, args.get(1..)?)),
        ("cargo", Some("run" | "r")) => cargo_run(args.get(1..)?),
        (program, _) if program.rsplit('/').next() == Some("chatroom-server") => {
            Some(call(Program::Server, args))
        }
        _ => None,
    }
}

/// `cargo run [options] -- args`: an example, a package, or the server.
fn cargo_run(args: &[&str]) -> Option<Invocation> {
    let divide = args.iter().position(|arg| *arg == "--").unwrap_or(args.len());
    let (own, rest) = (args.get(..divide)?, args.get(divide + 1..).unwrap_or_default());
    let value =
        |names: [&str; 2]| own.iter().position(|arg| names.contains(arg)).and_then(|at| own.get(at + 1));
    if let Some(example) = value(["--example", "--example"]) {
        return Some(call(Program::Example((*example).to_owned()), &[]));
    }
    match value(["-p", "--package"]) {
        None | Some(&"chatroom-server") => Some(call(Program::Server, rest)),
        Some(&"xtask") => Some(call(Program::Xtask, rest)),
        Some(_) => None,
    }
}

fn call(program: Program, args: &[&str]) -> Invocation {
    let options = args.iter().filter(|arg| arg.starts_with("--") && arg.len() > 2);
    let options = options.filter_map(|arg| arg.split('=').next()).map(str::to_owned).collect();
    let words = args.iter().take_while(|arg| is_word(arg)).map(|word| (*word).to_owned()).collect();
    Invocation { program, words, options }
}

fn is_word(arg: &str) -> bool {
    arg.starts_with(|c: char| c.is_ascii_lowercase())
        && arg.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

fn is_assignment(token: &str) -> bool {
    token.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::{Invocation, Program, invocations};

    fn one(program: Program, words: &[&str], options: &[&str]) -> Vec<Invocation> {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        vec![Invocation { program, words: owned(words), options: owned(options) }]
    }

    #[test]
    fn a_line_is_read_up_to_what_is_not_a_subcommand() {
        assert_eq!(
            invocations("chatroom-server app rotate-secret demo/chat --config=x # a note"),
            one(Program::Server, &["app", "rotate-secret"], &["--config"])
        );
    }

    #[test]
    fn cargo_run_is_the_server_unless_it_says_otherwise() {
        assert_eq!(invocations("cargo run --release"), one(Program::Server, &[], &[]));
        assert_eq!(invocations("cargo run -p xtask -- ci"), one(Program::Xtask, &["ci"], &[]));
        assert_eq!(
            invocations("cargo run --example embed"),
            one(Program::Example("embed".to_owned()), &[], &[])
        );
    }

    #[test]
    fn variables_prompts_and_pipes_do_not_hide_a_command() {
        assert_eq!(
            invocations("$ RUST_LOG=info cargo xtask test | tail"),
            one(Program::Xtask, &["test"], &[])
        );
        assert_eq!(invocations("cd chatroom && cargo xtask test"), one(Program::Xtask, &["test"], &[]));
    }

    #[test]
    fn other_programs_are_left_alone() {
        assert_eq!(invocations("curl -X DELETE http://localhost/x"), []);
        assert_eq!(invocations("cargo build --release"), []);
    }
}
