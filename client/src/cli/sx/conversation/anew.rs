//! A new conversation in place of the old one.

use super::Conversation;
use super::voice::say;
use crate::cli::sx::workshop::Workshop;
use crate::conversation::history::History;
use crate::random;

/// `/clear`.
pub(super) fn clear(conversation: &mut Conversation<'_>) {
    conversation.keeper.let_go();
    let_go(conversation);
    conversation.history = History::default();
    conversation.driver.manner_mut().session_id = random::uuid();
    say("a new conversation");
}

/// Another conversation begins: what waited for this one's next prompt, what it cost and what it changed is not the
/// other's.
pub(super) fn let_go(conversation: &mut Conversation<'_>) {
    conversation.notes.clear();
    conversation.images.clear();
    conversation.standing.begins_anew();
    conversation.tools.iter_mut().for_each(Workshop::clear);
}
