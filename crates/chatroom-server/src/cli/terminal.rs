//! The one place that writes to the terminal.

use std::io::{self, IsTerminal, Write};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Standard output and standard error, or what stands in for them in tests.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    interactive: bool,
    /// Where work under way is shown: nowhere, if no person looks.
    progress: fn() -> ProgressDrawTarget,
}

/// How work is shown of which the size is known.
const OF_SO_MANY: &str = "{bar:30} {percent}%  {msg} records, {eta} left";
/// How other work is shown.
const OF_UNKNOWN: &str = "{spinner} {msg} records, {bytes}";

/// Work under way, shown to a person who looks at standard error.
pub(super) struct Bar(ProgressBar);

impl Terminal {
    /// Those of the process.
    #[must_use]
    pub fn standard() -> Self {
        let interactive = io::stdout().is_terminal();
        let progress = ProgressDrawTarget::stderr;
        Self { out: Box::new(io::stdout()), err: Box::new(io::stderr()), interactive, progress }
    }

    /// Two writers; `interactive` says whether a person looks at the first.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, interactive: bool) -> Self {
        Self { out, err, interactive, progress: ProgressDrawTarget::hidden }
    }

    /// Whether standard output is a terminal: secrets that nobody asked for go nowhere else.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Writes to standard output, as it is.
    ///
    /// # Errors
    /// What the system says, for instance that the reader of a pipe is gone.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Standard output, for what is too long to be one text.
    pub(super) fn out(&mut self) -> &mut (dyn Write + Send) {
        &mut *self.out
    }

    /// Shows work under way, of so many bytes as far as that is known.
    pub(super) fn progress(&self, bytes: Option<u64>) -> Bar {
        let bar = ProgressBar::with_draw_target(bytes, (self.progress)());
        let form = if bytes.is_some() { OF_SO_MANY } else { OF_UNKNOWN };
        Bar(bar
            .with_style(ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// Writes a line to standard error. If that fails, nobody can be told, so nobody is.
    pub fn note(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }
}

impl Bar {
    /// So many records and bytes are done.
    pub(super) fn show(&self, records: u64, bytes: u64) {
        self.0.set_message(HumanCount(records).to_string());
        self.0.set_position(bytes);
    }

    /// Takes it from the screen.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_under_way_can_be_shown_whether_or_not_its_size_is_known() {
        for form in [OF_SO_MANY, OF_UNKNOWN] {
            assert!(ProgressStyle::with_template(form).is_ok(), "{form}");
        }
    }
}
