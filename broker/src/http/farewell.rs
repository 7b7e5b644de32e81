//! The last answer on a connection, written past the server framework.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::ResponseError;
use tokio::io::AsyncWrite;

use super::error::Refusal;

/// An answer on its way out, after which our side of the connection closes.
pub(super) struct Farewell {
    bytes: Vec<u8>,
    written: usize,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Writing,
    Closing,
    Said,
    Lingering,
}

impl Farewell {
    pub(super) fn new(refusal: &Refusal) -> Self {
        let status = refusal.status_code();
        let body = refusal.to_json();
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n",
            status.as_u16(),
            status.canonical_reason().unwrap_or_default(),
            body.len(),
        )
        .into_bytes();
        bytes.extend(body);
        Self { bytes, written: 0, step: Step::Writing }
    }

    /// Writes what is left, flushes, and closes our side (inside TLS: says so).
    pub(super) fn poll_said<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.step == Step::Writing {
            while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
                let written = ready!(Pin::new(&mut *stream).poll_write(cx, rest))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.written += written;
            }
            self.step = Step::Closing;
        }
        if self.step == Step::Closing {
            ready!(Pin::new(&mut *stream).poll_flush(cx))?;
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
            self.step = Step::Said;
        }
        Poll::Ready(Ok(()))
    }

    /// True the first time it is asked: the wait for the client to read the answer begins.
    pub(super) fn start_linger(&mut self) -> bool {
        let begins = self.step == Step::Said;
        self.step = Step::Lingering;
        begins
    }
}
