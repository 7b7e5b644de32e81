//! One run of a command whose output is a terminal.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::front::Front;
use crate::clock;

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Until its request was seen.
    pub(super) start: Duration,
    /// From the first piece of the answer to the terminal.
    pub(super) delta: Duration,
    /// The most that it, or a process that it waited for, had in memory.
    pub(super) peak_bytes: u64,
}

/// Runs it, until the terminal shows `text` and it has ended well.
pub(super) fn run(command: &mut Command, front: &Front, text: &str) -> anyhow::Result<Run> {
    front.forget();
    let (screen, line) = pair()?;
    command.stdin(Stdio::null()).stdout(OwnedFd::from(line.try_clone()?)).stderr(OwnedFd::from(line));
    let begun = clock::instant();
    let child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    // The command has the terminal's other end no longer, so that its reader sees when the child has let go of it.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let text = text.to_owned();
    let reader = thread::spawn(move || until_end(screen, &text));
    let (status, peak_bytes) = wait(&child)?;
    let (shown, seen) = reader.join().expect("reading a terminal does not panic");
    ensure!(status == 0, "{} ended with {status}:\n{shown}", command.get_program().display());
    let passed = front.passed();
    let (asked, answered) = (passed.request.context("it did not ask")?, passed.delta.context("it got no answer")?);
    let seen = seen.with_context(|| format!("the answer was not shown:\n{shown}"))?;
    Ok(Run { start: asked - begun, delta: seen.saturating_duration_since(answered), peak_bytes })
}

/// A terminal: the person's side, and the command's.
fn pair() -> anyhow::Result<(File, File)> {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&screen)?;
    unlockpt(&screen)?;
    let name = ptsname(&screen, Vec::new())?.into_string()?;
    let flags = i32::try_from(OFlags::NOCTTY.bits())?;
    let line = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name)?;
    tcsetwinsize(&line, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok((screen.into(), line))
}

/// All that is shown, and when `text` first was.
fn until_end(mut screen: File, text: &str) -> (String, Option<Instant>) {
    let (mut shown, mut seen) = (String::new(), None);
    let mut bytes = [0; 4096];
    // A terminal that nobody has open any more is an error to its reader.
    while let Ok(count @ 1..) = screen.read(&mut bytes) {
        let now = clock::instant();
        shown.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if seen.is_none() && shown.contains(text) {
            seen = Some(now);
        }
    }
    (shown, seen)
}

/// Its exit status, and the memory of the largest of its processes.
#[expect(unsafe_code, reason = "only this call says what a process that has ended had used, and no safe one offers it")]
fn wait(child: &Child) -> anyhow::Result<(i32, u64)> {
    let mut status = 0;
    // SAFETY: both are plain numbers, and the kernel fills them in.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let pid = libc::pid_t::try_from(child.id())?;
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    ensure!(waited > 0, "cannot wait for it: {}", std::io::Error::last_os_error());
    Ok((status, u64::try_from(usage.ru_maxrss)? * 1024))
}
