//! What is said when a conversation begins.

use super::model::model_line;
use super::voice::{say, tell};
use super::{Conversation, image};
use crate::cli::sx::context::Context;
use crate::cli::sx::typed::NAME;
use crate::talk::Talk;

pub(super) fn greet(conversation: &Conversation<'_>, talk: &mut Talk) {
    let approvals = |mode: &str| format!("approvals {mode}");
    let tools = conversation.tools.as_ref().map(|tools| approvals(tools.mode().name()));
    let tools = tools.unwrap_or_else(|| "no tools".to_owned());
    say(&format!("{NAME} {}: {}, {tools}", env!("CARGO_PKG_VERSION"), model_line(conversation.driver.manner())));
    let kept = if conversation.keeper.is_wanted() { "" } else { " Nothing is kept." };
    say(&format!("/help for help; Ctrl-C stops an answer, Ctrl-D leaves.{kept}"));
    if let Some(line) = conversation.context.as_ref().and_then(Context::line) {
        say(&line);
    }
    image::greet(&conversation.images);
    tell(talk, conversation.verbose);
}
