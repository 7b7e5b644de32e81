//! A prompt and its answer.

use std::io;

use super::voice::say;
use super::{After, Conversation, image};
use crate::cli::sx::print::Printer as _;
use crate::cli::sx::screen::Screen;
use crate::cli::sx::workshop::Workshop;
use crate::conversation::event::Usage;
use crate::drive::{Ended, Manner, NoTools, Tools};
use crate::failure::Failure;
use crate::model::catalog::Model;
use crate::talk::Talk;

pub(super) fn answer(conversation: &mut Conversation<'_>, prompt: &str, talk: &mut Talk) -> After {
    let Some(message) = image::message(conversation, prompt, talk) else { return After::GoOn };
    let mut screen = Box::new(Screen::new(io::stdout(), io::stderr(), conversation.colour));
    let Conversation { driver, history, images, tools, keeper, .. } = conversation;
    let mut none = NoTools;
    let tools = suited(tools, driver.manner(), &mut none);
    let spent = driver.turn(vec![message], history, tools, &mut *screen, keeper, talk);
    let nothing = Failure::temporary("stopped");
    let printed = screen.end(spent.as_ref().map(|usage| *usage).map_err(|_| &nothing));
    image::after(images, &spent);
    match spent {
        Ok(usage) => say(&status(&driver.manner().model, &usage)),
        Err(Ended::Stopped) => say("stopped; the conversation goes on from here"),
        Err(Ended::Failed(failure)) => talk.warn(failure.to_string()),
    }
    // Nobody sees any more what would be said.
    if printed.is_err() { After::Leave } else { After::GoOn }
}

/// The tools as this manner's model takes them.
pub(super) fn suited<'t>(
    tools: &'t mut Option<Workshop<'_>>,
    manner: &Manner,
    none: &'t mut NoTools,
) -> &'t mut dyn Tools {
    match tools {
        Some(workshop) => {
            workshop.suit(&manner.model);
            workshop
        }
        None => none,
    }
}

fn status(model: &Model, usage: &Usage) -> String {
    let left = 100 - (usage.total_tokens.saturating_mul(100) / model.context_tokens.max(1)).min(100);
    let Usage { input_tokens, cached_tokens, output_tokens, reasoning_tokens, .. } = usage;
    format!(
        "[{}  in {input_tokens} (cached {cached_tokens})  out {output_tokens} (thought {reasoning_tokens})  \
         context {left} % left]",
        model.slug
    )
}
