//! Logging in by a code that a person types into a page, on any machine.

use std::io::{self, Write as _};
use std::time::Duration;

use super::desk::Desk;
use super::keeping;
use crate::cli::outcome;
use crate::clock::Deadline;
use crate::failure::{Failure, visible};
use crate::oauth::AuthorizationCode;
use crate::oauth::device::{self, DeviceCode, LIFE, Poll};
use crate::oauth::exchange::exchange;
use crate::talk::Talk;

/// What is added to the interval when the server is in trouble.
const SLOWER: Duration = Duration::from_secs(5);

/// Shows page and code, waits for the person, and keeps the login.
pub(super) fn log_in(desk: &Desk<'_>, talk: &mut Talk) -> Result<(), Failure> {
    keeping::check_replacing(desk)?;
    keeping::check_place(desk)?;
    let device = device::start(&desk.server, &desk.caller())?;
    tell(desk, &device);
    let code = wait(desk, &device)?;
    conclude(desk, &code, talk)
}

/// The code becomes a login, and the person is told whose.
pub(super) fn conclude(desk: &Desk<'_>, code: &AuthorizationCode, talk: &mut Talk) -> Result<(), Failure> {
    let kept = keeping::save(desk, || exchange(&desk.server, &desk.caller(), code), talk)?;
    outcome::answer(&format!("logged in as {}; kept in {}\n", visible(&kept.who()), desk.file.path().display()))
}

fn tell(desk: &Desk<'_>, device: &DeviceCode) {
    let (page, minutes) = (desk.server.device_page(), LIFE.as_secs() / 60);
    let _ = write!(
        io::stderr(),
        "Open this page in a browser, on any machine:\n\n  {}\n\nand type this code there within {minutes} minutes:\n\n  \
         {}\n\nType it only if you began this login yourself. Ctrl-C leaves it.\n",
        page.as_str(),
        device.user_code
    );
}

fn wait(desk: &Desk<'_>, device: &DeviceCode) -> Result<AuthorizationCode, Failure> {
    let deadline = Deadline::within(LIFE, desk.clock);
    loop {
        let pause = match device::poll(&desk.server, &desk.caller_within(deadline.left()), device)? {
            Poll::Ready(code) => return Ok(code),
            Poll::Pending => device.interval,
            Poll::SlowDown => device.interval + SLOWER,
        };
        if deadline.left() <= pause {
            return Err(too_late());
        }
        desk.clock.pause(pause);
    }
}

/// The time for a login is over.
pub(super) fn too_late() -> Failure {
    Failure::person_must_act("the time for this login is over; nothing was changed").with_hint("log in again")
}
