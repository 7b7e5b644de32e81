//! Logging in through a browser that comes back to a port of this machine; or a person pastes the address.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use super::callback::{self, Arrival};
use super::desk::Desk;
use super::device::{conclude, too_late};
use super::keeping;
use crate::clock::Deadline;
use crate::failure::Failure;
use crate::oauth::AuthorizationCode;
use crate::oauth::browser::{Brought, BrowserLogin};
use crate::oauth::device::LIFE;
use crate::talk::Talk;

/// How often is looked whether something came.
const LOOK: Duration = Duration::from_millis(100);
/// Longer than any address that a browser ends at.
const LONGEST_LINE: u64 = 16 * 1024;

/// Sends a person to the login server's page and keeps the login that comes back.
pub(super) fn log_in(desk: &Desk<'_>, ports: &[u16], talk: &mut Talk) -> Result<(), Failure> {
    keeping::check_replacing(desk)?;
    keeping::check_place(desk)?;
    let listener = listen(ports);
    let port = listener.as_ref().map_or(ports[0], |(_, port)| *port);
    let attempt = Arc::new(BrowserLogin::begin(&desk.server, port));
    tell(&attempt, listener.is_some(), ports);
    let (sender, arrivals) = channel();
    if let Some((listener, _)) = listener {
        callback::serve(listener, attempt.clone(), sender.clone());
    }
    read_pasted(attempt, sender);
    let code = wait(desk, &arrivals)?;
    conclude(desk, &code, talk)
}

fn listen(ports: &[u16]) -> Option<(TcpListener, u16)> {
    // By number: `localhost` may be ::1 for a listener, and the stock client listens here too.
    ports.iter().find_map(|port| {
        let listener = TcpListener::bind(("127.0.0.1", *port)).ok()?;
        let port = listener.local_addr().ok()?.port();
        Some((listener, port))
    })
}

fn tell(attempt: &BrowserLogin, listening: bool, ports: &[u16]) {
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "Open this page in a browser:\n\n  {}\n", attempt.url);
    let _ = if listening {
        writeln!(
            stderr,
            "When the browser runs on another machine, it ends at a page that does not load: paste that address here."
        )
    } else {
        writeln!(
            stderr,
            "Other programs use the ports {ports:?}, so the browser ends at a page that is not ours: paste that address \
             here."
        )
    };
}

/// Reads lines in a thread of its own, which ends with the process: a terminal cannot be waited for in another way.
fn read_pasted(attempt: Arc<BrowserLogin>, sender: Sender<Arrival>) {
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = zeroize::Zeroizing::new(String::new());
            match input.by_ref().take(LONGEST_LINE).read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line.trim().is_empty() => continue,
                Ok(_) => {}
            }
            let arrival = match attempt.read(&line) {
                Brought::Code(code) => Arrival::Code(code),
                Brought::Declined(failure) => Arrival::Declined(failure),
                Brought::Nothing(why) => {
                    let _ = writeln!(io::stderr(), "{why}");
                    continue;
                }
            };
            if sender.send(arrival).is_err() {
                return;
            }
        }
    });
}

fn wait(desk: &Desk<'_>, arrivals: &Receiver<Arrival>) -> Result<AuthorizationCode, Failure> {
    let deadline = Deadline::within(LIFE, desk.clock);
    loop {
        match arrivals.try_recv() {
            Ok(Arrival::Code(code)) => return Ok(code),
            Ok(Arrival::Declined(failure)) => return Err(failure),
            Ok(Arrival::Cancelled) => {
                let failure = Failure::person_must_act("another program asked for the port of this login");
                return Err(failure.with_hint("log in again when that one is done"));
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                let failure = Failure::configuration("no port is free for the browser, and nothing can be pasted here");
                return Err(failure.with_hint("run this on a terminal, or log in without --browser"));
            }
        }
        if deadline.left().is_zero() {
            return Err(too_late());
        }
        desk.clock.pause(LOOK);
    }
}
