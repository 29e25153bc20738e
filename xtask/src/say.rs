//! What the tasks say: the one module that talks to the terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Prints one line.
#[expect(clippy::print_stdout, reason = "the tasks report here and nowhere else")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints why a task failed.
#[expect(clippy::print_stderr, reason = "the tasks report here and nowhere else")]
pub(crate) fn error(text: &str) {
    eprintln!("error: {text}");
}

/// Something that takes a while and says nothing by itself. On a terminal a spinner with the elapsed time
/// shows that it goes on; elsewhere there is none. It is gone when this is dropped.
pub(crate) struct Working(ProgressBar);

impl Working {
    pub(crate) fn on(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what.into());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Prints a line above the spinner.
    pub(crate) fn line(&self, text: &str) {
        self.0.suspend(|| line(text));
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Something of which it is known how much there is. On a terminal a bar shows how far it is.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn of(what: impl Into<String>, total: usize) -> Self {
        let bar = ProgressBar::new(total as u64).with_message(what.into());
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} ({elapsed}, {eta} left)")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn add(&self, done: usize) {
        self.0.inc(done as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
