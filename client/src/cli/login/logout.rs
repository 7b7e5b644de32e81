//! The end of a login on this machine, and at the server as far as that can be had.

use std::time::Duration;

use super::desk::Desk;
use super::keeping;
use crate::cli::outcome;
use crate::failure::{Failure, visible};
use crate::oauth::revoke::revoke;
use crate::talk::Talk;
use crate::token::local::renewal;

/// As long as the stock client tries.
const PATIENCE: Duration = Duration::from_secs(10);

/// Revokes the login and removes it.
pub(super) fn log_out(desk: &Desk<'_>, talk: &mut Talk) -> Result<(), Failure> {
    let path = desk.file.path();
    let existing = keeping::existing(path);
    if renewal::is_unfinished(&desk.file) {
        talk.warn("a renewal was under way: what it got is removed here, but perhaps still valid at the server");
    }
    let refresh_token = existing.as_ref().filter(|login| login.is_good());
    if let Some(token) = refresh_token.and_then(|existing| existing.login.refresh_token.as_ref())
        && let Err(failure) = revoke(&desk.server, &desk.caller_within(PATIENCE), token)
    {
        talk.warn(format!("the login is removed here, but perhaps still valid at the server: {failure}"));
    }
    let was_there = path.symlink_metadata().is_ok();
    keeping::remove(desk)?;
    outcome::answer(&match existing {
        Some(existing) => format!("logged out {}; removed {}\n", visible(&existing.who()), path.display()),
        None if was_there => format!("removed {}, which held no login\n", path.display()),
        None => format!("nobody was logged in at {}\n", path.display()),
    })
}
