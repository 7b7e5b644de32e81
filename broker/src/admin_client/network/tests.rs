//! What a pin is for, and what it is not for.

use std::io::Write as _;

use rcgen::{CertifiedKey, KeyPair, PublicKeyData as _};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::clock::SystemClock;

/// Somebody with a certificate of their own.
struct Peer {
    certified: CertifiedKey<KeyPair>,
}

impl Peer {
    fn named(name: &str) -> Self {
        Self { certified: rcgen::generate_simple_self_signed([name.to_owned()]).unwrap() }
    }

    fn pin(&self) -> Trust {
        let public_key = self.certified.signing_key.subject_public_key_info();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &public_key);
        let pin = format!("sha256:{}", *crate::hex::encode(digest.as_ref()));
        Trust::Pin(pin.parse().unwrap())
    }

    /// The file of somebody who trusts this peer and nobody else.
    fn trusted(&self) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(self.certified.cert.pem().as_bytes()).unwrap();
        file
    }

    fn acceptor(&self) -> TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.certified.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certified.cert.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Shakes hands with everybody who comes, and says nothing.
    async fn listens(&self) -> u16 {
        let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), self.acceptor());
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Whoever does not like the certificate hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                tokio::spawn(async move { stream.read(&mut [0]).await });
            }
        });
        port
    }

    /// A proxy over TLS that leads everybody to that port.
    async fn leads_to(&self, port: u16) -> String {
        let (listener, acceptor) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), self.acceptor());
        let url = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    asked.push(stream.read_u8().await.unwrap());
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut stream, &mut onward).await });
            }
        });
        url
    }
}

fn network(how: &Trust, proxy: &str, system: &tempfile::NamedTempFile) -> Network {
    let environment = |name: &str| match name {
        "HTTPS_PROXY" => Some(proxy),
        "SSL_CERT_FILE" => system.path().to_str(),
        _ => None,
    };
    Network::to("https://broker.test:8444", how, environment, Arc::new(SystemClock)).unwrap()
}

#[tokio::test]
async fn a_proxy_is_known_by_the_systems_authorities_and_the_broker_by_its_pin() {
    let (broker, proxy) = (Peer::named("any.name"), Peer::named("127.0.0.1"));
    let by_way = proxy.leads_to(broker.listens().await).await;
    let opened = |how: Trust| {
        let network = network(&how, &by_way, &proxy.trusted());
        async move { network.open().await.map(drop).map_err(|error| error.to_string()) }
    };
    assert_eq!(opened(broker.pin()).await, Ok(()));
    let refused = opened(proxy.pin()).await.unwrap_err();
    assert!(refused.contains("which --pin does not name"), "{refused}");
}

#[tokio::test]
async fn a_pin_vouches_for_no_proxy() {
    let (both, somebody) = (Peer::named("127.0.0.1"), Peer::named("somebody.test"));
    let by_way = both.leads_to(both.listens().await).await;
    let refused = network(&both.pin(), &by_way, &somebody.trusted()).open().await.map(drop).unwrap_err().to_string();
    assert!(refused.contains("through the proxy 127.0.0.1:"), "{refused}");
    assert!(refused.contains("invalid peer certificate"), "{refused}");
}

#[test]
fn a_pin_for_a_broker_that_shows_no_certificate_is_refused() {
    let to = |url, how: &Trust| Network::to(url, how, |_| None, Arc::new(SystemClock)).map(drop);
    let pin = Peer::named("broker.test").pin();
    let refused = to("http://127.0.0.1:8444", &pin).unwrap_err();
    assert!(matches!(refused, BadPlace::PinWithoutTls), "{refused}");
    assert!(refused.to_string().contains("leave --pin out, or use https"), "{refused}");
    assert!(to("https://127.0.0.1:8444", &pin).is_ok());
    assert!(to("http://127.0.0.1:8444", &Trust::System).is_ok());
}
