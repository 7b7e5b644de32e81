//! A person at a pseudo-terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

const MOMENT: Duration = Duration::from_millis(10);
/// How many moments anything may take.
const PATIENCE: usize = 3_000;

/// The person's side.
pub(crate) struct Terminal {
    screen: File,
    seen: String,
    /// Kept open: what its modes are when the command has gone can be asked only through it.
    line: File,
}

impl Terminal {
    /// Starts a command whose stdin and stderr are a terminal.
    pub(crate) fn start(mut command: Command) -> (Self, Child) {
        let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        fcntl_setfl(&screen, OFlags::NONBLOCK).unwrap();
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let line = OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).unwrap();
        let end = || Stdio::from(OwnedFd::from(line.try_clone().unwrap()));
        let child = command.stdin(end()).stderr(end()).spawn().unwrap();
        (Self { screen: screen.into(), seen: String::new(), line }, child)
    }

    /// Waits until the screen shows this.
    pub(crate) fn wait_for(&mut self, text: &str) {
        for _ in 0..PATIENCE {
            if self.look().contains(text) {
                return;
            }
            thread::sleep(MOMENT);
        }
        panic!("{text:?} is not in {:?}", self.seen);
    }

    /// Waits until what is typed is not shown: a prompt may be there a moment before.
    pub(crate) fn wait_until_hidden(&self) {
        for _ in 0..PATIENCE {
            if !self.echoes() {
                return;
            }
            thread::sleep(MOMENT);
        }
        panic!("what is typed is shown");
    }

    fn look(&mut self) -> &str {
        let mut buffer = [0; 1024];
        // Nothing new is an error too: the screen does not block.
        while let Ok(count @ 1..) = self.screen.read(&mut buffer) {
            self.seen.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        &self.seen
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap();
    }

    /// All that was on the screen until now.
    pub(crate) fn seen(&mut self) -> &str {
        self.look()
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.line).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}
