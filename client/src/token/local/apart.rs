//! A renewal that outlives the command which needs it.
//!
//! Whoever asks for a token waits for seconds, and may be killed when it takes longer. A refresh token whose answer is
//! not waited for may be lost. So the renewal runs in a process of its own, which waits as long as a login server may
//! take; the command waits for it as long as it may, and its end ends nothing.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use scorpiox_wire::Secret;

use super::decision::{Need, Reason, Step, decide};
use super::journal::Journal;
use super::reading::read_until_whole;
use super::renewal::{Here, Renewed, Renewer, lock};
use crate::clock::{Clock, Deadline};
use crate::failure::Failure;
use crate::oauth::refresh::AtServer;
use crate::settings::Surroundings;
use crate::settings::local::CredentialsFile;
use crate::talk::Talk;

/// The program that renews, beside the one that needs it.
const PROGRAM: &str = "scorpiox-codex-refreshtoken";
/// How long a renewal by itself may take.
pub const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Renews through a process of its own, or in this one where that program is missing.
pub struct Apart<'a> {
    /// The program, if it is there.
    pub program: Option<PathBuf>,
    /// In this process.
    pub here: Here<'a>,
}

impl<'a> Apart<'a> {
    /// The program beside the one that is running.
    pub fn beside(surroundings: &Surroundings<'_>, redeem: &'a AtServer<'a>, clock: &'a dyn Clock) -> Self {
        let program = surroundings.program_directory.as_ref().map(|directory| directory.join(PROGRAM));
        Self { program: program.filter(|program| program.is_file()), here: Here { redeem, clock } }
    }
}

impl Renewer for Apart<'_> {
    fn renew(
        &self,
        file: &CredentialsFile,
        need: Need,
        seen: Option<&Secret>,
        deadline: Deadline<'_>,
        talk: &mut Talk,
    ) -> Result<Renewed, Failure> {
        let clock = self.here.clock;
        // Whoever renews it just now may bring what is needed here too; fifty commands start one process, not fifty.
        if self.program.is_some() && matches!(lock(file.path(), clock, deadline), Ok(Some(_))) {
            let opened = read_until_whole(file, clock, talk)?;
            if opened.login.access_token.as_ref() != seen {
                return Ok(Renewed { opened, kept: None });
            }
        }
        let Some(child) = self.program.as_ref().and_then(|program| start(program, file, need)) else {
            return self.here.renew(file, need, seen, deadline, talk);
        };
        let ended = await_end(child, clock, deadline);
        let opened = read_until_whole(file, clock, talk)?;
        let need = if opened.login.access_token.as_ref() == seen { need } else { Need::Good };
        let record = Journal::beside(file.path()).read();
        let kept = match record.map(|record| decide(need, &opened.login, &record, clock.unix_ms())) {
            _ if !ended => Some(Reason::UnderWay),
            Ok(Step::Serve) => None,
            Ok(Step::Keep(reason)) => Some(reason),
            // It ended and left nothing on record: only this process can say what is in its way.
            Ok(Step::Renew) | Err(_) => return self.here.renew(file, need, seen, deadline, talk),
        };
        Ok(Renewed { opened, kept })
    }
}

fn start(program: &PathBuf, file: &CredentialsFile, need: Need) -> Option<Child> {
    let mut command = Command::new(program);
    command.arg("--for-another-command");
    if need != Need::Good {
        command.arg("--refused");
    }
    command.arg("--credentials-file").arg(file.path());
    // A group of its own: what interrupts or ends the command's group does not reach it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().ok()
}

/// True when it has ended; it may go on by itself.
fn await_end(mut child: Child, clock: &dyn Clock, deadline: Deadline<'_>) -> bool {
    loop {
        match child.try_wait() {
            Ok(Some(_)) | Err(_) => return true,
            Ok(None) if deadline.left().is_zero() => return false,
            Ok(None) => clock.pause(BETWEEN_LOOKS),
        }
    }
}
