//! What is left of the plan's limits.

use jiff::tz::TimeZone;

use super::Conversation;
use super::voice::say;
use crate::backend::usage;
use crate::cli::usage::table;
use crate::talk::Talk;

/// `/usage`.
pub(super) fn usage(conversation: &Conversation<'_>, talk: &mut Talk) {
    let now = conversation.clock.unix_ms() / 1000;
    match usage::ask(&conversation.scene.backend, now, talk) {
        Ok(usage) => table(&usage, now, &TimeZone::system()).lines().for_each(say),
        Err(failure) => talk.warn(failure.to_string()),
    }
}
