//! The real binary on a directory of its own: start, look, stop, kill.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a start, a stop or a log line may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server process. Killed when it is dropped and still runs.
pub(crate) struct Binary {
    child: Child,
    log: Receiver<String>,
    /// What was logged and looked at already.
    pub(crate) seen: Vec<String>,
    stdout: Option<ChildStdout>,
    /// The first TCP address.
    pub(crate) address: String,
}

/// The binary, to be given arguments: on this data directory's parent as working directory, with a clean environment.
pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatroom-server"));
    command.current_dir(dir).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

impl Binary {
    /// Starts in `dir`, with the data in `dir/data`, on a free port, and waits until it listens.
    pub(crate) fn start(dir: &Path, arguments: &[&str]) -> Self {
        let mut command = command(dir);
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        Self::spawn(command)
    }

    /// Starts a command that serves, and waits until it listens.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (stderr, stdout) = (child.stderr.take().unwrap(), child.stdout.take());
        let (lines, log) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let mut started = Self { child, log, seen: Vec::new(), stdout, address: String::new() };
        let line = started.wait_for_log("\"listening\"");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        started.address = line["address"].as_str().unwrap().to_owned();
        started
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of the log that holds this text.
    pub(crate) fn wait_for_log(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(error) => panic!("no line with {text} ({error}); logged: {:#?}", self.seen),
            }
        }
    }

    /// Sends a signal by its name: `TERM`, `INT`, `KILL`, `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.seen.extend(self.log.iter());
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the server did not end; logged: {:#?}", self.seen);
    }

    /// Stops it in order, and answers its banner.
    pub(crate) fn stop(mut self) -> String {
        self.signal("TERM");
        assert!(self.wait().success(), "{:#?}", self.seen);
        self.banner()
    }

    /// Ends it as a power cut of the process would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it wrote to standard output until its end.
    pub(crate) fn banner(&mut self) -> String {
        let mut text = String::new();
        self.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// The banner of a server that runs: up to `lines` of it.
    pub(crate) fn banner_lines(&mut self, lines: usize) -> String {
        let mut left = lines;
        self.banner_until(|_| {
            left -= 1;
            left == 0
        })
    }

    /// The banner of a first start, which ends with a removal.
    pub(crate) fn first_banner(&mut self) -> String {
        self.banner_until(|line| line.contains("Bearer $TOKEN"))
    }

    fn banner_until(&mut self, mut is_last: impl FnMut(&str) -> bool) -> String {
        let mut reader = BufReader::new(self.stdout.take().unwrap());
        let mut text = String::new();
        loop {
            let before = text.len();
            assert!(reader.read_line(&mut text).unwrap() > 0, "the banner ends early: {text}");
            if is_last(&text[before..]) {
                break;
            }
        }
        self.stdout = Some(reader.into_inner());
        text
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command that is to end by itself, and answers what it said.
pub(crate) fn ended(command: &mut Command) -> Output {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.expect("the binary starts");
    let until = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// Pastes lines into a shell in `dir`, and answers what they print.
pub(crate) fn paste(dir: &Path, lines: &str) -> String {
    let shell = Command::new("sh").arg("-c").arg(lines).current_dir(dir).output().unwrap();
    assert!(shell.status.success(), "{lines}\n{}", String::from_utf8_lossy(&shell.stderr));
    String::from_utf8(shell.stdout).unwrap()
}
