//! A prompt and its answer.

use std::io;

use super::voice::say;
use super::{After, Conversation, image, standing};
use crate::cli::sx::print::Printer as _;
use crate::cli::sx::screen::Screen;
use crate::cli::sx::workshop::Workshop;
use crate::conversation::item::Item;
use crate::drive::{Ended, Manner, NoTools, Tools};
use crate::failure::Failure;
use crate::talk::Talk;

pub(super) fn answer(conversation: &mut Conversation<'_>, prompt: &str, talk: &mut Talk) -> After {
    let Some(message) = image::message(conversation, prompt, talk) else { return After::GoOn };
    let Conversation { driver, history, images, tools, notes, keeper, surface, standing: how, clock, .. } =
        conversation;
    let mut screen = Box::new(Screen::new(io::stdout(), io::stderr(), *surface, *clock, how));
    let mut none = NoTools;
    tools.iter_mut().for_each(|workshop| workshop.shows_on(*surface));
    tools.iter_mut().for_each(Workshop::begin_turn);
    notes.extend(tools.as_mut().and_then(|workshop| workshop.recall(history.items(), keeper)));
    let prompt = notes.iter().map(Item::developer).chain([message]).collect();
    let spent = driver.turn(prompt, history, suited(tools, driver.manner(), &mut none), &mut *screen, keeper, talk);
    tools.iter_mut().for_each(Workshop::end_turn);
    // A turn that failed may have told the model nothing; one that was not begun has not.
    if !matches!(spent, Err(Ended::Failed(_) | Ended::NotBegun)) {
        notes.clear();
    }
    let nothing = Failure::temporary("stopped");
    let printed = screen.end(spent.as_ref().map(|usage| *usage).map_err(|_| &nothing));
    image::after(images, &spent);
    match spent {
        Ok(usage) => {
            conversation.standing.spent(usage);
            standing::say_line(conversation);
        }
        Err(Ended::Stopped) => say("stopped; the conversation goes on from here"),
        Err(Ended::NotBegun) => say("stopped; nothing was asked"),
        Err(Ended::Failed(failure)) => talk.warn(failure.to_string()),
    }
    standing::warn(conversation, talk);
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
