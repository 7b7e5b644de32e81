//! TLS: the pin, a file of certificates, and neither; and the way through a proxy.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use scorpiox_client::settings::pin::Pin;

use crate::machine::Machine;
use crate::stub_broker::{StubBroker, token};

/// A broker with a self-signed certificate for this name.
struct TlsBroker {
    broker: StubBroker,
    certificate: String,
    pin: Pin,
}

impl TlsBroker {
    fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let pin = Pin::of(&key.subject_public_key_info());
        Self { broker: StubBroker::start_tls(config, |_, _| token(7)), certificate: certificate.pem(), pin }
    }

    /// A machine that trusts what its system trusts: nothing.
    fn machine(&self) -> Machine {
        let machine = Machine::for_broker(&self.broker);
        let nobody = CertificateParams::new(vec!["nobody.example".to_owned()]).unwrap();
        let nobody = nobody.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
        fs::write(machine.path("system.pem"), nobody).unwrap();
        let system = machine.path("system.pem").to_str().unwrap().to_owned();
        machine.with("SSL_CERT_FILE", system)
    }
}

#[test]
fn a_pinned_key_is_enough_whatever_the_certificate_says() {
    let broker = TlsBroker::named("some.other.name");
    broker.machine().with("CODEX_REMOTE_PIN", broker.pin.to_string()).raw().gave(7);
}

#[test]
fn another_key_than_the_pinned_one_gets_no_request() {
    let broker = TlsBroker::named("127.0.0.1");
    let machine = broker.machine().with("CODEX_REMOTE_PIN", Pin::of(b"another").to_string());
    fs::write(machine.path("ca.pem"), &broker.certificate).unwrap();
    let ca = machine.path("ca.pem").to_str().unwrap().to_owned();
    machine.with("CODEX_REMOTE_CA_FILE", ca).raw().failed(78, &broker.pin.to_string());
    assert_eq!(broker.broker.count(), 0);
}

#[test]
fn a_file_of_certificates_vouches_for_the_name() {
    for (name, trusted) in [("127.0.0.1", true), ("some.other.name", false)] {
        let broker = TlsBroker::named(name);
        let machine = broker.machine();
        fs::write(machine.path("ca.pem"), &broker.certificate).unwrap();
        let ca = machine.path("ca.pem").to_str().unwrap().to_owned();
        let ended = machine.with("CODEX_REMOTE_CA_FILE", ca).raw();
        if trusted { ended.gave(7) } else { ended.failed(78, "is not trusted") }
    }
}

#[test]
fn a_stranger_gets_no_key() {
    let broker = TlsBroker::named("127.0.0.1");
    broker.machine().raw().failed(78, "set CODEX_REMOTE_PIN or CODEX_REMOTE_CA_FILE");
    assert_eq!(broker.broker.count(), 0);
    let plain = StubBroker::start(|_, _| token(7));
    let machine = broker.machine().with("CODEX_REMOTE_URL", plain.url().replace("http:", "https:"));
    machine.raw().failed(75, "127.0.0.1");
    assert_eq!(plain.asked().iter().filter(|asked| asked.authorization.is_some()).count(), 0);
}

/// A proxy that leads every CONNECT to one port, and writes down where it was asked to go.
fn proxy_to(port: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own_port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let (mut first, mut line) = (String::new(), String::new());
            reader.read_line(&mut first).unwrap();
            while reader.read_line(&mut line).unwrap() > 2 {
                line.clear();
            }
            log.lock().unwrap().push(first.trim_end().to_owned());
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client.try_clone().unwrap())]
            {
                thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        }
    });
    (own_port, seen)
}

#[test]
fn a_proxy_leads_to_the_broker_and_is_shown_nothing() {
    let broker = TlsBroker::named("broker.example");
    let (port, seen) = proxy_to(broker.broker.port());
    let machine = broker
        .machine()
        .with("CODEX_REMOTE_PIN", broker.pin.to_string())
        .with("CODEX_REMOTE_URL", "https://broker.example/codex")
        .with("HTTPS_PROXY", format!("http://127.0.0.1:{port}"));
    machine.raw().gave(7);
    assert_eq!(*seen.lock().unwrap(), ["CONNECT broker.example:443 HTTP/1.1"]);
}

#[test]
fn a_broker_on_this_machine_is_never_asked_through_a_proxy() {
    let broker = StubBroker::start(|_, _| token(7));
    let (port, seen) = proxy_to(broker.port());
    let proxy = format!("http://127.0.0.1:{port}");
    let machine = Machine::for_broker(&broker);
    machine.with("HTTP_PROXY", &proxy).with("HTTPS_PROXY", &proxy).with("ALL_PROXY", &proxy).raw().gave(7);
    assert!(seen.lock().unwrap().is_empty());
}
