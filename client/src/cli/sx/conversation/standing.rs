//! How the conversation stands, said below each answer.

use jiff::tz::TimeZone;

use super::Conversation;
use crate::cli::outcome;
use crate::failure::visible;
use crate::talk::Talk;
use crate::terminal::markdown::ink::{Style, paint};

/// Model, tokens and the plan's windows.
pub(super) fn lines(conversation: &Conversation<'_>) -> Vec<String> {
    let (manner, now) = (conversation.driver.manner(), conversation.clock.unix_ms() / 1000);
    conversation.standing.lines(&manner.model, manner.effort.as_deref(), now, &TimeZone::system())
}

/// The same, dimmed, on the screen.
pub(super) fn say_line(conversation: &Conversation<'_>) {
    for line in lines(conversation) {
        let line = paint(&visible(&line), Style::FAINT, conversation.surface.colour);
        // Who cannot read it has left.
        let _ = outcome::answer(&format!("{line}\n"));
    }
}

/// Says that a window of the plan is nearly full, once.
pub(super) fn warn(conversation: &mut Conversation<'_>, talk: &mut Talk) {
    let now = conversation.clock.unix_ms() / 1000;
    if let Some(warning) = conversation.standing.warning(now, &TimeZone::system()) {
        talk.warn(warning);
    }
}
