//! `/resume`: another conversation in place of this one.

use jiff::tz::TimeZone;

use super::voice::say;
use super::{Conversation, anew, model};
use crate::cli::outcome;
use crate::cli::sx::beginning::{as_before, choose, take_up};
use crate::cli::sx::recollection::recollection;
use crate::cli::sx::sessions::{named, short, store};
use crate::failure::Failure;
use crate::session::replay::Replayed;
use crate::talk::Talk;

/// `/resume [ID]`.
pub(super) fn resume(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    if let Err(failure) = switch(conversation, word, talk) {
        talk.warn(failure.to_string());
    }
}

fn switch(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) -> Result<(), Failure> {
    let store = store(conversation.scene.surroundings.environment)?;
    let chosen = match word {
        Some(word) => Some(named(&store, word)?),
        None => choose(&store)?,
    };
    let Some(id) = chosen else {
        say("this conversation goes on");
        return Ok(());
    };
    if id == conversation.driver.manner().session_id {
        say("this is that conversation");
        return Ok(());
    }
    let replayed = take_up(&mut conversation.keeper, &store, &id)?;
    as_before(&mut conversation.wish, &replayed.told, &[]);
    model::refit(conversation, talk);
    anew::let_go(conversation);
    go_on(conversation, replayed);
    Ok(())
}

/// From here on this conversation is held. Shows where it stands.
pub(super) fn go_on(conversation: &mut Conversation<'_>, replayed: Replayed) {
    let here = &conversation.scene.surroundings.directory;
    let _ = outcome::answer(&recollection(&replayed, here, &TimeZone::system()));
    conversation.driver.manner_mut().session_id = replayed.session.id;
    conversation.history = replayed.history;
}

/// What a person types who comes back.
pub(super) fn say_how_to_go_on(conversation: &Conversation<'_>, talk: &mut Talk) {
    if conversation.keeper.folder().is_some() {
        let id = short(&conversation.driver.manner().session_id);
        talk.warn(format!("to go on with this conversation: sx --resume {id}"));
    }
}
