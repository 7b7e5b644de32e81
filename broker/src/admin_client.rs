//! The administration operations as typed calls, over the broker's Unix socket or its listener for the network.
//!
//! * `error`: why a call has no answer.
//! * `pin`: a broker is known by its public key.
//! * `network`: a broker somewhere else: TLS, and a session or an admin key.
//! * `administrators`, `credentials`, `clients`, `audit`, `broker`: the calls, by what they are about.
//!
//! One connection for one call: nobody administers often enough for a pool, and a call that failed is never repeated
//! by itself, because most of them change something.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use scorpiox_wire::admin::{PAGE_LIMIT_MOST, Page};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::hex;
use crate::provider::dial::Stream;

/// Longer than a renewal may take (30 s to be sent and answered, and the dialing before it).
const PATIENCE: Duration = Duration::from_secs(90);
/// How soon a change that is still being made is asked about again.
const REPEAT: Duration = Duration::from_millis(500);
/// More than the list of a hundred thousand clients needs.
const LARGEST_ANSWER: usize = 64 << 20;

mod administrators;
mod audit;
mod broker;
mod clients;
mod credentials;
mod error;
mod network;
mod pin;

pub use error::AdminError;
pub use network::{BadPlace, Network, Trust};
pub use pin::{BadPin, Pin};

/// A running broker, as its administrator reaches it.
#[derive(Debug, Clone)]
pub struct AdminClient {
    line: Line,
}

/// The way to it.
#[derive(Debug, Clone)]
enum Line {
    Socket(PathBuf),
    Network(Arc<Network>),
}

impl AdminClient {
    /// Speaks to the broker behind this socket. Nothing is opened yet.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self { line: Line::Socket(socket.into()) }
    }

    /// Speaks to a broker over the network. Nothing is opened yet.
    pub fn over(network: Network) -> Self {
        Self { line: Line::Network(Arc::new(network)) }
    }

    /// All pages of a list.
    async fn list<A: DeserializeOwned>(&self, path: &str) -> Result<Vec<A>, AdminError> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page: Page<A> = self.get(&format!("{path}?{after}limit={PAGE_LIMIT_MOST}")).await?;
            all.extend(page.items);
            match page.next {
                Some(next) => after = format!("after={next}&"),
                None => return Ok(all),
            }
        }
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, AdminError> {
        self.call(Method::GET, path, None).await
    }

    async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, AdminError> {
        let body = serde_json::to_vec(body).expect("a body of the contract can be written as JSON");
        self.call(Method::POST, path, Some(body)).await
    }

    async fn put<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, AdminError> {
        let body = serde_json::to_vec(body).expect("a body of the contract can be written as JSON");
        self.call(Method::PUT, path, Some(body)).await
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<A, AdminError> {
        let exchange = async {
            if self.is_session_near_its_end() {
                let renewed = self.exchange(Method::POST, "session/renew", None, None).await?;
                if let (Line::Network(network), true) = (&self.line, renewed.0.is_success()) {
                    network.begin_session(read(renewed)?);
                }
            }
            self.once(method, path, body).await
        };
        read(tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| AdminError::Silent)??)
    }

    /// A change has a name: where the connection broke before the answer it is asked for once more, and not made twice.
    async fn once(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<(StatusCode, Bytes), AdminError> {
        let is_change = method != Method::GET && !path.starts_with("session");
        let name = is_change.then(name_of_a_change);
        let first = self.exchange(method.clone(), path, body.clone(), name.as_deref()).await;
        let (Some(name), Err(AdminError::Lost(_))) = (name, &first) else { return first };
        loop {
            match self.exchange(method.clone(), path, body.clone(), Some(&name)).await {
                Ok(answer) if is_in_progress(&answer) => tokio::time::sleep(REPEAT).await,
                Ok(answer) => return Ok(answer),
                Err(_) => return first,
            }
        }
    }

    fn is_session_near_its_end(&self) -> bool {
        match &self.line {
            Line::Network(network) => network.is_session_near_its_end(),
            Line::Socket(_) => false,
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        name: Option<&str>,
    ) -> Result<(StatusCode, Bytes), AdminError> {
        let answer = self.ask(method, path, body, name).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER).collect().await;
        Ok((status, body.map_err(|error| AdminError::Lost(error.to_string()))?.to_bytes()))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        name: Option<&str>,
    ) -> Result<Response<Incoming>, AdminError> {
        let lost = |error: &dyn std::fmt::Display| AdminError::Lost(error.to_string());
        let mut request = Request::builder().method(method);
        let stream: Box<dyn Stream> = match &self.line {
            Line::Socket(socket) => {
                request = request.uri(format!("/admin/v1/{path}")).header(HOST, "localhost");
                Box::new(UnixStream::connect(socket).await.map_err(|error| unreachable(socket, error))?)
            }
            Line::Network(network) => {
                request = request.uri(network.target(path)).header(HOST, network.host());
                if let Some(authorization) = network.authorization() {
                    request = request.header(AUTHORIZATION, authorization);
                }
                network.open().await?
            }
        };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| lost(&error))?;
        // Its errors come back through the sender.
        tokio::spawn(connection);
        if let Some(name) = name {
            request = request.header("idempotency-key", name);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body.unwrap_or_default())));
        let request = request.map_err(|error| AdminError::Strange { status: 0, why: error.to_string() })?;
        sender.send_request(request).await.map_err(|error| lost(&error))
    }
}

/// 128 random bits.
fn name_of_a_change() -> String {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("the machine has a random source");
    hex::encode(&bytes).to_string()
}

fn is_in_progress((status, answer): &(StatusCode, Bytes)) -> bool {
    *status == StatusCode::CONFLICT
        && serde_json::from_slice::<scorpiox_wire::Problem>(answer)
            .is_ok_and(|problem| problem.code == scorpiox_wire::Code::InProgress)
}

fn read<A: DeserializeOwned>((status, answer): (StatusCode, Bytes)) -> Result<A, AdminError> {
    let strange = |error: serde_json::Error| AdminError::Strange {
        status: status.as_u16(),
        // The error's own text may quote the answer, which may hold a key.
        why: format!("{:?} error at byte {}", error.classify(), error.column()),
    };
    if status.is_success() {
        return serde_json::from_slice(&answer).map_err(strange);
    }
    let problem = serde_json::from_slice(&answer).map_err(strange)?;
    Err(AdminError::Refused { status: status.as_u16(), problem })
}

fn unreachable(socket: &Path, source: io::Error) -> AdminError {
    match source.kind() {
        io::ErrorKind::PermissionDenied => AdminError::NotAllowed(socket.to_owned()),
        _ => AdminError::NotRunning { socket: socket.to_owned(), source },
    }
}
