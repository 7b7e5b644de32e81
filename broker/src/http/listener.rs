//! Listeners: sockets to applications, through caps, TLS, deadlines and the guard.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{HttpService, KeepAlive, Protocol, Request, Response};
use actix_server::{GracefulShutdownSignal, Server, ServerBuilder, ServerHandle};
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::dev::{AppConfig, ServiceResponse};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::connection::Connection;
use super::guard::Guarded;
use super::limits::{Bounds, Caps, Occupancy, Place, raise_open_files};
use super::stream::Stream;
use crate::metrics::meters::Counted;

/// What a client listener is made of.
pub struct Listen {
    /// A bound socket: see [`bind`].
    pub socket: TcpListener,
    /// How clients are spoken to: [`crate::http::tls::server_config`]; none means plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// How many connections there may be.
    pub caps: Caps,
    /// What a connection and a request may cost.
    pub bounds: Bounds,
    /// Threads; none means one per core.
    pub workers: Option<usize>,
    /// How long requests under way may still take once it is told to stop.
    pub drain: Duration,
    /// Counts the open connections.
    pub open: Gauge,
}

/// A listener that serves.
pub struct Listening {
    /// Where; with the port that was chosen when port 0 was asked for.
    pub address: SocketAddr,
    /// `handle.stop(true)` drains: no new connections, idle ones are closed, requests under way are answered.
    pub handle: ServerHandle,
    /// Resolves when it has stopped. It must be polled: it is what serves.
    pub server: Server,
}

/// Binds a client listener's socket. The error names the address.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
    let open = || -> rustix::io::Result<TcpListener> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &address)?;
        // The standard library's 128 overflows when a fleet wakes up at once.
        listen(&socket, 4096)?;
        Ok(socket.into())
    };
    open().map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
    })
}

/// Serves clients. `app` is called once per thread.
pub fn serve<F, I, S, B>(app: F, listen: Listen) -> io::Result<Listening>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Future: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let address = listen.socket.local_addr()?;
    let files = raise_open_files(listen.caps.most())?;
    if files < u64::from(listen.caps.most()) {
        tracing::warn!(
            files,
            "fewer files may be open than limits.connections allows: raise the hard limit (LimitNOFILE)"
        );
    }
    let door = Door {
        occupancy: Occupancy::new(listen.caps),
        tls: listen.tls.map(TlsAcceptor::from),
        handshake_timeout: listen.bounds.handshake_timeout,
    };
    let mut builder = builder(listen.drain).max_concurrent_connections(listen.caps.most() as usize + 1024);
    if let Some(workers) = listen.workers {
        builder = builder.workers(workers);
    }
    let stopping = builder.graceful_shutdown_signal();
    let (bounds, open) = (listen.bounds, listen.open);
    let server = builder
        .listen("clients", listen.socket, move || Entrance {
            http: http(app().into_factory(), Rc::new(bounds.clone()), stopping.clone()),
            door: Rc::new(door.clone()),
            bounds: Rc::new(bounds.clone()),
            open: open.clone(),
        })?
        .run();
    Ok(Listening { address, handle: server.handle(), server })
}

/// Serves the machine's own administration on a Unix socket, with no cap on connections. `socket` comes from
/// [`super::local_socket::bind`].
pub fn serve_local<F, I, S, B>(
    app: F,
    socket: std::os::unix::net::UnixListener,
    bounds: Bounds,
    drain: Duration,
    open: Gauge,
) -> io::Result<(ServerHandle, Server)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Future: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    let builder = builder(drain).workers(1);
    let stopping = builder.graceful_shutdown_signal();
    let server = builder
        .listen_uds("administration", socket, move || Entrance {
            http: http(app().into_factory(), Rc::new(bounds.clone()), stopping.clone()),
            door: Rc::new(LocalDoor),
            bounds: Rc::new(bounds.clone()),
            open: open.clone(),
        })?
        .run();
    Ok((server.handle(), server))
}

fn builder(drain: Duration) -> ServerBuilder {
    // Whole seconds, rounded up: a drain of half a second must not become none.
    let seconds = drain.as_secs() + u64::from(drain.subsec_nanos() > 0);
    Server::build().disable_signals().shutdown_timeout(seconds)
}

/// The framework's HTTP/1.1 with its own timers off: [`Connection`] and the guard keep time.
fn http<S, B>(
    app: S,
    bounds: Rc<Bounds>,
    stopping: GracefulShutdownSignal,
) -> HttpService<Connection, Guarded<S>, actix_http::body::EitherBody<B>>
where
    S: ServiceFactory<Request, Config = AppConfig, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::InitError: fmt::Debug,
    S::Future: 'static,
    <S::Service as Service<Request>>::Future: 'static,
    B: MessageBody + 'static,
{
    HttpService::build()
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        // Bounds the wait for a client that sends a body nobody wants to read to its end.
        .client_disconnect_timeout(Duration::from_secs(1))
        .graceful_shutdown_signal(move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        })
        .on_connect_ext(|connection: &Connection, data| {
            data.insert(connection.progress());
            if let Some(user) = connection.local_user() {
                data.insert(user);
            }
        })
        .finish(Guarded { app, bounds })
}

/// Turns a socket that was accepted into a stream that may speak HTTP, or into nothing.
trait Admit<Socket> {
    async fn admit(&self, socket: Socket) -> Option<Admitted>;
}

struct Admitted {
    stream: Stream,
    peer: Option<SocketAddr>,
    /// Held as long as the connection is open.
    place: Option<Place>,
}

#[derive(Clone)]
struct Door {
    occupancy: Arc<Occupancy>,
    tls: Option<TlsAcceptor>,
    handshake_timeout: Duration,
}

impl Admit<TcpStream> for Door {
    async fn admit(&self, socket: TcpStream) -> Option<Admitted> {
        let peer = socket.peer_addr().ok()?;
        let Some(place) = self.occupancy.enter(peer.ip()) else {
            // No answer: one inside TLS would cost the handshake that the cap is there to save.
            tracing::debug!(%peer, "no more connections from here");
            return None;
        };
        // Small answers must not wait for the acknowledgement of the ones before.
        let _ = socket.set_nodelay(true);
        let stream = match &self.tls {
            None => Stream::Plain(socket),
            Some(acceptor) => match tokio::time::timeout(self.handshake_timeout, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                Ok(Err(error)) => {
                    tracing::debug!(%peer, %error, "no TLS");
                    return None;
                }
                Err(_) => {
                    tracing::debug!(%peer, "TLS handshake took too long");
                    return None;
                }
            },
        };
        Some(Admitted { stream, peer: Some(peer), place: Some(place) })
    }
}

struct LocalDoor;

impl Admit<UnixStream> for LocalDoor {
    async fn admit(&self, socket: UnixStream) -> Option<Admitted> {
        Some(Admitted { stream: Stream::Local(socket), peer: None, place: None })
    }
}

/// From an accepted socket to HTTP: made once per thread.
struct Entrance<H, D> {
    http: H,
    door: Rc<D>,
    bounds: Rc<Bounds>,
    open: Gauge,
}

type ConnectionParts = (Connection, Protocol, Option<SocketAddr>);

impl<H, D, Socket> ServiceFactory<Socket> for Entrance<H, D>
where
    H: ServiceFactory<ConnectionParts, Config = (), Response = ()>,
    H::Future: 'static,
    H::Service: 'static,
    D: Admit<Socket> + 'static,
    Socket: 'static,
{
    type Response = ();
    type Error = H::Error;
    type Config = ();
    type Service = Open<H::Service, D>;
    type InitError = H::InitError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Service, Self::InitError>>>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let http = self.http.new_service(());
        let (door, bounds, open) = (Rc::clone(&self.door), Rc::clone(&self.bounds), self.open.clone());
        Box::pin(async move { Ok(Open { http: Rc::new(http.await?), door, bounds, open }) })
    }
}

/// An open entrance.
struct Open<H, D> {
    http: Rc<H>,
    door: Rc<D>,
    bounds: Rc<Bounds>,
    open: Gauge,
}

impl<H, D, Socket> Service<Socket> for Open<H, D>
where
    H: Service<ConnectionParts, Response = ()> + 'static,
    D: Admit<Socket> + 'static,
    Socket: 'static,
{
    type Response = ();
    type Error = H::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), H::Error>>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.http.poll_ready(cx)
    }

    fn call(&self, socket: Socket) -> Self::Future {
        let (http, door, bounds) = (Rc::clone(&self.http), Rc::clone(&self.door), Rc::clone(&self.bounds));
        let counted = Counted::by(&self.open);
        Box::pin(async move {
            let _counted = counted;
            let Some(admitted) = door.admit(socket).await else {
                return Ok(());
            };
            let connection = Connection::new(admitted.stream, bounds);
            let served = http.call((connection, Protocol::Http1, admitted.peer)).await;
            drop(admitted.place);
            served
        })
    }
}

/// What the framework needs to know about an application's errors: they are answered, never returned.
const _: fn(actix_web::Error) -> Response<BoxBody> = Response::from;
