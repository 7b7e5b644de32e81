//! From an endpoint to a byte stream over which nothing has been said: DNS, egress proxy, TCP, TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Host;

use super::Dialer;
use super::egress::{Proxy, ProxySecurity};
use super::endpoint::{Endpoint, Security};
use super::gate::Stream;
use crate::clock::SharedClock;
use crate::provider::Unsent;

/// How long one address is tried alone before the next one is tried beside it (RFC 8305 §5).
const HEAD_START: Duration = Duration::from_millis(250);
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 8;
/// A proxy's answer to CONNECT is not longer.
const LONGEST_PROXY_ANSWER: usize = 8 * 1024;

pub(super) async fn connect(dialer: &Dialer, endpoint: &Endpoint) -> Result<Box<dyn Stream>, Unsent> {
    match (endpoint.security, dialer.egress.proxy_for(endpoint)) {
        (Security::PlainOnLoopback, _) => {
            let tcp = reach(&dialer.clock, &endpoint.host, endpoint.port, Reach::LoopbackOnly).await?;
            Ok(Box::new(tcp))
        }
        (Security::Tls, None) => {
            let tcp = reach(&dialer.clock, &endpoint.host, endpoint.port, Reach::Anywhere).await?;
            secure(&dialer.tls, &endpoint.host, tcp).await
        }
        (Security::Tls, Some(proxy)) => {
            let tunnel = tunnel(dialer, proxy, endpoint).await?;
            secure(&dialer.tls, &endpoint.host, tunnel).await
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Anywhere,
    /// A hosts file or a resolver may say anything about `localhost`.
    LoopbackOnly,
}

async fn reach(clock: &SharedClock, host: &Host<String>, port: u16, reach: Reach) -> Result<TcpStream, Unsent> {
    let mut addresses = match host {
        Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name.as_str(), port)).await;
            found.map_err(|error| Unsent(format!("cannot resolve {name}: {error}")))?.collect()
        }
    };
    addresses.retain(|address| reach == Reach::Anywhere || address.ip().is_loopback());
    addresses.truncate(MOST_ADDRESSES);
    let tcp = first_to_connect(clock, addresses).await;
    let tcp = tcp.map_err(|error| Unsent(format!("cannot connect to {host}:{port}: {error}")))?;
    // Without it the last segment of a request may wait for an acknowledgement.
    let _ = tcp.set_nodelay(true);
    Ok(tcp)
}

/// Tries the addresses in their order, each with a head start, so that a dead first one does not use up the time of all.
async fn first_to_connect(clock: &SharedClock, addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no usable address");
    loop {
        attempts.extend(waiting.next().map(TcpStream::connect));
        if attempts.is_empty() {
            return Err(failure);
        }
        let others_wait = waiting.len() > 0;
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(tcp) => return Ok(tcp),
                Err(error) => failure = error,
            },
            () = clock.sleep(HEAD_START), if others_wait => {}
        }
    }
}

async fn secure(
    tls: &Arc<ClientConfig>,
    host: &Host<String>,
    stream: impl Stream + 'static,
) -> Result<Box<dyn Stream>, Unsent> {
    let failed = |why: String| Unsent(format!("TLS with {host}: {why}"));
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(|error| failed(error.to_string()))?,
        Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(*address)),
        Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(*address)),
    };
    let connector = TlsConnector::from(Arc::clone(tls));
    let stream = connector.connect(name, stream).await.map_err(|error| failed(error.to_string()))?;
    Ok(Box::new(stream))
}

async fn tunnel(dialer: &Dialer, proxy: &Proxy, endpoint: &Endpoint) -> Result<Box<dyn Stream>, Unsent> {
    let Proxy { host, port, .. } = proxy;
    let through = |why: String| Unsent(format!("through the proxy {host}:{port}: {why}"));
    let tcp = reach(&dialer.clock, host, *port, Reach::Anywhere).await.map_err(|unsent| through(unsent.0))?;
    let mut stream: Box<dyn Stream> = match proxy.security {
        ProxySecurity::Plain => Box::new(tcp),
        ProxySecurity::Tls => secure(&dialer.proxy_tls, host, tcp).await.map_err(|unsent| through(unsent.0))?,
    };
    ask_to_connect(&mut stream, proxy, endpoint).await.map_err(|error| through(error.to_string()))?;
    Ok(stream)
}

async fn ask_to_connect(stream: &mut Box<dyn Stream>, proxy: &Proxy, endpoint: &Endpoint) -> io::Result<()> {
    let mut request = format!("CONNECT {endpoint} HTTP/1.1\r\nHost: {endpoint}\r\n");
    if let Some(authorization) = &proxy.authorization {
        request.push_str(&format!("Proxy-Authorization: {}\r\n", authorization.expose()));
    }
    request.push_str("\r\n");
    stream.write_all(zeroize::Zeroizing::new(request).as_bytes()).await?;
    stream.flush().await?;
    let status = proxy_status(stream).await?;
    match status {
        200..=299 => Ok(()),
        407 => Err(io::Error::other("407, it wants a user and a password (http://user:password@proxy:port)")),
        other => Err(io::Error::other(format!("it answered {other} to CONNECT"))),
    }
}

/// Reads exactly to the empty line: what follows belongs to TLS.
async fn proxy_status(stream: &mut Box<dyn Stream>) -> io::Result<u16> {
    let mut answer = Vec::with_capacity(256);
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= LONGEST_PROXY_ANSWER {
            return Err(io::Error::other("its answer to CONNECT does not end"));
        }
        answer.push(stream.read_u8().await?);
    }
    let line = String::from_utf8_lossy(&answer);
    let mut words = line.split(' ');
    match (words.next(), words.next().map(|word| word.trim().parse())) {
        (Some(version), Some(Ok(status))) if version.starts_with("HTTP/1.") => Ok(status),
        _ => Err(io::Error::other("its answer to CONNECT is not HTTP")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::provider::hand_clock::HandClock;

    fn refusing() -> SocketAddr {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    /// Attempts on it hang: what waits to be accepted has filled its queue.
    fn hanging() -> (SocketAddr, Vec<std::net::TcpStream>, std::net::TcpListener) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_millis(100);
        let connect = || std::net::TcpStream::connect_timeout(&address, patience).ok();
        let waiting = std::iter::from_fn(connect).take(64).collect();
        (address, waiting, listener)
    }

    #[tokio::test]
    async fn an_address_that_refuses_gives_way_at_once() {
        let good = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let clock: SharedClock = Arc::new(HandClock::default());
        let addresses = vec![refusing(), refusing(), good.local_addr().unwrap()];
        assert!(first_to_connect(&clock, addresses).await.is_ok());
        assert!(first_to_connect(&clock, vec![refusing(), refusing()]).await.is_err());
        assert!(first_to_connect(&clock, Vec::new()).await.is_err());
    }

    #[tokio::test]
    async fn an_address_that_hangs_holds_up_the_next_for_a_moment_only() {
        let good = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (dead, _waiting, _listener) = hanging();
        let clock = HandClock::default();
        let shared: SharedClock = Arc::new(clock.clone());
        let addresses = vec![dead, good.local_addr().unwrap()];
        let attempt = tokio::spawn(async move { first_to_connect(&shared, addresses).await });
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(!attempt.is_finished());
        clock.advance(HEAD_START);
        assert_eq!(attempt.await.unwrap().unwrap().peer_addr().unwrap(), good.local_addr().unwrap());
    }
}
