//! HTTP as every part of this crate speaks it: bounded in time, no redirects, no second attempt, our own check of
//! certificates, through the proxy that the environment names.

mod gate;

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, SocksConnector,
    TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Body, Proxy};
use zeroize::Zeroizing;

pub use self::gate::Gate;
use self::gate::GateConnector;
use crate::failure::Failure;
use crate::settings::Trust;
use crate::settings::broker_url::BrokerUrl;
use crate::token::tls;

/// The longest header section of an answer, in bytes.
const LONGEST_HEADERS: usize = 16 * 1024;

/// The way to a server.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// Where it is; a path behind the host does not matter here.
    pub url: &'a BrokerUrl,
    /// The proxy's address, or `None` for a direct connection.
    pub proxy: Option<&'a str>,
    /// What its certificate is checked against.
    pub trust: &'a Trust,
    /// Who we say we are.
    pub user_agent: &'a str,
}

/// How long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// For everything together, from the name's lookup to the last byte.
    Whole(Duration),
    /// For an answer that may go on as long as it likes, but not fall silent.
    Stream {
        /// Until there is a connection.
        connect: Duration,
        /// From there until the answer begins.
        begin: Duration,
        /// Between two pieces of it.
        silence: Duration,
    },
}

impl Way<'_> {
    /// An agent that goes this way. Certificates are read only where they are needed.
    pub fn agent(&self, patience: Patience) -> Result<Agent, Failure> {
        self.agent_through(None, patience)
    }

    /// The same, with a step of the caller's right before the first byte of a request.
    pub fn agent_through(&self, gate: Option<Arc<dyn Gate>>, patience: Patience) -> Result<Agent, Failure> {
        let wrong = |_| Failure::configuration("HTTPS_PROXY or ALL_PROXY holds no address of a proxy");
        let config = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            .https_only(self.url.is_encrypted())
            .proxy(self.proxy.map(Proxy::new).transpose().map_err(wrong)?)
            .max_response_header_size(LONGEST_HEADERS)
            .user_agent(self.user_agent)
            .accept_encoding("");
        let config = match patience {
            Patience::Whole(whole) => config.timeout_global(Some(whole)),
            Patience::Stream { connect, begin, silence } => config
                .timeout_resolve(Some(connect))
                .timeout_connect(Some(connect))
                .timeout_send_body(Some(begin))
                .timeout_recv_response(Some(begin))
                .timeout_per_read(Some(silence)),
        };
        let tls = self.url.is_encrypted().then(|| tls::client_config(self.trust)).transpose()?;
        let connector = SocksConnector::default()
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector { config: tls })
            .chain(GateConnector { gate });
        Ok(Agent::with_parts(config.build(), connector, DefaultResolver::default()))
    }
}

/// The body, which may hold a secret; longer than `longest` bytes is an error.
pub fn bounded_body(body: &mut Body, longest: u64) -> Result<Zeroizing<Vec<u8>>, ureq::Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    body.as_reader().take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(ureq::Error::BodyExceedsLimit(longest));
    }
    Ok(bytes)
}

/// The TLS error behind an error of a request.
pub fn tls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// Whether time ran out, at whichever step.
pub fn is_timeout(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => is_io_timeout(error),
        _ => false,
    }
}

/// The same for a read from a body: ureq wraps its own error.
pub fn is_io_timeout(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ureq::Error>());
    error.kind() == io::ErrorKind::TimedOut || matches!(inner, Some(ureq::Error::Timeout(_)))
}

/// TLS over whatever connection there is. ureq's own connector takes certificates, but no check of our own.
#[derive(Debug)]
struct TlsConnector {
    config: Option<Arc<ClientConfig>>,
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let config = self.config.clone().ok_or(ureq::Error::TlsRequired)?;
        let host = details.uri.host().ok_or(ureq::Error::HostNotFound)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(|_| ureq::Error::HostNotFound)?;
        let connection = ClientConnection::new(config, name)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        let mut stream = StreamOwned::new(connection, socket);
        stream.conn.complete_io(&mut stream.sock)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
