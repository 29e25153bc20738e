//! The one place that writes to the terminal.

use std::io::{self, IsTerminal, Write};

/// Standard output and standard error, or what stands in for them in tests.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    interactive: bool,
}

impl Terminal {
    /// Those of the process.
    #[must_use]
    pub fn standard() -> Self {
        let interactive = io::stdout().is_terminal();
        Self { out: Box::new(io::stdout()), err: Box::new(io::stderr()), interactive }
    }

    /// Two writers; `interactive` says whether a person looks at the first.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>, interactive: bool) -> Self {
        Self { out, err, interactive }
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

    /// Writes a line to standard error. If that fails, nobody can be told, so nobody is.
    pub fn note(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
    }
}
