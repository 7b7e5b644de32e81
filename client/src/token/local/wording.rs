//! Why a refresh token is left alone, for people: what happened, and the next step.

use super::decision::Reason;
use super::reading::log_in;
use crate::failure::Failure;
use crate::settings::local::CredentialsFile;

/// The failure of a command that needs another token and gets none.
pub fn failure(reason: &Reason, file: &CredentialsFile, now_ms: i64) -> Failure {
    let path = file.path().display();
    match reason {
        Reason::NoRefreshToken => {
            Failure::person_must_act(format!("{path} holds no refresh token")).with_hint(log_in(file))
        }
        Reason::Ended { code } => {
            Failure::person_must_act(format!("the login in {path} has ended ({code})")).with_hint(log_in(file))
        }
        Reason::InDoubt { again_ms } => {
            let failure = Failure::temporary(format!("a renewal of {path} got no answer"));
            let left = seconds(*again_ms, now_ms);
            failure.with_hint(format!("it is tried again after {left} s; or {}", log_in(file)))
        }
        Reason::Resting { again_ms, why } => {
            let failure = Failure::unreachable(format!("{path} cannot be renewed now: {why}"));
            failure.with_hint(format!("try again in {} s", seconds(*again_ms, now_ms)))
        }
        Reason::TooEarly { again_ms } => {
            let failure = Failure::temporary(format!("the login server allows no renewal of {path} yet"));
            failure.with_hint(format!("try again in {} s", seconds(*again_ms, now_ms)))
        }
        Reason::JustRenewed => {
            let failure = Failure::temporary(format!("{path} was renewed less than a minute ago"));
            failure.with_hint("if its token does not work, check this machine's clock")
        }
        Reason::UnderWay => {
            let failure = Failure::temporary(format!("{path} is just being renewed, which takes long"));
            failure.with_hint("try again in a moment")
        }
        Reason::NoPlace { why } => {
            let failure = Failure::configuration(format!("{path} is not renewed, because nothing can be kept: {why}"));
            failure.with_hint("make its directory writable and its disk not full")
        }
    }
}

/// Rounded up: who waits so long does not come too early.
fn seconds(at_ms: i64, now_ms: i64) -> i64 {
    ((at_ms - now_ms).max(0) + 999) / 1000
}
