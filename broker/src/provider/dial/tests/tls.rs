//! Certificates that must not be believed (matrix P1). Nothing of the application leaves.

use std::io::Write;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::provider::far_side::http;

/// A certificate authority and the file that names it.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "the authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(certificate.pem().as_bytes()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    pub(super) fn trusted(&self) -> Arc<ClientConfig> {
        trust(Some(self.file.path()), None).unwrap()
    }

    /// What a server of that name needs.
    pub(super) fn acceptor(&self, name: &str) -> TlsAcceptor {
        self.acceptor_with(name, |_| {}, &[b"http/1.1"])
    }

    fn acceptor_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams), alpn: &[&[u8]]) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        serving(&certificate, &key, alpn)
    }
}

fn serving(certificate: &Certificate, key: &KeyPair, alpn: &[&[u8]]) -> TlsAcceptor {
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Answers with tokens over TLS and records what came through it.
pub(super) async fn secure_far_side(acceptor: TlsAcceptor) -> FarSide {
    FarSide::playing(move |talk| {
        let acceptor = acceptor.clone();
        async move {
            let Some(mut talk) = talk.secured(&acceptor).await else { return };
            talk.request().await;
            talk.say(http("200 OK", "", TOKENS)).await;
        }
    })
    .await
}

async fn unsent(authority: &Authority, acceptor: TlsAcceptor) -> String {
    let far_side = secure_far_side(acceptor).await;
    let given = given(&far_side.url("https", "localhost"), authority.trusted(), Egress::direct());
    let Err(Unsent(why)) = patiently(given.provider.dial()).await else { panic!("dialed") };
    assert!(why.starts_with("TLS with localhost: "), "{why}");
    assert_eq!(far_side.received(), "");
    why
}

#[tokio::test]
async fn a_good_certificate_is_spoken_to() {
    let authority = Authority::new();
    let far_side = secure_far_side(authority.acceptor("localhost")).await;
    let given = given(&far_side.url("https", "localhost"), authority.trusted(), Egress::direct());
    assert_eq!(answered(given.redeem().await).body.as_slice(), TOKENS.as_bytes());
    assert!(far_side.received().contains("rt_1"));
}

#[tokio::test]
async fn an_expired_certificate_is_unsent() {
    let authority = Authority::new();
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let why = unsent(&authority, authority.acceptor_with("localhost", expired, &[])).await;
    assert!(why.contains("expired"), "{why}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_unsent() {
    let authority = Authority::new();
    let why = unsent(&authority, authority.acceptor("auth.openai.com")).await;
    assert!(why.contains("not valid for"), "{why}");
}

/// The stranger bears the name of the authority that is trusted; its signature is another.
#[tokio::test]
async fn a_certificate_signed_by_a_stranger_is_unsent() {
    let stranger = Authority::new();
    let why = unsent(&Authority::new(), stranger.acceptor("localhost")).await;
    assert!(why.contains("invalid peer certificate"), "{why}");
}

#[tokio::test]
async fn a_self_signed_certificate_is_unsent() {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let why = unsent(&Authority::new(), serving(&own.cert, &own.signing_key, &[])).await;
    assert!(why.contains("UnknownIssuer"), "{why}");
}

#[tokio::test]
async fn a_server_that_speaks_only_http_2_is_unsent() {
    let authority = Authority::new();
    unsent(&authority, authority.acceptor_with("localhost", |_| {}, &[b"h2"])).await;
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_is_given_up_after_ten_seconds() {
    let (arrived, mut arrival) = tokio::sync::mpsc::unbounded_channel();
    let far_side = FarSide::playing(move |talk| {
        let arrived = arrived.clone();
        async move {
            arrived.send(()).unwrap();
            let _open = talk;
            std::future::pending::<()>().await;
        }
    })
    .await;
    let given = given(&far_side.url("https", "127.0.0.1"), Authority::new().trusted(), Egress::direct());
    let clock = given.clock.clone();
    let dialing = tokio::spawn(async move { given.provider.dial().await.map(|_| ()) });
    patiently(arrival.recv()).await.unwrap();
    clock.advance(Duration::from_secs(9));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!dialing.is_finished());
    clock.advance(Duration::from_secs(1));
    let Err(Unsent(why)) = patiently(dialing).await.unwrap() else { panic!("dialed") };
    assert!(why.ends_with("within 10 s"), "{why}");
}
