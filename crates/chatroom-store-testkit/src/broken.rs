use std::fmt;
use std::time::Duration;

/// What a promise answers: whether the store keeps it.
pub type Promise = Result<(), Broken>;

/// How a promise was broken, in words for whoever writes the store.
pub struct Broken(String);

impl Broken {
    pub(crate) fn new(how: impl Into<String>) -> Self {
        Self(how.into())
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error where there must be none.
impl<E: std::error::Error> From<E> for Broken {
    fn from(error: E) -> Self {
        Self(format!("failed where it must not: {error} ({error:?})"))
    }
}

/// Breaks the promise unless this is so.
macro_rules! ensure {
    ($so:expr, $($how:tt)+) => {
        if !$so {
            return Err($crate::Broken::new(format!($($how)+)));
        }
    };
}

/// Breaks the promise unless these are equal.
macro_rules! ensure_eq {
    ($is:expr, $must_be:expr, $($how:tt)+) => {
        match (&$is, &$must_be) {
            (is, must_be) => {
                if is != must_be {
                    let how = format!($($how)+);
                    return Err($crate::Broken::new(format!("{how}\n     is: {is:?}\nmust be: {must_be:?}")));
                }
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq};

/// A store that has not answered by then has lost a caller. Far beyond what any promise takes.
const LOST: Duration = Duration::from_secs(300);

/// Holds a store to a promise, on a runtime of its own: what the tests that the macros write call.
///
/// # Panics
/// If the promise is broken, or the store does not answer within five minutes.
pub fn keep<F: Future<Output = Promise>>(promise: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let kept = runtime
        .map_err(Broken::from)
        .and_then(|runtime| runtime.block_on(async { tokio::time::timeout(LOST, promise()).await? }));
    assert!(kept.is_ok(), "{}", kept.err().map_or_else(String::new, |broken| broken.to_string()));
}
