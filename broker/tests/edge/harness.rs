//! A listener with a trivial application, and clients that speak to it byte by byte.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::{App, HttpResponse, web};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use scorpiox_broker::clock::{Clock, SystemClock};
use scorpiox_broker::http::limits::{Bounds, Caps};
use scorpiox_broker::http::request_id::RequestId;
use scorpiox_broker::http::tls::{ReloadableCertificate, self_signed, server_config};
use scorpiox_broker::http::visitor::ClientAddress;
use scorpiox_broker::http::{error, listener, local_socket};

/// How the clients of a test speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Plain,
    Tls,
}

pub(crate) const BOTH: [Speech; 2] = [Speech::Plain, Speech::Tls];

/// Short enough for a test, long enough for a busy machine.
pub(crate) fn bounds() -> Bounds {
    Bounds {
        header_bytes: 16_384,
        body_bytes: 65_536,
        header_timeout: Duration::from_millis(400),
        handshake_timeout: Duration::from_millis(800),
        keep_alive: Duration::from_secs(20),
        request_timeout: Duration::from_millis(600),
        write_timeout: Duration::from_millis(500),
        trusted_proxies: Vec::new(),
    }
}

pub(crate) const CAPS: Caps = Caps { per_address: 64, total: 1000, loopback_exempt: true };

/// A running listener.
pub(crate) struct Edge {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: Arc<ReloadableCertificate>,
    pub(crate) directory: tempfile::TempDir,
    speech: Speech,
    reached: Arc<AtomicUsize>,
    /// Stops the server: true drains.
    stop: Option<tokio::sync::oneshot::Sender<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl Edge {
    pub(crate) fn start(speech: Speech) -> Self {
        Self::start_with(speech, bounds(), CAPS)
    }

    pub(crate) fn start_with(speech: Speech, bounds: Bounds, caps: Caps) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let (certificate, key) = self_signed("localhost", directory.path(), SystemClock.wall()).unwrap();
        let certificate = ReloadableCertificate::load(certificate, key).unwrap();
        let socket = listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let reached = Arc::new(AtomicUsize::new(0));
        let listen = listener::Listen {
            socket,
            tls: (speech == Speech::Tls).then(|| server_config(Arc::clone(&certificate))),
            caps,
            bounds,
            workers: Some(1),
            drain: Duration::from_secs(5),
            open: Default::default(),
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = mpsc::channel();
        let counter = Reached::from(Arc::clone(&reached));
        let thread = std::thread::spawn(move || {
            runtime().block_on(async move {
                let listening =
                    listener::serve(move || App::new().app_data(counter.clone()).configure(routes), listen).unwrap();
                tell.send(listening.address).unwrap();
                run_until(stopped, listening.handle, listening.server).await;
            });
        });
        let address = told.recv().unwrap();
        Self { address, certificate, directory, speech, reached, stop: Some(stop), thread: Some(thread) }
    }

    /// How many requests got past the guard to a handler.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }

    pub(crate) fn connect(&self) -> Client {
        self.speak_over(TcpStream::connect(self.address).unwrap())
    }

    /// Connects from another loopback address, which is another machine as far as caps are concerned.
    pub(crate) fn connect_from(&self, from: &str) -> Client {
        let from: SocketAddr = format!("{from}:0").parse().unwrap();
        let address = self.address;
        let stream = runtime().block_on(async move {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(from).unwrap();
            socket.connect(address).await.unwrap().into_std().unwrap()
        });
        stream.set_nonblocking(false).unwrap();
        self.speak_over(stream)
    }

    fn speak_over(&self, stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
        match self.speech {
            Speech::Plain => Client(Box::new(stream)),
            Speech::Tls => {
                let session = ClientConnection::new(self.client_config(), "localhost".try_into().unwrap()).unwrap();
                Client(Box::new(StreamOwned::new(session, stream)))
            }
        }
    }

    /// Trusts whatever certificate lies in the directory now.
    fn client_config(&self) -> Arc<ClientConfig> {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let pem = std::fs::read(self.directory.path().join("tls-certificate.pem")).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
    }

    /// The leaf that a new connection is shown, whoever signed it.
    pub(crate) fn handshake(&self) -> Result<(), rustls::Error> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let name: ServerName<'static> = "localhost".try_into().unwrap();
        let mut session = ClientConnection::new(self.client_config(), name).unwrap();
        while session.is_handshaking() {
            session.complete_io(&mut stream).map_err(|error| match error.downcast::<rustls::Error>() {
                Ok(error) => error,
                Err(other) => panic!("{other}"),
            })?;
        }
        Ok(())
    }

    /// Stops, draining, and answers once the server is gone.
    pub(crate) fn drain(mut self) {
        self.stop.take().unwrap().send(true).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }

    pub(crate) fn begin_drain(&mut self) {
        self.stop.take().unwrap().send(true).unwrap();
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(false);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The same application on a Unix socket.
pub(crate) struct LocalEdge {
    pub(crate) path: PathBuf,
    _directory: tempfile::TempDir,
    stop: Option<tokio::sync::oneshot::Sender<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl LocalEdge {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.sock");
        let socket = local_socket::bind(&path, None).unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            runtime().block_on(async move {
                let (handle, server) = listener::serve_local(
                    || App::new().configure(routes),
                    socket,
                    bounds(),
                    Duration::from_secs(5),
                    Default::default(),
                )
                .unwrap();
                tell.send(()).unwrap();
                run_until(stopped, handle, server).await;
            });
        });
        told.recv().unwrap();
        Self { path, _directory: directory, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Client(Box::new(stream))
    }
}

impl Drop for LocalEdge {
    fn drop(&mut self) {
        let _ = self.stop.take().unwrap().send(false);
        let _ = self.thread.take().unwrap().join();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn run_until(
    stopped: tokio::sync::oneshot::Receiver<bool>,
    handle: actix_server::ServerHandle,
    server: actix_server::Server,
) {
    let server = tokio::spawn(server);
    let graceful = stopped.await.unwrap_or(false);
    handle.stop(graceful).await;
    server.await.unwrap().unwrap();
}

fn routes(app: &mut web::ServiceConfig) {
    app.configure(error::extractors(65_536))
        .route("/hello", web::get().to(hello))
        .service(web::resource("/echo").route(web::post().to(echo)))
        .route("/slow", web::get().to(slow))
        .route("/large", web::get().to(large))
        .route("/who", web::get().to(who))
        .route("/ignore", web::post().to(hello))
        .route("/panic", web::get().to(panics))
        .route("/json", web::post().to(json));
}

type Reached = web::Data<AtomicUsize>;

fn count(reached: &Reached) {
    reached.fetch_add(1, Ordering::SeqCst);
}

async fn hello(reached: Reached) -> &'static str {
    count(&reached);
    "hello"
}

async fn echo(reached: Reached, body: web::Bytes) -> web::Bytes {
    count(&reached);
    body
}

async fn json(reached: Reached, _: web::Json<Vec<u8>>) -> &'static str {
    count(&reached);
    "parsed"
}

async fn slow(reached: Reached) -> &'static str {
    count(&reached);
    tokio::time::sleep(Duration::from_millis(300)).await;
    "slow"
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

/// More than the kernel buffers for a client that does not read.
async fn large() -> HttpResponse {
    HttpResponse::Ok().body(vec![b'x'; 64 << 20])
}

async fn who(id: RequestId, address: ClientAddress) -> String {
    format!("{id} {address}")
}

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// One connection of a client that may misbehave.
pub(crate) struct Client(Box<dyn Wire>);

impl Client {
    /// Sends bytes; false when the server has hung up.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).and_then(|()| self.0.flush()).is_ok()
    }

    /// One answer. Panics when the connection ends before it is complete.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0
                .read_exact(&mut byte)
                .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&head)));
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let mut answer = Answer { head, body: String::new() };
        let mut body = vec![0; answer.header("content-length").map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request);
        self.answer()
    }

    /// True when the server ends the connection without another byte, however it does it.
    pub(crate) fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.0.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The problem's code; panics when the body is none.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let problem: scorpiox_wire::Problem = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        problem.code.to_string()
    }
}
