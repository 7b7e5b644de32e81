//! A person at a pseudo-terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, Stdio};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{InputModes, LocalModes, OutputModes, Winsize, tcgetattr, tcsetwinsize};

use super::patience;

/// The person's side, and the command.
#[derive(Debug)]
pub struct Terminal {
    screen: File,
    seen: String,
    child: Child,
}

impl Terminal {
    /// Starts a command whose three streams are a terminal of 80 columns.
    ///
    /// # Panics
    /// When there is no terminal to be had, or the command does not start.
    pub fn start(mut command: Command) -> Self {
        // Not inherited: a command that held its own screen open would not see it closed.
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let screen = openpt(flags).expect("a pseudo-terminal");
        fcntl_setfl(&screen, OFlags::NONBLOCK).expect("a screen that can be looked at");
        grantpt(&screen).and_then(|()| unlockpt(&screen)).expect("a terminal of our own");
        let name = ptsname(&screen, Vec::new()).expect("its name").into_string().expect("a plain name");
        let flags = i32::try_from(OFlags::NOCTTY.bits()).expect("a small number");
        let line = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).expect("its other end");
        tcsetwinsize(&line, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).expect("its size");
        let end = || Stdio::from(OwnedFd::from(line.try_clone().expect("another handle")));
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the command starts");
        Self { screen: screen.into(), seen: String::new(), child }
    }

    /// Waits until the screen shows this behind what was waited for before, and returns what stood between.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&mut self, text: &str) -> String {
        patience::until(text, || {
            self.look();
            self.seen.find(text).map(|at| self.seen.drain(..at + text.len()).collect())
        })
    }

    fn look(&mut self) {
        let mut buffer = [0; 4096];
        // Nothing new is an error too: the screen does not block.
        while let Ok(count @ 1..) = self.screen.read(&mut buffer) {
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    /// Types these keys.
    ///
    /// # Panics
    /// When the terminal takes none.
    pub fn types(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Ctrl-C, as the terminal's driver would send it.
    ///
    /// # Panics
    /// When the command has gone.
    pub fn interrupts(&self) {
        self.signals(Signal::INT);
    }

    /// Sends the command a signal.
    ///
    /// # Panics
    /// When the command has gone.
    pub fn signals(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("a command that runs");
    }

    /// Another size, as when a window is dragged.
    ///
    /// # Panics
    /// When the command has gone.
    pub fn resizes(&self, columns: u16) {
        tcsetwinsize(&self.screen, Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })
            .expect("a size");
        // It is not the terminal of the command's session, so nobody else says it.
        self.signals(Signal::WINCH);
    }

    /// Whether a shell could go on here: what is typed is shown, and Enter ends a line.
    ///
    /// # Panics
    /// When the terminal does not say how it is.
    pub fn is_as_before(&self) -> bool {
        let modes = tcgetattr(&self.screen).expect("a terminal");
        modes.local_modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
            && modes.input_modes.contains(InputModes::ICRNL)
            && modes.output_modes.contains(OutputModes::OPOST)
    }

    /// Closes the terminal; the exit code of the command, which must end.
    ///
    /// # Panics
    /// When it does not end.
    pub fn closes(mut self) -> Option<i32> {
        let elsewhere = OpenOptions::new().read(true).open("/dev/null").expect("the null device");
        drop(std::mem::replace(&mut self.screen, elsewhere));
        self.ends()
    }

    /// SIGKILL: no time for anything.
    ///
    /// # Panics
    /// When the command has gone.
    pub fn is_killed(mut self) {
        self.child.kill().expect("a command that runs");
        self.child.wait().expect("a command of ours");
    }

    /// Waits for the command's end; its exit code.
    ///
    /// # Panics
    /// When it does not end.
    pub fn ends(&mut self) -> Option<i32> {
        patience::until("the end of the command", || self.has_ended())
    }

    /// Whether it has ended, and then its exit code.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn has_ended(&mut self) -> Option<Option<i32>> {
        self.look();
        self.child.try_wait().expect("a command of ours").map(|status| status.code())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
