//! What both stages wait for: the end of what they started, or of who started them.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Refusal;

/// What happened first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Who started us is gone, or wants the end.
    Cut,
    /// The process ended.
    Ended,
    /// Neither, for so long.
    Nothing,
}

/// The socket that is this process's standard input.
pub(super) fn standard_input() -> Result<UnixStream, Refusal> {
    // The copy is closed in whatever this process starts.
    Ok(UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?))
}

/// Waits. Nothing is ever said on the lifeline after the order, so whatever arrives is its end.
pub(super) fn wait(lifeline: &UnixStream, process: BorrowedFd<'_>, at_most: Duration) -> Result<Event, Refusal> {
    let mut watched = [PollFd::new(lifeline, PollFlags::IN), PollFd::new(&process, PollFlags::IN)];
    let timeout = Timespec::try_from(at_most)?;
    match poll(&mut watched, Some(&timeout)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let [cut, ended] = watched.map(|watched| !watched.revents().is_empty());
    Ok(match (cut, ended) {
        (_, true) => Event::Ended,
        (true, false) => Event::Cut,
        (false, false) => Event::Nothing,
    })
}
