//! Which URLs and addresses may be asked.
//!
//! Callback URLs come from people who need not have access to the network that this process is in. Without a guard
//! they could make it ask its neighbours: databases, metadata services, itself. So a URL is checked when a rule is
//! made, to tell whoever makes it; and, since names change their addresses, every connection is checked again, on the
//! very address that is dialled.

mod networks;
mod resolver;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::IpNet;
use url::{Host, Url};

pub(crate) use resolver::GuardedResolver;
pub use resolver::{Resolver, SystemResolver};

const LONGEST: usize = 2_048;

/// Says which URLs and addresses may be asked: all that are public, and those that somebody allowed.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
    /// Whether addresses of this machine are allowed too.
    loopback: Arc<AtomicBool>,
}

/// Why a URL or an address may not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no URL.
    #[error("the URL cannot be read: {0}")]
    Unreadable(#[from] url::ParseError),
    /// It is too long.
    #[error("the URL is longer than {LONGEST} bytes")]
    TooLong,
    /// It is neither http nor https.
    #[error("the URL must begin with http:// or https://")]
    Scheme,
    /// It holds a user or a password, which would be shown wherever the URL is.
    #[error("the URL must not hold a user or a password")]
    UserInfo,
    /// Its host is, or stands for, an address that may not be asked.
    #[error("{host} is {what}, which `callback.allow_networks` does not allow")]
    Address {
        /// The address, and the name that stands for it.
        host: String,
        /// What kind of address it is.
        what: &'static str,
    },
}

/// A URL that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The URL.
    pub url: Url,
    /// Why its host has no address now, in words: no reason to refuse it, since that may pass.
    pub unresolved: Option<String>,
}

impl Guard {
    /// Allows addresses in these networks too.
    #[must_use]
    pub fn allowing(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self { allowed: networks.into_iter().collect(), loopback: Arc::default() }
    }

    /// Allows addresses of this machine too, for as long as `on` is true.
    #[must_use]
    pub fn with_loopback_while(self, on: Arc<AtomicBool>) -> Self {
        Self { loopback: on, ..self }
    }

    /// Checks an address.
    ///
    /// # Errors
    /// [`Refusal::Address`] if it may not be asked.
    pub fn check_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(what) = networks::not_public(address) else { return Ok(()) };
        let loopback = address.is_loopback() && self.loopback.load(Ordering::Relaxed);
        if loopback || self.allowed.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        Err(Refusal::Address { host: address.to_string(), what })
    }

    /// Checks a URL as far as that is possible without asking for the addresses of its host.
    ///
    /// # Errors
    /// [`Refusal`] if it is not of the right form, or its host is an address that may not be asked, in whatever
    /// notation.
    pub fn check_url(&self, text: &str) -> Result<Url, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let url = Url::parse(text)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(address.into())?,
            Some(Host::Ipv6(address)) => self.check_address(address.into())?,
            Some(Host::Domain(_)) => {}
            None => return Err(Refusal::Unreadable(url::ParseError::EmptyHost)),
        }
        Ok(url)
    }

    /// Checks the URL of a rule that is made: its form, and all addresses that its host has now.
    ///
    /// # Errors
    /// [`Refusal`] if it is not of the right form, or any of its addresses may not be asked.
    pub async fn check_rule(&self, text: &str, resolver: &dyn Resolver) -> Result<Checked, Refusal> {
        let url = self.check_url(text)?;
        let mut unresolved = None;
        if let Some(Host::Domain(name)) = url.host() {
            match resolver.resolve(name).await {
                Ok(addresses) => {
                    for address in addresses {
                        self.check_address(address).map_err(|refusal| refusal.of(name))?;
                    }
                }
                Err(error) => unresolved = Some(error.to_string()),
            }
        }
        Ok(Checked { url, unresolved })
    }
}

impl Refusal {
    /// The same, of an address that a name stands for.
    fn of(self, name: &str) -> Self {
        match self {
            Self::Address { host, what } => Self::Address { host: format!("{host} ({name})"), what },
            other => other,
        }
    }
}
