//! The addresses of names.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Guard;

/// Knows the addresses of names.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of this name.
    ///
    /// # Errors
    /// If it has none, or nobody can be asked.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// What the HTTP client asks before it dials a name: it learns only addresses that may be dialled.
///
/// It does not ask for a host that is an address: who makes the request checks that.
pub(crate) struct GuardedResolver {
    pub(crate) guard: Guard,
    pub(crate) resolver: Arc<dyn Resolver>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, resolver) = (self.guard.clone(), Arc::clone(&self.resolver));
        Box::pin(async move {
            let mut admitted = Vec::new();
            let mut refused = None;
            for address in resolver.resolve(name.as_str()).await? {
                match guard.check_address(address) {
                    Ok(()) => admitted.push(SocketAddr::new(address, 0)),
                    Err(refusal) => refused = Some(refusal.of(name.as_str())),
                }
            }
            match refused {
                Some(refusal) if admitted.is_empty() => Err(refusal.into()),
                _ => Ok(Box::new(admitted.into_iter()) as Addrs),
            }
        })
    }
}
