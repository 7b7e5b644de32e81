//! Which model answers, and how hard it thinks.

use super::Conversation;
use super::voice::say;
use crate::cli::sx::manner::effort_of;
use crate::drive::Manner;
use crate::model::catalog::Catalog;
use crate::talk::Talk;

/// `/model [NAME]`.
pub(super) fn model(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    match word {
        None => list(conversation.catalog.as_ref()),
        Some(word) => {
            conversation.wish.model = word.to_owned();
            refit(conversation, talk);
        }
    }
}

/// `/reasoning_effort [WORD]`.
pub(super) fn effort(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    let effort = word.map(effort_of);
    if effort == Some(None) {
        return talk.warn("unknown effort; use off, minimal, low, medium, high, xhigh or max");
    }
    conversation.wish.effort = effort.flatten();
    refit(conversation, talk);
}

/// Model and effort, in words.
pub(super) fn model_line(manner: &Manner) -> String {
    format!("model {}, effort {}", manner.model.slug, manner.effort.as_deref().unwrap_or("its own"))
}

/// Asks the model that is meant from here on.
pub(super) fn refit(conversation: &mut Conversation<'_>, talk: &mut Talk) {
    let (model, effort) = conversation.wish.fitted(conversation.catalog.as_ref(), talk);
    let manner = conversation.driver.manner_mut();
    (manner.model, manner.effort) = (model, effort);
    say(&model_line(manner));
}

fn list(catalog: Option<&Catalog>) {
    let visible = catalog.into_iter().flat_map(Catalog::models).filter(|model| model.visible);
    let lines: Vec<String> = visible.map(|model| format!("{:<20} {}", model.slug, model.efforts.join(" "))).collect();
    match lines.is_empty() {
        true => say("nobody could say which models there are; any id can be named"),
        false => lines.iter().for_each(|line| say(line)),
    }
}
