//! One HTTP request to the broker: bounded in time and size, no redirects, no second attempt.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, IF_NONE_MATCH, RETRY_AFTER};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, SocksConnector,
    TcpConnector, Transport, TransportAdapter,
};
use ureq::{Agent, Body, Proxy};
use zeroize::Zeroizing;

use super::answer::HttpAnswer;
use super::remote::{Exchange, Question};
use super::tls;
use crate::failure::Failure;
use crate::settings::RemoteSettings;

/// The longest answer, in bytes, after decompression.
const LONGEST_ANSWER: u64 = 64 * 1024;
/// The longest header section of an answer, in bytes.
const LONGEST_HEADERS: usize = 16 * 1024;
const USER_AGENT: &str = concat!("scorpiox-codex-fetchtoken/", env!("CARGO_PKG_VERSION"));

/// The way to a broker. Costs nothing until it is used: most commands are answered from the cache.
pub struct Http<'a> {
    /// Which broker, our key, and how it is known to be the right one.
    pub settings: &'a RemoteSettings,
    /// The proxy's address, or `None` for a direct connection.
    pub proxy: Option<String>,
}

impl Exchange for Http<'_> {
    fn ask(&self, question: &Question, within: Duration) -> Result<HttpAnswer, Failure> {
        let agent = self.agent(within)?;
        let mut request = agent.get(self.settings.url.as_str());
        if let Some(refused) = &question.refused {
            request = request.query(scorpiox_wire::token::REFUSED, refused.to_string());
        }
        if let Some(have) = &question.have {
            request = request.header(IF_NONE_MATCH, have.to_etag());
        }
        let authorization = Zeroizing::new(format!("Bearer {}", self.settings.key.expose()));
        let response = request.header(AUTHORIZATION, authorization.as_str()).call();
        bounded(response.map_err(|error| self.unanswered(&error))?).map_err(|error| self.unanswered(&error))
    }
}

impl Http<'_> {
    fn agent(&self, within: Duration) -> Result<Agent, Failure> {
        let wrong = |_| Failure::configuration("HTTPS_PROXY or ALL_PROXY holds no address of a proxy");
        let config = Agent::config_builder()
            .timeout_global(Some(within))
            .max_redirects(0)
            .http_status_as_error(false)
            .https_only(self.settings.url.is_encrypted())
            .proxy(self.proxy.as_deref().map(Proxy::new).transpose().map_err(wrong)?)
            .max_response_header_size(LONGEST_HEADERS)
            .user_agent(USER_AGENT)
            .accept_encoding("")
            .build();
        let connector = SocksConnector::default()
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(TlsConnector { config: self.tls_config()? });
        Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
    }

    /// Certificates are read only where they are needed.
    fn tls_config(&self) -> Result<Option<Arc<ClientConfig>>, Failure> {
        self.settings.url.is_encrypted().then(|| tls::client_config(&self.settings.trust)).transpose()
    }

    fn unanswered(&self, error: &ureq::Error) -> Failure {
        let host = self.settings.url.host();
        let failure = match error {
            ureq::Error::Rustls(error) => return tls::failure(error, host),
            ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
                return Failure::temporary(format!("the answer of {host} is longer than a broker's can be"));
            }
            ureq::Error::Timeout(_) => Failure::temporary(format!("{host} did not answer in time")),
            ureq::Error::Io(error) => match inner_tls_error(error) {
                Some(error) => return tls::failure(error, host),
                None => Failure::temporary(format!("cannot reach {host}: {error}")),
            },
            error => Failure::temporary(format!("cannot reach {host}: {error}")),
        };
        failure.with_hint("is the broker running, and CODEX_REMOTE_URL right?")
    }
}

fn inner_tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn bounded(mut response: Response<Body>) -> Result<HttpAnswer, ureq::Error> {
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let status = response.status().as_u16();
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    response.body_mut().as_reader().take(LONGEST_ANSWER + 1).read_to_end(&mut body)?;
    if body.len() as u64 > LONGEST_ANSWER {
        return Err(ureq::Error::BodyExceedsLimit(LONGEST_ANSWER));
    }
    Ok(HttpAnswer { status, retry_after: retry_after.map(Duration::from_secs), body })
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
