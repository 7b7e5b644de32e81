//! Which certificates of the provider are believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// One bundle per system. Reading one takes milliseconds, opening every file of a certificate directory a tenth of a second.
const SYSTEM_BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// A file that was named as the source of trust and cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// It cannot be read, or is no PEM.
    #[error("cannot read certificates from {file}")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: rustls_pki_types::pem::Error,
    },
    /// It holds no certificate that can be a root.
    #[error("{0} holds no usable certificate")]
    Empty(PathBuf),
}

/// Trust in the first of: `ca_file`; `ssl_cert_file` (the variable `SSL_CERT_FILE`); the system's bundle; a built-in list.
///
/// A file that was named must be good: falling back from it would trust what its owner wanted to exclude.
pub fn trust(ca_file: Option<&Path>, ssl_cert_file: Option<&Path>) -> Result<Arc<ClientConfig>, RootsError> {
    let roots = match ca_file.or(ssl_cert_file) {
        Some(file) => bundle(file)?,
        None => system().unwrap_or_else(built_in),
    };
    Ok(speaking_http(builder().with_root_certificates(roots).with_no_client_auth()))
}

/// Trust in what `verifier` says, and in nothing else.
pub fn trust_only(verifier: Arc<dyn ServerCertVerifier>) -> Arc<ClientConfig> {
    speaking_http(builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn builder() -> ConfigBuilder<ClientConfig, WantsVerifier> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
}

fn speaking_http(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

fn bundle(file: &Path) -> Result<RootCertStore, RootsError> {
    let unreadable = |source| RootsError::Unreadable { file: file.to_owned(), source };
    let certificates: Vec<_> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(certificates);
    if usable == 0 { Err(RootsError::Empty(file.to_owned())) } else { Ok(roots) }
}

fn system() -> Option<RootCertStore> {
    SYSTEM_BUNDLES.iter().find_map(|file| bundle(Path::new(file)).ok())
}

fn built_in() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_that_is_no_bundle_is_an_error_and_not_ignored() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing.pem");
        let empty = directory.path().join("empty.pem");
        std::fs::write(&empty, "no certificate here\n").unwrap();
        assert!(matches!(trust(Some(&missing), None), Err(RootsError::Unreadable { .. })));
        assert!(matches!(trust(None, Some(&missing)), Err(RootsError::Unreadable { .. })));
        assert!(matches!(trust(Some(&empty), None), Err(RootsError::Empty(_))));
    }

    #[test]
    fn something_is_trusted_on_every_machine() {
        assert!(trust(None, None).is_ok());
        assert!(!built_in().is_empty());
    }
}
