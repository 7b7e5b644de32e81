//! A person at a pseudo-terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

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
        grantpt(&screen).unwrap();
        unlockpt(&screen).unwrap();
        let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
        let line = {
            use std::os::unix::fs::OpenOptionsExt as _;
            OpenOptions::new().read(true).write(true).custom_flags(flags).open(name).unwrap()
        };
        let end = || Stdio::from(OwnedFd::from(line.try_clone().unwrap()));
        let child = command.stdin(end()).stderr(end()).spawn().unwrap();
        (Self { screen: screen.into(), seen: String::new(), line }, child)
    }

    /// Waits until the screen shows this.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let mut buffer = [0; 1024];
        while !self.seen.contains(text) {
            let count = self.screen.read(&mut buffer).unwrap();
            self.seen.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap();
    }

    /// All that was on the screen until now.
    pub(crate) fn seen(&self) -> &str {
        &self.seen
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        tcgetattr(&self.line).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}
