//! Logs: to standard error, pretty on a terminal, else one JSON object a line.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

/// Why logs cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The level is no filter; the configuration would have refused it.
    #[error("`log.level` is not a filter: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    /// Logs were set up before in this process.
    #[error("logs are set up already: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sends all logs of this process to standard error. Called once.
///
/// # Errors
/// [`InitError`]
pub fn init(config: &LogConfig) -> Result<(), InitError> {
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    subscriber(config, terminal, std::io::stderr)?.try_init()?;
    Ok(())
}

type Subscriber = Box<dyn tracing::Subscriber + Send + Sync>;

/// A subscriber that writes elsewhere. `terminal` says whether that is one: it gets colours.
fn subscriber<W>(config: &LogConfig, terminal: bool, writer: W) -> Result<Subscriber, InitError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(&config.level)?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let pretty = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    Ok(if pretty {
        Box::new(
            lines.with_ansi(terminal && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())).finish(),
        )
    } else {
        Box::new(lines.json().flatten_event(true).with_span_list(false).finish())
    })
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: &str, format: LogFormat, terminal: bool) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let config = LogConfig { level: level.to_owned(), format };
        let subscriber = subscriber(&config, terminal, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let _request = tracing::info_span!("request", request_id = "r1").entered();
            tracing::info!(room = 7, "a member left");
            tracing::debug!("not at this level");
        });
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn without_a_terminal_a_line_is_a_json_object_with_the_request() {
        let text = logged("info", LogFormat::Auto, false);
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "a member left");
        assert_eq!(line["room"], 7);
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["span"]["request_id"], "r1");
    }

    #[test]
    fn on_a_terminal_a_line_is_for_people() {
        let text = logged("info", LogFormat::Auto, true);
        assert!(text.contains("a member left") && !text.starts_with('{'), "{text}");
    }

    #[test]
    fn a_given_format_is_kept_wherever_the_lines_go() {
        assert!(logged("info", LogFormat::Json, true).starts_with('{'));
        let pretty = logged("info", LogFormat::Pretty, false);
        assert!(!pretty.starts_with('{') && !pretty.contains('\u{1b}'), "{pretty}");
    }

    #[test]
    fn the_level_decides_what_is_written() {
        assert_eq!(logged("error", LogFormat::Json, false), "");
        assert_eq!(logged("warn,chatroom_server=debug", LogFormat::Json, false).lines().count(), 2);
    }
}
