//! A conversation made shorter because the person wants it.

use std::io;

use super::voice::say;
use super::{After, Conversation, turn};
use crate::cli::sx::print::Printer as _;
use crate::cli::sx::screen::Screen;
use crate::drive::{Ended, NoTools};
use crate::talk::Talk;

/// `/compact`.
pub(super) fn compact(conversation: &mut Conversation<'_>, focus: Option<&str>, talk: &mut Talk) -> After {
    let Conversation { driver, history, tools, keeper, surface, standing, clock, .. } = conversation;
    let mut screen = Box::new(Screen::new(io::stdout(), io::stderr(), *surface, *clock, standing));
    let mut none = NoTools;
    let tools = turn::suited(tools, driver.manner(), &mut none);
    let spent = driver.compact(focus, history, tools, &mut *screen, keeper, talk);
    let printed = screen.end(Ok(spent.as_ref().copied().unwrap_or_default()));
    match spent {
        Ok(_) => {}
        Err(Ended::Stopped | Ended::NotBegun) => say("stopped; the conversation is as it was"),
        Err(Ended::Failed(failure)) => talk.warn(format!("not compacted: {failure}")),
    }
    // Nobody sees any more what would be said.
    if printed.is_err() { After::Leave } else { After::GoOn }
}
