//! How much the person is asked about tools.

use super::Conversation;
use super::voice::say;
use crate::talk::Talk;
use crate::tool::approval::Mode;

/// `/approvals [MODE]`.
pub(super) fn approvals(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    let Some(tools) = &mut conversation.tools else { return talk.warn("there are no tools: TOOLS=0") };
    match word.map(Mode::parse) {
        Some(None) => talk.warn("expected ask, auto-edit, full-auto or read-only"),
        Some(Some(mode)) => tools.set_mode(mode),
        None => {}
    }
    say(&format!("approvals: {}", tools.mode().name()));
}
