//! Knows whether a byte may have left, and lets none leave too late.
//!
//! It sits above TLS, so a handshake does not count: only bytes of a request do.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::{Monotonic, SharedClock};

/// A byte stream of whatever layers.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Shared between the sender, who decides by it, and the stream, which obeys it.
pub(super) struct Gate {
    clock: SharedClock,
    /// Not set: nothing may be written yet.
    write_before: OnceLock<Monotonic>,
    tried: AtomicBool,
    late: AtomicBool,
}

impl Gate {
    pub(super) fn closed(clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            write_before: OnceLock::new(),
            tried: AtomicBool::new(false),
            late: AtomicBool::new(false),
        })
    }

    /// Lets a first byte pass until then.
    pub(super) fn open_until(&self, write_before: Monotonic) {
        // A connection is sent on once, so nobody can have set it before.
        let _ = self.write_before.set(write_before);
    }

    /// True once a write was attempted: from then on nobody can say that nothing left.
    pub(super) fn tried(&self) -> bool {
        self.tried.load(Ordering::SeqCst)
    }

    /// True when a first write was refused because its time had passed.
    pub(super) fn late(&self) -> bool {
        self.late.load(Ordering::SeqCst)
    }

    fn pass(&self) -> io::Result<()> {
        if self.tried() {
            return Ok(());
        }
        if self.write_before.get().is_none_or(|write_before| self.clock.monotonic() > *write_before) {
            self.late.store(true, Ordering::SeqCst);
            return Err(io::Error::other("the time to write has passed"));
        }
        self.tried.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// A stream behind a [`Gate`].
pub(super) struct Gated {
    pub(super) stream: Box<dyn Stream>,
    pub(super) gate: Arc<Gate>,
}

impl AsyncRead for Gated {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gated {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.gate.pass()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.gate.pass()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
