//! Accepting connections, and what may go wrong before anything is said on them.

use std::net::TcpListener as StdListener;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::serve;
use super::shared::Shared;
use super::wire::{Ending, Wire};

/// What goes wrong with a connection before a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionFault {
    /// Closed as soon as it is accepted.
    Close,
    /// The same with RST.
    Reset,
    /// Accepted, and then not a byte; not even a TLS handshake.
    Silent,
}

/// Serves until it is dropped.
pub(super) async fn serve(shared: Arc<Shared>, listener: StdListener, acceptor: Option<TlsAcceptor>) {
    let listener = TcpListener::from_std(listener).expect("a listener that was set non-blocking");
    loop {
        // Out of descriptors, for example: somebody will close one.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let fault = shared.accept();
        tokio::spawn(connection(Arc::clone(&shared), stream, acceptor.clone(), fault));
    }
}

async fn connection(
    shared: Arc<Shared>,
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    fault: Option<ConnectionFault>,
) {
    let ending = Ending::default();
    match fault {
        None => {}
        Some(ConnectionFault::Close) => return,
        Some(ConnectionFault::Reset) => {
            ending.reset();
            return drop(Wire::new(stream, ending));
        }
        Some(ConnectionFault::Silent) => {
            let mut heard = [0; 1024];
            while stream.read(&mut heard).await.is_ok_and(|count| count > 0) {}
            return;
        }
    }
    // Slow drips are single bytes; they must leave one by one.
    let _ = stream.set_nodelay(true);
    let wire = Wire::new(stream, ending.clone());
    match acceptor {
        None => converse(shared, wire, ending).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(wire).await {
                converse(shared, stream, ending).await;
            }
        }
    }
}

async fn converse(shared: Arc<Shared>, stream: impl AsyncRead + AsyncWrite + Unpin, ending: Ending) {
    let service = service_fn(|request| serve::request(Arc::clone(&shared), ending.clone(), request));
    // A connection may be opened long before it is used.
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(None);
    // An error here is a connection that ended, by us or by the client; the log has said so.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
