//! How a broker's certificate is checked: by its public key, or by certificates and its name.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::bounded_file::{self, Symlinks};
use crate::failure::Failure;
use crate::settings::Trust;
use crate::settings::pin::Pin;

/// Where systems keep their certificates in one file. A directory of them takes ten times as long to read.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// The longest bundle that is read, in bytes.
const LONGEST_BUNDLE: u64 = 4 * 1024 * 1024;

/// The TLS configuration for a broker.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3");
    let config = match trust {
        Trust::Pins(pins) => {
            let verifier = PinnedKey { pins: pins.clone(), provider };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()
        }
        Trust::CaFile(path) | Trust::System(Some(path)) => {
            builder.with_root_certificates(bundle(path)?).with_no_client_auth()
        }
        Trust::System(None) => builder.with_root_certificates(system_roots()).with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn bundle(path: &Path) -> Result<RootCertStore, Failure> {
    let wrong = |why: String| Failure::configuration(format!("the certificates in {} {why}", path.display()));
    let content = bounded_file::read(path, LONGEST_BUNDLE, Symlinks::Follow);
    let content = content.map_err(|error| Failure::configuration(format!("{} {error}", path.display())))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&content.bytes) {
        let certificate = certificate.map_err(|_| wrong("are not valid PEM".into()))?;
        // A bundle may hold one that this TLS library does not take; the others still count.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(wrong("are none that can be used".into()));
    }
    Ok(roots)
}

fn system_roots() -> RootCertStore {
    let found = SYSTEM_BUNDLES.iter().find_map(|path| bundle(Path::new(path)).ok());
    found.unwrap_or_else(|| RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

/// The broker's public key is none of those that were pinned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker's public key is {seen}, which CODEX_REMOTE_PIN does not name")]
pub struct WrongKey {
    seen: Pin,
}

/// Accepts exactly the certificates with a pinned public key. The handshake's signature proves that the broker has
/// the private key; who signed the certificate, its name and its dates add nothing to that.
struct PinnedKey {
    pins: Vec<Pin>,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for PinnedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinnedKey({:?})", self.pins)
    }
}

impl ServerCertVerifier for PinnedKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let seen = Pin::of(&ParsedCertificate::try_from(end_entity)?.subject_public_key_info());
        if self.pins.contains(&seen) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::Other(OtherError(Arc::new(WrongKey { seen }))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What a TLS error means for the caller: a certificate that does not fit is a matter of settings (or an attack), and
/// asking again does not help.
pub fn failure(error: &Error, host: &str) -> Failure {
    match error {
        Error::InvalidCertificate(CertificateError::Other(other)) => {
            let why = other.0.downcast_ref::<WrongKey>().map_or_else(|| other.to_string(), WrongKey::to_string);
            Failure::configuration(format!("{host}: {why}"))
                .with_hint("ask whoever runs the broker whether its key has changed")
        }
        Error::InvalidCertificate(why) => {
            Failure::configuration(format!("the certificate of {host} is not trusted: {why}"))
                .with_hint("set CODEX_REMOTE_PIN or CODEX_REMOTE_CA_FILE as the broker's client add printed it")
        }
        error => Failure::temporary(format!("no TLS connection to {host}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_a_configuration_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let says = |path: &Path| {
            let failure = client_config(&Trust::CaFile(path.to_owned())).unwrap_err();
            assert_eq!(failure.class.exit_code(), 78);
            failure.to_string()
        };
        assert!(says(&path).contains("does not exist"));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(says(&path).contains("none that can be used"));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap();
        assert!(says(&path).contains("not valid PEM"));
    }
}
