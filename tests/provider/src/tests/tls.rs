//! HTTPS, and certificates that a client must not accept.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::client::{parse, refresh_text, refresh_token};
use crate::{Account, Certificate, FakeProvider, Fault, How, Listening, Settings};

fn provider(certificate: &Certificate) -> FakeProvider {
    let listening = Listening { certificate: Some(certificate.clone()), ..Listening::default() };
    FakeProvider::start_with(Settings::default(), listening).unwrap()
}

/// Everything that came back, and how it ended.
fn ask(provider: &FakeProvider, trusted: &Certificate, request: &str) -> (Vec<u8>, std::io::Result<()>) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.chain_pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(provider.address()).unwrap());
    let mut seen = Vec::new();
    let end = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_end(&mut seen));
    (seen, end.map(|_| ()))
}

#[test]
fn a_redemption_over_tls_and_a_cut_inside_it() {
    let certificate = Certificate::self_signed(&["localhost"]).unwrap();
    let provider = provider(&certificate);
    assert!(provider.url().starts_with("https://"));
    let login = provider.login(&Account::default());
    provider.fault(Fault::refresh(How::CutAfter { reset: true, body_bytes: Some(9) }));
    let (seen, end) = ask(&provider, &certificate, &refresh_text(refresh_token(&login)));
    assert_eq!(parse(&seen).unwrap().body.len(), 9);
    assert!(end.is_err());
    let (seen, _) = ask(&provider, &certificate, &refresh_text(refresh_token(&login)));
    assert_eq!(parse(&seen).unwrap().code().as_deref(), Some("refresh_token_reused"));
}

#[test]
fn an_expired_or_foreign_certificate_is_noticed_before_anything_is_sent() {
    let (good, expired) =
        (Certificate::self_signed(&["localhost"]).unwrap(), Certificate::expired(&["localhost"]).unwrap());
    for (served, trusted) in [(&expired, &expired), (&good, &expired)] {
        let provider = provider(served);
        let (seen, end) = ask(&provider, trusted, &refresh_text("rt_secret"));
        assert!(seen.is_empty() && end.is_err());
        assert!(provider.log().is_empty());
    }
}
