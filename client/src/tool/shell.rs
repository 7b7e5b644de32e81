//! Runs a command of the model: its output is merged and bounded, its time is limited, and nothing that it started is
//! left when it ends.
//!
//! * [`environment`]: what of the person's environment it gets. * [`tree`]: all that it started.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};

use self::tree::Tree;
use super::output::Captured;
use crate::clock::Clock;
use crate::random;

pub mod environment;
pub mod tree;

/// How long a command may take when the model does not say.
pub const USUAL_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take whatever the model says.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(3600);

/// So often it is looked whether to stop.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long the last output is waited for when all processes have ended.
const LAST_OUTPUT: Duration = Duration::from_secs(2);
const READ_AT_ONCE: usize = 64 * 1024;

/// A command of the model.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// What `sh -c` is given.
    pub text: &'a str,
    /// Where it runs.
    pub directory: &'a Path,
    /// How long it may take.
    pub timeout: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which did not come from us.
    Signalled(i32),
    /// It took too long.
    TimedOut,
    /// The person stopped it.
    Stopped,
}

/// A command that has ended, with everything it had started.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub ended: Ended,
    /// What it printed, both streams merged.
    pub output: Captured,
    /// How long it took.
    pub took: Duration,
}

/// What happens while it runs.
enum Notice {
    Printed(Vec<u8>),
    /// Nobody can print any more.
    Closed,
    Ended(rustix::io::Result<Ended>),
}

/// Who is interested while it runs.
pub trait Onlooker {
    /// The next bytes of its output, as they are: not for a terminal.
    fn printed(&mut self, bytes: &[u8]);
    /// Whether it is to be stopped.
    fn wants_stop(&self) -> bool;
}

/// Runs it to its end. An error says that it could not be started.
pub fn run(script: &Script<'_>, clock: &dyn Clock, onlooker: &mut dyn Onlooker) -> io::Result<Ran> {
    let started = clock.elapsed();
    let mark = random::uuid();
    let (notices, mut child) = start(script, &mark)?;
    let mut output = Captured::default();
    let ended = watch(&notices, script.timeout, clock, &mut output, onlooker);
    // Those too that it left behind: they could outlive the session, and they hold the output open.
    Tree::of(child.id(), &mark).end(clock);
    take_the_rest(&notices, clock, &mut output, onlooker);
    // Reaped only now, so that its number was nobody else's; elsewhere, since a process that hangs in the kernel does
    // not end for a signal.
    thread::spawn(move || child.wait());
    Ok(Ran { ended: ended?, output, took: clock.elapsed().saturating_sub(started) })
}

fn start(script: &Script<'_>, mark: &str) -> io::Result<(Receiver<Notice>, Child)> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script.text).current_dir(script.directory);
    command.env_clear().envs(environment::kept(std::env::vars_os())).env(tree::MARK, mark);
    // A group of its own: no key typed at the terminal reaches it, and it cannot read the terminal.
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = command.spawn()?;
    let pid = Pid::from_child(&child);
    // Bounded, so that a command that prints faster than it is read waits.
    let (sender, notices) = sync_channel(16);
    let for_output = sender.clone();
    thread::spawn(move || read(reader, &for_output));
    thread::spawn(move || wait(pid, &sender));
    Ok((notices, child))
}

fn read(mut reader: PipeReader, sender: &SyncSender<Notice>) {
    let mut buffer = vec![0; READ_AT_ONCE];
    loop {
        let notice = match reader.read(&mut buffer) {
            Ok(0) => Notice::Closed,
            Ok(length) => Notice::Printed(buffer[..length].to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => Notice::Closed,
        };
        let closed = matches!(notice, Notice::Closed);
        // Nobody listens any more when the last output came too late.
        if sender.send(notice).is_err() || closed {
            return;
        }
    }
}

/// Waits for its end, but does not reap it.
fn wait(pid: Pid, sender: &SyncSender<Notice>) {
    let ended = loop {
        match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Err(Errno::INTR) => {}
            ended => break ended,
        }
    };
    let _ = sender.send(Notice::Ended(ended.map(|status| status.as_ref().map_or(Ended::Signalled(0), how_it_ended))));
}

fn watch(
    notices: &Receiver<Notice>,
    timeout: Duration,
    clock: &dyn Clock,
    output: &mut Captured,
    onlooker: &mut dyn Onlooker,
) -> io::Result<Ended> {
    let deadline = clock.elapsed() + timeout;
    loop {
        if onlooker.wants_stop() {
            return Ok(Ended::Stopped);
        }
        let left = deadline.saturating_sub(clock.elapsed());
        if left.is_zero() {
            return Ok(Ended::TimedOut);
        }
        match notices.recv_timeout(left.min(BETWEEN_LOOKS)) {
            Ok(Notice::Printed(bytes)) => {
                output.take(&bytes);
                onlooker.printed(&bytes);
            }
            Ok(Notice::Ended(ended)) => return Ok(ended?),
            Ok(Notice::Closed) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the command was lost")),
        }
    }
}

fn how_it_ended(status: &WaitIdStatus) -> Ended {
    match status.exit_status() {
        Some(code) => Ended::Exited(code),
        None => Ended::Signalled(status.terminating_signal().unwrap_or_default()),
    }
}

fn take_the_rest(notices: &Receiver<Notice>, clock: &dyn Clock, output: &mut Captured, onlooker: &mut dyn Onlooker) {
    let deadline = clock.elapsed() + LAST_OUTPUT;
    loop {
        match notices.recv_timeout(deadline.saturating_sub(clock.elapsed())) {
            Ok(Notice::Printed(bytes)) => {
                output.take(&bytes);
                onlooker.printed(&bytes);
            }
            Ok(Notice::Ended(_)) => {}
            Ok(Notice::Closed) | Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests;
