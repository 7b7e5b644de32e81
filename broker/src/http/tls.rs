//! TLS: the certificate, replaceable while connections are served, and the self-signed one of a first start.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::clock::Timestamp;

mod self_signed;
mod x509;

pub use self_signed::self_signed;

/// Why a certificate cannot be used. Names the file, never its contents.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds nothing that fits.
    #[error("{}: {reason}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What a reload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The files hold what is being served.
    Unchanged,
    /// New connections get the new certificate; open ones keep theirs.
    Replaced,
}

/// A certificate with its key, as read from two files that may change.
#[derive(Debug)]
pub struct ReloadableCertificate {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    certified: Arc<CertifiedKey>,
    /// SHA-256 over both files: what a reload compares.
    digest: [u8; 32],
    pin: String,
    ends_at: Timestamp,
}

impl ReloadableCertificate {
    /// Reads a chain (PEM, leaf first) and its key (PEM). The key must fit the leaf.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Arc<Self>, CertificateError> {
        let current = ArcSwap::from_pointee(Loaded::read(&certificate, &key)?);
        Ok(Arc::new(Self { certificate, key, current }))
    }

    /// Reads the files again. When they hold nothing usable the error says why, and the old certificate stays.
    pub fn reload(&self) -> Result<Reload, CertificateError> {
        let new = Loaded::read(&self.certificate, &self.key)?;
        if new.digest == self.current.load().digest {
            return Ok(Reload::Unchanged);
        }
        self.current.store(Arc::new(new));
        Ok(Reload::Replaced)
    }

    /// What clients put into `CODEX_REMOTE_PIN`: `sha256:` and 64 hex digits, the SHA-256 of the leaf's
    /// `SubjectPublicKeyInfo` (as in RFC 7469). It stays the same when a certificate is renewed with the same key.
    pub fn pin(&self) -> String {
        self.current.load().pin.clone()
    }

    /// When the leaf ends.
    pub fn ends_at(&self) -> Timestamp {
        self.current.load().ends_at
    }
}

impl ResolvesServerCert for ReloadableCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().certified))
    }
}

impl Loaded {
    fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            let bytes = std::fs::read(path).map(Zeroizing::new);
            bytes.map_err(|source| CertificateError::File { path: path.to_owned(), source })
        };
        let unusable =
            |path: &Path, reason: &str| CertificateError::Content { path: path.to_owned(), reason: reason.to_owned() };
        let (chain_pem, key_pem) = (read(certificate)?, read(key)?);
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain_pem)
            .collect::<Result<_, _>>()
            .map_err(|_| unusable(certificate, "is not PEM"))?;
        let leaf = chain.first().ok_or_else(|| unusable(certificate, "holds no certificate"))?;
        let facts = x509::facts(leaf).ok_or_else(|| unusable(certificate, "holds no X.509 certificate"))?;
        let pin = pin_of(facts.public_key_info);
        let ends_at = facts.ends_at;
        let private =
            PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| unusable(key, "holds no private key in PEM"))?;
        let certified = CertifiedKey::from_der(chain, private, &provider::default_provider())
            .map_err(|error| unusable(key, &format!("cannot be used with the certificate: {error}")))?;
        Ok(Self { certified: Arc::new(certified), digest: digest_of(&chain_pem, &key_pem), pin, ends_at })
    }
}

fn digest_of(chain: &[u8], key: &[u8]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    context.update(&(chain.len() as u64).to_be_bytes());
    context.update(chain);
    context.update(key);
    context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn pin_of(public_key_info: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public_key_info);
    let mut pin = "sha256:".to_owned();
    for byte in digest.as_ref() {
        write!(pin, "{byte:02x}").expect("a string takes every write");
    }
    pin
}

/// TLS 1.2 and 1.3, HTTP/1.1 only, with whatever certificate is current.
pub fn server_config(certificate: Arc<ReloadableCertificate>) -> Arc<ServerConfig> {
    let crypto: Arc<CryptoProvider> = Arc::new(provider::default_provider());
    let mut config = ServerConfig::builder_with_provider(crypto)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .expect("the provider has suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

#[cfg(test)]
mod tests;
