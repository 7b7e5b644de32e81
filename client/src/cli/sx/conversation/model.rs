//! Which model answers, and how hard it thinks.

use super::Conversation;
use super::voice::say;
use crate::cli::sx::manner::effort_of;
use crate::drive::Manner;
use crate::model::catalog::{Catalog, Model};
use crate::talk::Talk;

/// The efforts of a model of which nobody knows more.
const ANY_EFFORT: &str = "minimal, low, medium, high, xhigh, max";

/// `/model [NAME or NUMBER]`.
pub(super) fn model(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    match word {
        None => list(conversation),
        Some(word) => match named(word, conversation.catalog.as_ref()) {
            Some(model) => {
                conversation.wish.model = model;
                refit(conversation, talk);
            }
            None => talk.warn(format!("the list has no number {word}; /model shows it")),
        },
    }
}

/// A model by its name, or its number in the list.
fn named(word: &str, catalog: Option<&Catalog>) -> Option<String> {
    let Ok(number) = word.parse::<usize>() else { return Some(word.to_owned()) };
    let model = listed(catalog).nth(number.checked_sub(1)?)?;
    Some(model.slug.clone())
}

/// The models that are offered, in the order of the list.
pub(super) fn listed(catalog: Option<&Catalog>) -> impl Iterator<Item = &Model> {
    catalog.into_iter().flat_map(Catalog::models).filter(|model| model.visible)
}

/// `/reasoning_effort [WORD]`.
pub(super) fn effort(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    let effort = word.map(effort_of);
    if effort == Some(None) {
        let model = &conversation.driver.manner().model;
        let known = if model.efforts.is_empty() { ANY_EFFORT.to_owned() } else { model.efforts.join(", ") };
        return talk.warn(format!("unknown effort; {} knows {known}, and off", model.slug));
    }
    conversation.wish.effort = effort.flatten();
    refit(conversation, talk);
}

/// Model and effort, in words.
pub(super) fn model_line(manner: &Manner) -> String {
    format!("model {}, effort {}", manner.model.slug, manner.effort.as_deref().unwrap_or("its own"))
}

/// Asks another model from here on, or in another way.
pub(super) fn refit(conversation: &mut Conversation<'_>, talk: &mut Talk) {
    let (model, effort) = conversation.wish.fitted(conversation.catalog.as_ref(), talk);
    let manner = conversation.driver.manner_mut();
    (manner.model, manner.effort) = (model, effort);
    say(&model_line(manner));
}

fn list(conversation: &Conversation<'_>) {
    let now = &conversation.driver.manner().model.slug;
    let mut models = listed(conversation.catalog.as_ref()).enumerate().peekable();
    if models.peek().is_none() {
        return say("nobody could say which models there are; any id can be named");
    }
    for (index, model) in models {
        let mark = if model.slug == *now { '*' } else { ' ' };
        say(&format!("{mark} {:>2}  {:<20} {}", index + 1, model.slug, model.efforts.join(" ")));
    }
    say("/model NUMBER or /model NAME takes another one");
}
