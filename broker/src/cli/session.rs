//! A session for one command: the password is asked once, and the command's end ends it.

use scorpiox_wire::admin::SessionRequest;

use super::desk::Desk;
use super::failure::Failure;
use super::password;
use crate::domain::credential::Name;

/// Asks for the password and logs in.
pub(super) async fn begin(desk: &mut Desk, name: Name) -> Result<(), Failure> {
    let password = password::ask(&mut desk.screen, &format!("Password of {name}"))?;
    Ok(desk.broker.log_in(&SessionRequest { name: name.to_string(), password }).await?)
}
