//! A real pseudo-terminal with a program on it: keys go in, and a terminal emulator reads what comes out.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// Within this time something that will come has come, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the program has written so far.
struct Written {
    parser: vt100::Parser,
    bytes: Vec<u8>,
    ended: bool,
}

pub(crate) struct Terminal {
    program: Child,
    master: File,
    /// Held open: its settings are looked at when the program has gone.
    slave: OwnedFd,
    before: Termios,
    written: Arc<(Mutex<Written>, Condvar)>,
}

impl Terminal {
    /// Starts the program with a terminal of this size as its controlling one.
    pub(crate) fn start(command: &Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(&master, size(columns, rows)).unwrap();
        let before = tcgetattr(&slave).unwrap();
        let end = || std::process::Stdio::from(slave.try_clone().unwrap());
        let mut with_terminal = with_controlling_terminal(command);
        let program = with_terminal.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let master = File::from(master);
        let written = Written { parser: vt100::Parser::new(rows, columns, 0), bytes: Vec::new(), ended: false };
        let written = Arc::new((Mutex::new(written), Condvar::new()));
        read_along(master.try_clone().unwrap(), written.clone());
        Self { program, master, slave, before, written }
    }

    /// Types. `\r` is Enter, `\x1b` Escape, `\x03` Ctrl-C.
    pub(crate) fn types(&mut self, keys: &str) -> &mut Self {
        self.master.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Pastes as a terminal does that was asked to put brackets around it.
    pub(crate) fn pastes(&mut self, text: &str) -> &mut Self {
        self.types(&format!("\u{1b}[200~{text}\u{1b}[201~"))
    }

    pub(crate) fn resizes(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.written.0.lock().unwrap().parser.screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.master, size(columns, rows)).unwrap();
        self
    }

    pub(crate) fn signals(&mut self, signal: Signal) -> &mut Self {
        kill_process(Pid::from_child(&self.program), signal).unwrap();
        self
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> &mut Self {
        self.wait_until(&format!("shows {text:?}"), |screen| screen.contains(text))
    }

    /// Waits until the screen no longer shows this.
    #[track_caller]
    pub(crate) fn hides(&mut self, text: &str) -> &mut Self {
        self.wait_until(&format!("hides {text:?}"), |screen| !screen.contains(text))
    }

    #[track_caller]
    fn wait_until(&mut self, what: &str, condition: impl Fn(&str) -> bool) -> &mut Self {
        let (written, changed) = &*self.written;
        let is_awaited = |written: &mut Written| !written.ended && !condition(&written.parser.screen().contents());
        let (written, _) = changed.wait_timeout_while(written.lock().unwrap(), PATIENCE, is_awaited).unwrap();
        let screen = written.parser.screen().contents();
        assert!(condition(&screen), "the screen never {what}:\n{screen}");
        drop(written);
        self
    }

    pub(crate) fn screen(&self) -> String {
        self.written.0.lock().unwrap().parser.screen().contents()
    }

    /// Everything that was ever written, control sequences and all.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.written.0.lock().unwrap().bytes.clone()
    }

    /// Waits for the end, and asserts that the terminal is as it was before.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let status = self.wait();
        let now = tcgetattr(&self.slave).unwrap();
        let modes =
            |termios: &Termios| (termios.input_modes, termios.output_modes, termios.control_modes, termios.local_modes);
        assert_eq!(modes(&now), modes(&self.before), "raw mode is off");
        let is_given_back = |written: &Written| {
            let screen = written.parser.screen();
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        };
        // The last bytes may still be on their way.
        let (written, changed) = &*self.written;
        let (written, _) =
            changed.wait_timeout_while(written.lock().unwrap(), PATIENCE, |written| !is_given_back(written)).unwrap();
        assert!(is_given_back(&written), "the screen is given back");
        status
    }

    fn wait(&mut self) -> ExitStatus {
        for _ in 0..PATIENCE.as_millis() / 10 {
            if let Some(status) = self.program.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end:\n{}", self.screen());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// The same command as the leader of a session whose terminal is its stdin: only such a one hears of a new size.
fn with_controlling_terminal(command: &Command) -> Command {
    let mut leader = Command::new("setsid");
    leader.arg("--ctty").arg(command.get_program()).args(command.get_args());
    leader.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    leader.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if let Some(directory) = command.get_current_dir() {
        leader.current_dir(directory);
    }
    leader
}

fn read_along(mut master: File, written: Arc<(Mutex<Written>, Condvar)>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            // An error is how the end of the last process on a terminal looks.
            let length = master.read(&mut buffer).unwrap_or(0);
            // A test that has failed holds it no more, and needs nobody to read along.
            let Ok(mut written_so_far) = written.0.lock() else { return };
            written_so_far.parser.process(&buffer[..length]);
            written_so_far.bytes.extend_from_slice(&buffer[..length]);
            written_so_far.ended = length == 0;
            written.1.notify_all();
            if length == 0 {
                return;
            }
        }
    });
}
