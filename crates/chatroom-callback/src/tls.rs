//! TLS by rustls with ring. The configuration is handed to the HTTP client, so that no process-wide default is needed
//! and none is installed.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// Trusts what the platform trusts; if that cannot be read, trusts nothing, so that rules for http work in a
/// container without certificates. Why it cannot be read comes with it.
pub(crate) fn config() -> Result<(ClientConfig, Option<rustls::Error>), rustls::Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let builder =
        || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let (trusting, missing) = match builder()?.with_platform_verifier() {
        Ok(trusting) => (trusting, None),
        Err(error) => (builder()?.with_root_certificates(RootCertStore::empty()), Some(error)),
    };
    let mut config = trusting.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, missing))
}
