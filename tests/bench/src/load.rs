//! The load generator: connections that are kept, each with one request under way, on one thread.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, ensure};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio_rustls::TlsConnector;

/// Whom to ask.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Set for HTTPS.
    pub(crate) tls: Option<TlsConnector>,
}

impl Target {
    /// Plain HTTP.
    pub(crate) fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// HTTPS, trusting this one certificate.
    pub(crate) fn https(address: SocketAddr, certificate: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(certificate)?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { address, tls: Some(TlsConnector::from(Arc::new(config))) })
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> anyhow::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from("localhost").expect("a host name");
        Ok(Box::new(tls.connect(name, stream).await.context("no TLS")?))
    }
}

/// An open connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// The bytes of `GET path` with a key.
pub(crate) fn request(path: &str, key: Option<&str>) -> Vec<u8> {
    let key = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1\r\n{key}\r\n").into_bytes()
}

/// A whole answer.
pub(crate) struct Answer {
    bytes: Vec<u8>,
    body_at: usize,
}

impl Answer {
    /// The body of an answer with status 200; an error with what came instead otherwise.
    pub(crate) fn good(&self) -> anyhow::Result<&[u8]> {
        self.with_status("200")
    }

    fn with_status(&self, status: &str) -> anyhow::Result<&[u8]> {
        let found = self.bytes.strip_prefix(b"HTTP/1.1 ").is_some_and(|rest| rest.starts_with(status.as_bytes()));
        ensure!(found, "the answer was {}", String::from_utf8_lossy(&self.bytes));
        Ok(&self.bytes[self.body_at..])
    }
}

/// Sends one request and reads its answer.
pub(crate) async fn exchange(stream: &mut dyn Stream, request: &[u8]) -> anyhow::Result<Answer> {
    stream.write_all(request).await?;
    answer(stream, Vec::with_capacity(4096)).await
}

/// Reads one answer into `bytes`, which is empty.
pub(crate) async fn answer(stream: &mut dyn Stream, mut bytes: Vec<u8>) -> anyhow::Result<Answer> {
    loop {
        ensure!(stream.read_buf(&mut bytes).await? > 0, "the connection ended: {}", String::from_utf8_lossy(&bytes));
        if let Some((body_at, length)) = head(&bytes)?
            && bytes.len() >= body_at + length
        {
            return Ok(Answer { bytes, body_at });
        }
    }
}

/// Where the body begins and how long it is, once the head is there.
fn head(bytes: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..end])?;
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let (_, length) = length.context("an answer without a length")?;
    Ok(Some((end + 4, length.trim().parse()?)))
}

/// Asks `total` times over `connections` connections, going through `requests` in turn. Every answer must be good.
pub(crate) fn run(
    target: &Target,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    total: usize,
) -> anyhow::Result<()> {
    run_for("200", target, requests, connections, total)
}

/// The same, when every answer must have this status.
pub(crate) fn run_for(
    status: &'static str,
    target: &Target,
    requests: &Arc<Vec<Vec<u8>>>,
    connections: usize,
    total: usize,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for first in 0..connections {
            let (target, requests) = (target.clone(), Arc::clone(requests));
            tasks.spawn_local(async move {
                let mut stream = target.connect().await?;
                let mut space = Vec::with_capacity(16 * 1024);
                for number in (first..total).step_by(connections) {
                    stream.write_all(&requests[number % requests.len()]).await?;
                    let answered = answer(&mut *stream, std::mem::take(&mut space)).await?;
                    answered.with_status(status)?;
                    space = answered.bytes;
                    space.clear();
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    })
}

/// The body of one good answer, over a connection of its own.
pub(crate) fn once(target: &Target, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stream = target.connect().await?;
        Ok(exchange(&mut *stream, request).await?.good()?.to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\nok";
        assert_eq!(head(whole).unwrap(), Some((whole.len() - 2, 2)));
        assert_eq!(head(&whole[..20]).unwrap(), None);
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
