//! What `store.url` says.

use std::time::Duration;

use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::OpenError;
use crate::options::Options;

/// How long one host may take to answer before the next is tried.
const CONNECT: Duration = Duration::from_secs(2);

/// The URL, with what it does not say.
pub(crate) fn parse(options: &Options) -> Result<tokio_postgres::Config, OpenError> {
    let url = &options.url;
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(OpenError::Url("it must begin with postgresql://".to_owned()));
    }
    let mut config: tokio_postgres::Config = url.parse().map_err(|error| OpenError::Url(reason(&error)))?;
    if options.tls_ca.is_some() && config.get_ssl_mode() == SslMode::Disable {
        let message = "it is set, but store.url says sslmode=disable. Remove one of them.";
        return Err(OpenError::Tls(message.to_owned()));
    }
    if options.tls_ca.is_some() {
        // Whoever can come between could say that there is no TLS here.
        config.ssl_mode(SslMode::Require);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("chatroom-server");
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(options.patience);
    }
    config.keepalives_idle(Duration::from_secs(10));
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    Ok(config)
}

/// What is wrong with a URL, without the URL: it may hold a password.
fn reason(error: &tokio_postgres::Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    match source.as_str() {
        "invalid value for option `sslmode`" => {
            "sslmode is disable, prefer or require; the certificate is checked if store.tls_ca is set"
                .to_owned()
        }
        "" => error.to_string(),
        _ => source,
    }
}

/// Where the database is, for people: without user and password.
pub(crate) fn hosts(config: &tokio_postgres::Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    hosts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> Options {
        Options::new(url)
    }

    #[test]
    fn an_error_about_the_url_names_what_is_wrong_and_not_the_password() {
        let url = "postgresql://u:hunter2@h/db?sslmode=verify-full";
        let error = parse(&options(url)).unwrap_err().to_string();
        assert!(error.contains("disable, prefer or require") && !error.contains("hunter2"), "{error}");
        let error = parse(&options("mysql://h/db")).unwrap_err().to_string();
        assert!(error.contains("postgresql://"), "{error}");
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_used() {
        let config = parse(&options("postgresql://u:hunter2@one:1,two:2/db")).unwrap();
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(hosts(&config), "one:1, two:2");
    }

    #[test]
    fn with_authorities_nobody_talks_the_client_out_of_tls() {
        let mut options = options("postgresql://h/db");
        assert_eq!(parse(&options).unwrap().get_ssl_mode(), SslMode::Prefer);
        options.tls_ca = Some("/ca.pem".into());
        assert_eq!(parse(&options).unwrap().get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn authorities_without_tls_are_refused() {
        let mut options = options("postgresql://h/db?sslmode=disable");
        options.tls_ca = Some("/ca.pem".into());
        assert!(parse(&options).unwrap_err().to_string().contains("sslmode=disable"));
    }
}
