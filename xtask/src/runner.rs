//! Starts a program and reads its output while it runs.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::say;
use crate::tally::{Runner, Tally};

/// How long the output must be silent after the program's end. A process that it left behind may hold the
/// pipe open for ever, so the end of the pipe is not waited for.
const SILENCE: Duration = Duration::from_millis(300);

/// Gives each line of both outputs to `each`, in the order in which they come.
pub(crate) fn read_lines(command: &mut Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let (send, lines) = mpsc::channel();
    forward(child.stdout.take().context("no standard output")?, send.clone());
    forward(child.stderr.take().context("no standard error")?, send);
    loop {
        match lines.recv_timeout(SILENCE) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Timeout) if child.try_wait()?.is_none() => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Ok(child.wait()?)
}

fn forward(output: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Some(Ok(line)) = lines.next() {
            if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
        }
    });
}

/// Runs a test runner, prints what it prints and adds up its summaries. A failed test is not an error here:
/// it is counted, so that the runs after it still happen.
pub(crate) fn run_tests(runner: Runner, mut command: Command) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut summaries = 0_u32;
    let status = read_lines(&mut command, |line| {
        say::line(line);
        if let Some(part) = Tally::parse(runner, line) {
            tally += part;
            summaries += 1;
        }
    })?;
    ensure!(summaries > 0, "the test runner ended ({status}) before any test ran");
    if !status.success() && tally.failed == 0 {
        bail!("the test runner failed ({status}) although no test did");
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Runner, read_lines, run_tests};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_of_both_outputs_are_read() {
        let mut lines = Vec::new();
        let status =
            read_lines(&mut shell("echo one; echo two >&2; exit 3"), |line| lines.push(line.to_owned()))
                .unwrap();
        lines.sort();
        assert_eq!((lines, status.code()), (vec!["one".to_owned(), "two".to_owned()], Some(3)));
    }

    #[test]
    fn a_process_left_behind_does_not_hold_up_the_end() {
        let mut pid = String::new();
        read_lines(&mut shell("sleep 600 & echo $!"), |line| line.clone_into(&mut pid)).unwrap();
        assert!(
            Command::new("kill").arg(&pid).status().unwrap().success(),
            "it had ended, so nothing was shown"
        );
    }

    #[test]
    fn failed_tests_are_counted_and_are_not_an_error() {
        let tally = run_tests(
            Runner::Libtest,
            shell("echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored'; exit 101"),
        )
        .unwrap();
        assert_eq!((tally.passed, tally.failed), (1, 2));
    }

    #[test]
    fn a_runner_that_ends_without_a_summary_is_an_error() {
        let error =
            run_tests(Runner::Libtest, shell("echo 'error: could not compile'; exit 101")).unwrap_err();
        assert!(error.to_string().contains("before any test ran"), "{error}");
    }

    #[test]
    fn a_runner_that_fails_after_good_summaries_is_an_error() {
        let error = run_tests(
            Runner::Libtest,
            shell("echo 'test result: ok. 1 passed; 0 failed; 0 ignored'; exit 101"),
        )
        .unwrap_err();
        assert!(error.to_string().contains("although no test did"), "{error}");
    }
}
