//! One run of a command whose output is a terminal.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::front::Front;
use crate::clock;

/// So often its memory is looked at; a run takes at least ten times as long.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// What a run cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// Until its request was seen.
    pub(super) start: Duration,
    /// From the first piece of the answer to the terminal.
    pub(super) delta: Duration,
    /// The most that it had in memory.
    pub(super) peak_bytes: u64,
}

/// Runs it, until the terminal shows `text` and it has ended well.
pub(super) fn run(command: &mut Command, front: &Front, text: &str) -> anyhow::Result<Run> {
    front.forget();
    let (screen, line) = pair()?;
    command.stdin(Stdio::null()).stdout(OwnedFd::from(line.try_clone()?)).stderr(OwnedFd::from(line));
    let begun = clock::instant();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    // The command has the terminal's other end no longer, so that its reader sees when the child has let go of it.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let text = text.to_owned();
    let reader = thread::spawn(move || until_end(screen, &text));
    let (status, peak_bytes) = wait(&mut child)?;
    let (shown, seen) = reader.join().expect("reading a terminal does not panic");
    ensure!(status.success(), "{} ended with {status}:\n{shown}", command.get_program().display());
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

/// Waits for its end; the most resident memory that it had, looked at while it runs: what `wait4` says afterwards counts
/// what this process had when it started it.
fn wait(child: &mut Child) -> anyhow::Result<(ExitStatus, u64)> {
    let mut most = 0;
    loop {
        most = peak(child.id()).unwrap_or(0).max(most);
        match child.try_wait()? {
            Some(status) => return Ok((status, most)),
            None => thread::sleep(BETWEEN_LOOKS),
        }
    }
}

/// In bytes; `None` when it has ended.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}
