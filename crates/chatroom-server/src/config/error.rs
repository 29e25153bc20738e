use std::fmt;

/// One thing that is wrong with the configuration: where, and what, in words without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// `chatroom.toml:7`, `chatroom.toml` or the name of a variable.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

/// All that is wrong with the configuration, one line each. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
