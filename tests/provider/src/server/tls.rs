//! A certificate to serve with, and one made on the spot.

use std::io;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate chain and its key, both as PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The chain, leaf first. For a self-signed one this is also what a client has to trust.
    pub chain_pem: String,
    /// The private key. It protects nothing but tests.
    pub key_pem: String,
}

impl Certificate {
    /// A self-signed certificate for these names and addresses, valid from 1975 to 4096.
    ///
    /// # Errors
    /// A name is not one.
    pub fn self_signed(names: &[&str]) -> io::Result<Self> {
        Self::from_params(CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()))
    }

    /// The same, but expired since the year 2000.
    ///
    /// # Errors
    /// A name is not one.
    pub fn expired(names: &[&str]) -> io::Result<Self> {
        let params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        Self::from_params(params.map(|mut params| {
            params.not_before = rcgen::date_time_ymd(1999, 1, 1);
            params.not_after = rcgen::date_time_ymd(2000, 1, 1);
            params
        }))
    }

    fn from_params(params: Result<CertificateParams, rcgen::Error>) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.and_then(|params| params.self_signed(&key)).map_err(io::Error::other)?;
        Ok(Self { chain_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    pub(super) fn acceptor(&self) -> io::Result<TlsAcceptor> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(self.chain_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|error| io::Error::other(format!("certificate: {error}")))?;
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes())
            .map_err(|error| io::Error::other(format!("private key: {error}")))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
