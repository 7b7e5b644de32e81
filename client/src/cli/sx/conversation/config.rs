//! The settings, edited at this terminal.

use std::process::Command;

use super::voice::say;
use super::{Conversation, adopt};
use crate::talk::Talk;
use crate::terminal::keyboard;

/// A process of its own: it reads keys as long as it lives.
const EDITOR: &str = "scorpiox-config";

/// `/config`.
pub(super) fn config(conversation: &mut Conversation<'_>, talk: &mut Talk) {
    let folder = conversation.scene.surroundings.program_directory.clone().unwrap_or_default();
    match keyboard::lent(|| Command::new(folder.join(EDITOR)).status()) {
        // Why not has been said there.
        Ok(status) if !status.success() => return,
        Ok(_) => {}
        Err(error) => return talk.warn(format!("{EDITOR} cannot be run: {error}; it belongs beside sx")),
    }
    let profile = conversation.profile.clone();
    match adopt::adopt(conversation, profile, talk) {
        Ok(adopt::Adopted::Nothing) => say("the settings are as they were"),
        Ok(adopt::Adopted::Something) => {}
        Err(failure) => talk.warn(format!("{failure}; this conversation goes on as it was")),
    }
}
