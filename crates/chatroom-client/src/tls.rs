//! TLS by rustls with ring. The configuration is handed to the HTTP client, so that no process-wide default is
//! needed and none is installed.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// Trusts what the platform trusts, if the base URL is `https`.
///
/// For `http`, nothing is trusted and nothing is loaded: the client never follows a redirect, so no TLS happens,
/// and a container without any certificates can still talk to a server beside it.
pub(crate) fn config(https: bool) -> Result<ClientConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = if https {
        builder.with_platform_verifier()?
    } else {
        builder.with_root_certificates(RootCertStore::empty())
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
