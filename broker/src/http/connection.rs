//! A connection under watch: what the server framework leaves unbounded is bounded here, below it and above TLS.
//!
//! actix-http bounds the time of a connection's first head only (not of those that follow on a kept connection), lets a
//! head grow to 128 KiB, and waits without end for a client that does not read its answer. So every byte passes here,
//! and the guard says where the exchange stands:
//!
//! ```text
//! Fresh     until bytes arrive            408 after header_timeout
//! Head      until the guard has it whole  408 after header_timeout; 431 beyond header_bytes
//! Serving   until the guard has an answer the guard's own time, request_timeout
//! Answered  until it has left             cut off after write_timeout
//! Idle      until bytes arrive            closed after keep_alive
//! ```
//!
//! What is refused here is answered here (`Ending::Farewell`): the framework is told that the client has hung up.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::Refusal;
use super::farewell::Farewell;
use super::head::HeadScan;
use super::limits::Bounds;
use super::stream::Stream;

/// Where the exchange on a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not a byte has arrived yet.
    Fresh,
    /// A head is arriving.
    Head,
    /// A request is with the application; the guard keeps its time.
    Serving,
    /// Its answer is on the way out.
    Answered,
    /// Kept for the next request.
    Idle,
}

/// What the guard tells the connection. Both live on one thread.
#[derive(Debug)]
pub(super) struct Progress {
    phase: Cell<Phase>,
    /// Bytes of a body may still be arriving: they must not be taken for a head that deserves an answer.
    body_open: Cell<bool>,
}

impl Progress {
    fn new() -> Rc<Self> {
        Rc::new(Self { phase: Cell::new(Phase::Fresh), body_open: Cell::new(false) })
    }

    /// A request with all its headers has arrived.
    pub(super) fn request_taken(&self, has_body: bool) {
        self.phase.set(Phase::Serving);
        self.body_open.set(has_body);
    }

    /// The last byte of its body has been read.
    pub(super) fn body_read(&self) {
        self.body_open.set(false);
    }

    /// True until [`Progress::body_read`].
    pub(super) fn is_body_open(&self) -> bool {
        self.body_open.get()
    }

    /// Its answer is about to be written.
    pub(super) fn answered(&self) {
        self.phase.set(Phase::Answered);
    }
}

/// Who speaks over the administration socket: a user id of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalUser(pub(super) u32);

/// A stream with deadlines and a bound on heads.
pub(super) struct Connection {
    stream: Stream,
    progress: Rc<Progress>,
    bounds: Rc<Bounds>,
    head: HeadScan,
    /// While Fresh, in Head or Idle: until when bytes must arrive.
    read_by: Instant,
    /// While bytes wait to be accepted by the client: until when.
    write_by: Option<Instant>,
    /// Wakes at or before the nearest deadline, and is moved only when one comes nearer: almost never.
    timer: Pin<Box<Sleep>>,
    /// The timer knows the connection's task, which is the same all its life.
    timer_set: bool,
    ending: Option<Ending>,
    /// Bytes that were read after the last answer, only to be dropped.
    dropped: usize,
}

/// How the connection ends before its client wanted it to.
enum Ending {
    /// Without a word: it was idle, or what arrives cannot be answered.
    Silent,
    /// With a last answer.
    Farewell(Farewell),
}

impl Connection {
    pub(super) fn new(stream: Stream, bounds: Rc<Bounds>) -> Self {
        let read_by = Instant::now() + bounds.header_timeout;
        Self {
            stream,
            progress: Progress::new(),
            bounds,
            head: HeadScan::default(),
            read_by,
            write_by: None,
            timer: Box::pin(sleep_until(read_by)),
            timer_set: false,
            ending: None,
            dropped: 0,
        }
    }

    /// The user at the other end of a Unix socket, as the kernel says.
    pub(super) fn local_user(&self) -> Option<LocalUser> {
        match &self.stream {
            Stream::Local(socket) => socket.peer_cred().ok().map(|peer| LocalUser(peer.uid())),
            Stream::Plain(_) | Stream::Tls(_) => None,
        }
    }

    pub(super) fn progress(&self) -> Rc<Progress> {
        Rc::clone(&self.progress)
    }

    /// Whether the nearest deadline has passed; if not, the task is woken when it does.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let read_by = match self.progress.phase.get() {
            Phase::Fresh | Phase::Head | Phase::Idle => Some(self.read_by),
            Phase::Serving | Phase::Answered => None,
        };
        let Some(deadline) = read_by.into_iter().chain(self.write_by).min() else {
            return false;
        };
        if self.timer_set && self.timer.deadline() <= deadline && !self.timer.is_elapsed() {
            return false;
        }
        self.timer_set = true;
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
        false
    }

    /// Notes bytes that arrived; false when the head has become too long.
    fn note_arrival(&mut self, bytes: &[u8]) -> bool {
        match self.progress.phase.get() {
            Phase::Serving => return true,
            Phase::Head => {}
            Phase::Fresh => self.progress.phase.set(Phase::Head),
            Phase::Answered | Phase::Idle => {
                self.progress.phase.set(Phase::Head);
                self.head = HeadScan::default();
                if self.head.take_whole(bytes, self.bounds.header_bytes) {
                    // The guard has it before anything else happens: the deadline of the idle connection will do.
                    return true;
                }
                self.read_by = Instant::now() + self.bounds.header_timeout;
            }
        }
        self.head.take(bytes, self.bounds.header_bytes)
    }

    /// Ends the connection from our side; the framework sees a client that has hung up.
    fn end(&mut self, status: StatusCode) {
        let silent = self.progress.phase.get() == Phase::Idle || self.progress.is_body_open();
        self.ending = Some(if silent { Ending::Silent } else { Ending::Farewell(farewell(status)) });
        // From here only the writing counts.
        self.progress.phase.set(Phase::Answered);
        self.write_by = Some(Instant::now() + self.bounds.write_timeout);
    }

    /// Starts the time for what the client does not accept; an error once it has run out.
    fn wait_to_write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let timeout = self.bounds.write_timeout;
        self.write_by.get_or_insert_with(|| Instant::now() + timeout);
        if self.is_overdue(cx) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    /// Says the last answer; the client gets `write_timeout` for it.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(Ending::Farewell(farewell)) = &mut self.ending else {
            return Poll::Ready(Ok(()));
        };
        match farewell.poll_said(&mut self.stream, cx) {
            Poll::Pending => self.wait_to_write(cx).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
            said => said,
        }
    }

    /// Status of an answer that the framework made up: it answers what it cannot parse, before the guard sees it, without a body.
    fn made_up_answer(&self, bytes: &[u8]) -> Option<StatusCode> {
        let before_the_guard = matches!(self.progress.phase.get(), Phase::Fresh | Phase::Head);
        let status = bytes.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5))?;
        let refuses = matches!(status[0], b'4' | b'5') && before_the_guard && !self.progress.is_body_open();
        refuses.then(|| StatusCode::from_bytes(status).ok()).flatten()
    }
}

fn farewell(status: StatusCode) -> Farewell {
    Farewell::new(&Refusal::from_status(status))
}

/// After a last answer the client gets this long to read it before the connection is torn down …
const LINGER: Duration = Duration::from_secs(1);
/// … and may meanwhile send this much that nobody reads.
const LINGER_BYTES: usize = 256 * 1024;

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_some() {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        if Pin::new(&mut this.stream).poll_read(cx, buf)?.is_pending() {
            if !this.is_overdue(cx) {
                return Poll::Pending;
            }
            if this.write_by.is_some_and(|deadline| Instant::now() >= deadline) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            this.end(StatusCode::REQUEST_TIMEOUT);
            return Poll::Ready(Ok(()));
        }
        let arrived = &buf.filled()[before..];
        if !arrived.is_empty() && !this.note_arrival(arrived) {
            buf.set_filled(before);
            this.end(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.ending.is_none()
            && let Some(status) = this.made_up_answer(bytes)
        {
            this.ending = Some(Ending::Farewell(farewell(status)));
            this.progress.phase.set(Phase::Answered);
        }
        if this.ending.is_some() {
            return this.poll_farewell(cx).map_ok(|()| bytes.len());
        }
        match Pin::new(&mut this.stream).poll_write(cx, bytes) {
            Poll::Pending => this.wait_to_write(cx).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
            written => written,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ending.is_some() {
            return this.poll_farewell(cx);
        }
        match Pin::new(&mut this.stream).poll_flush(cx) {
            Poll::Pending => this.wait_to_write(cx).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
            Poll::Ready(Ok(())) => {
                this.write_by = None;
                if this.progress.phase.get() == Phase::Answered {
                    this.progress.phase.set(Phase::Idle);
                    this.read_by = Instant::now() + this.bounds.keep_alive;
                }
                Poll::Ready(Ok(()))
            }
            failed => failed,
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match &mut this.ending {
            Some(Ending::Farewell(_)) => {
                ready!(this.poll_farewell(cx))?;
                this.poll_linger(cx)
            }
            _ => match Pin::new(&mut this.stream).poll_shutdown(cx) {
                Poll::Pending => {
                    this.wait_to_write(cx).map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending)
                }
                done => done,
            },
        }
    }
}

impl Connection {
    /// Reads and drops what the client still sends: closing on unread bytes would reset the connection, and a reset
    /// destroys the answer before the client has read it.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(Ending::Farewell(farewell)) = &mut self.ending
            && farewell.start_linger()
        {
            self.write_by = Some(Instant::now() + LINGER);
        }
        let mut space = [std::mem::MaybeUninit::uninit(); 4096];
        loop {
            let mut bin = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.stream).poll_read(cx, &mut bin) {
                Poll::Ready(Ok(())) if !bin.filled().is_empty() && self.dropped < LINGER_BYTES => {
                    self.dropped += bin.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending if self.is_overdue(cx) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
