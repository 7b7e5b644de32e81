//! Profiles of settings.

use super::Conversation;
use super::adopt::{Adopted, adopt};
use super::voice::say;
use crate::failure::Failure;
use crate::settings::Surroundings;
use crate::settings::edit::Edit;
use crate::settings::places::{Level, Places};
use crate::settings::profile::{OFF, check_name};
use crate::settings::save;
use crate::settings::written::Key;
use crate::talk::Talk;

const SAVE: &str = "--save";

/// `/profile [NAME|off [--save]]`.
pub(super) fn profile(conversation: &mut Conversation<'_>, words: Option<&str>, talk: &mut Talk) {
    let words: Vec<&str> = words.unwrap_or_default().split_whitespace().collect();
    match words[..] {
        [] => list(conversation),
        [name] if name != SAVE => switch(conversation, name, talk),
        [name, SAVE] | [SAVE, name] => {
            switch(conversation, name, talk);
            if conversation.profile.as_deref() == Some(name) {
                save(conversation.scene.surroundings, name, talk);
            }
        }
        _ => talk.warn("expected /profile, /profile NAME or /profile NAME --save"),
    }
}

/// `/use NAME|off`.
pub(super) fn use_profile(conversation: &mut Conversation<'_>, name: Option<&str>, talk: &mut Talk) {
    match name {
        Some(name) => switch(conversation, name, talk),
        None => list(conversation),
    }
}

/// The profiles of all folders, each once.
pub(super) fn names(surroundings: &Surroundings<'_>) -> Vec<String> {
    let places = Places::around(surroundings).profiles();
    let names = places.iter().filter_map(|place| Some(place.path.file_stem()?.to_str()?.to_owned()));
    let mut names: Vec<String> = names.filter(|name| check_name(name).is_ok()).collect();
    names.sort();
    names.dedup();
    names
}

/// The profile that is switched on.
pub(super) fn active<'a>(conversation: &'a Conversation<'_>) -> Option<&'a str> {
    let active = conversation.written().get(Key::ActiveProfile).map(|value| value.text.as_str());
    active.filter(|name| *name != OFF)
}

fn list(conversation: &Conversation<'_>) {
    let names = names(conversation.scene.surroundings);
    if names.is_empty() {
        return say("there are no profiles; one is a file scorpiox-env/NAME.txt beside your settings");
    }
    for name in &names {
        let mark = if active(conversation) == Some(name) { '*' } else { ' ' };
        say(&format!("{mark} {name}"));
    }
    say("/use NAME takes one for this conversation, /use off none; /profile NAME --save also for later ones");
}

fn switch(conversation: &mut Conversation<'_>, name: &str, talk: &mut Talk) {
    match adopt(conversation, Some(name.to_owned()), talk) {
        Ok(Adopted::Something | Adopted::Nothing) if name == OFF => say("no profile"),
        Ok(Adopted::Something | Adopted::Nothing) => say(&format!("profile {name}")),
        Err(failure) => talk.warn(format!("{failure}; this conversation goes on as it was")),
    }
}

/// Into the user's own settings.
fn save(surroundings: &Surroundings<'_>, name: &str, talk: &mut Talk) {
    let edit = if name == OFF { Edit::Unset(Key::ActiveProfile) } else { Edit::Set(Key::ActiveProfile, name) };
    let places = Places::around(surroundings);
    let saved: Result<_, Failure> =
        places.to_change(Level::User).and_then(|place| save::save(place, &[edit], surroundings, talk));
    match saved {
        Ok(path) => say(&format!("written in {}", path.display())),
        Err(failure) => talk.warn(failure.to_string()),
    }
}
