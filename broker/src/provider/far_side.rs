//! A server of which a test writes every byte.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Listens on loopback and plays its script on each connection.
pub(in crate::provider) struct FarSide {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

/// What a script has in its hands.
pub(in crate::provider) struct Talk<S> {
    pub(in crate::provider) stream: S,
    received: Arc<Mutex<Vec<u8>>>,
}

impl FarSide {
    pub(in crate::provider) async fn playing<F, R>(script: F) -> Self
    where
        F: Fn(Talk<TcpStream>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, received) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counter, record) = (Arc::clone(&connections), Arc::clone(&received));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(script(Talk { stream, received: Arc::clone(&record) }));
            }
        });
        Self { address, connections, received, task }
    }

    /// Reads the request, then writes this and closes.
    pub(in crate::provider) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = Arc::new(answer.into());
        Self::playing(move |mut talk| {
            let answer = Arc::clone(&answer);
            async move {
                talk.request().await;
                talk.say(answer.as_slice()).await;
            }
        })
        .await
    }

    pub(in crate::provider) fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}", self.address.port())
    }

    pub(in crate::provider) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(in crate::provider) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// What reached the script: bytes of the application.
    pub(in crate::provider) fn received(&self) -> String {
        String::from_utf8_lossy(&self.received.lock().unwrap()).into_owned()
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Talk<TcpStream> {
    /// The same talk through TLS: from here on its bytes are recorded. `None` when the handshake fails.
    pub(in crate::provider) async fn secured(self, acceptor: &TlsAcceptor) -> Option<Talk<TlsStream<TcpStream>>> {
        let stream = acceptor.accept(self.stream).await.ok()?;
        Some(Talk { stream, received: self.received })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Reads one request with its body.
    pub(in crate::provider) async fn request(&mut self) -> String {
        let mut text = Vec::new();
        while !is_whole(&text) && self.read_into(&mut text).await {}
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Reads until the other side closes.
    pub(in crate::provider) async fn until_closed(&mut self) {
        while self.read_into(&mut Vec::new()).await {}
    }

    async fn read_into(&mut self, text: &mut Vec<u8>) -> bool {
        let mut part = [0; 4096];
        let Ok(count @ 1..) = self.stream.read(&mut part).await else { return false };
        text.extend_from_slice(&part[..count]);
        self.received.lock().unwrap().extend_from_slice(&part[..count]);
        true
    }

    pub(in crate::provider) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        // A client that hangs up early is what some tests want.
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse::<usize>().unwrap())
}

/// A whole HTTP answer.
pub(in crate::provider) fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}
