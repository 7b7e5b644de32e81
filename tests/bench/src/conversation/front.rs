//! A proxy in front of the provider, which notes when the request for an answer and the answer's first piece pass.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::clock;

const REQUEST: &[u8] = b"POST /backend-api/codex/responses";
const DELTA: &[u8] = b"response.output_text.delta";

/// What has passed since the last [`Front::forget`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Passed {
    pub(super) request: Option<Instant>,
    pub(super) delta: Option<Instant>,
}

/// The proxy.
pub(super) struct Front {
    address: SocketAddr,
    passed: Arc<Mutex<Passed>>,
}

impl Front {
    /// Passes everything on to this server, as long as the process lives.
    pub(super) fn before(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let front = Self { address: listener.local_addr()?, passed: Arc::default() };
        let passed = Arc::clone(&front.passed);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A connection that cannot be made is seen as one that ends.
                let _ = connect(client, server, &passed);
            }
        });
        Ok(front)
    }

    /// Where clients find it.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Before the next run.
    pub(super) fn forget(&self) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = Passed::default();
    }

    /// What has passed.
    pub(super) fn passed(&self) -> Passed {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(client: TcpStream, server: SocketAddr, passed: &Arc<Mutex<Passed>>) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (to_client, to_server) = (client.try_clone()?, server.try_clone()?);
    pass_on(client, to_server, passed, |bytes, passed| {
        if bytes.starts_with(REQUEST) {
            passed.request.get_or_insert_with(clock::instant);
        }
    });
    pass_on(server, to_client, passed, |bytes, passed| {
        if bytes.windows(DELTA.len()).any(|window| window == DELTA) {
            passed.delta.get_or_insert_with(clock::instant);
        }
    });
    Ok(())
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, passed: &Arc<Mutex<Passed>>, note: fn(&[u8], &mut Passed)) {
    let passed = Arc::clone(passed);
    thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            note(&bytes[..count], &mut passed.lock().unwrap_or_else(PoisonError::into_inner));
            if to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        // The other direction may have ended first.
        let _ = to.shutdown(Shutdown::Write);
    });
}
