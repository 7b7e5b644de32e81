//! A new conversation in place of the old one.

use super::Conversation;
use super::voice::say;
use crate::cli::sx::workshop::Workshop;
use crate::conversation::history::History;
use crate::random;

/// `/clear`.
pub(super) fn clear(conversation: &mut Conversation<'_>) {
    conversation.history = History::default();
    conversation.notes.clear();
    conversation.standing.begins_anew();
    conversation.keeper.let_go();
    conversation.images.clear();
    conversation.tools.iter_mut().for_each(Workshop::clear);
    conversation.driver.manner_mut().session_id = random::uuid();
    say("a new conversation");
}
