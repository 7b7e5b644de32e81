//! Settings that have changed while the conversation lasts: what can be taken over is, the rest is said.

use std::ffi::OsString;

use super::voice::say;
use super::{Conversation, model, tools};
use crate::cli::sx::context::Context;
use crate::cli::sx::manner::Wish;
use crate::cli::sx::person::Person;
use crate::cli::sx::workshop::Workshop;
use crate::failure::Failure;
use crate::settings::written::{Key, Written};
use crate::settings::{Settings, Surroundings};
use crate::talk::Talk;

/// Whether anything was different.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Adopted {
    Nothing,
    Something,
}

/// What a changed setting changes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Model,
    Effort,
    Tools,
    /// Nothing by itself.
    None,
    /// It is read when a conversation begins.
    Later,
}

/// Reads the settings again, with this profile. When that fails, nothing has changed.
pub(super) fn adopt(
    conversation: &mut Conversation<'_>,
    profile: Option<String>,
    talk: &mut Talk,
) -> Result<Adopted, Failure> {
    let settings = read(conversation, profile.as_deref(), talk)?;
    let wish = Wish::written(settings.written())?;
    let changed = changed(conversation.written(), settings.written());
    let has = |effect| changed.iter().any(|key| effect_of(*key) == effect);
    if has(Effect::Tools) {
        equip(conversation, settings.written(), talk)?;
    }
    conversation.driver.manner_mut().compact_at_tokens = Some(wish.compact_at_tokens);
    if has(Effect::Model) {
        conversation.wish.model = wish.model;
    }
    if has(Effect::Effort) {
        conversation.wish.effort = wish.effort;
    }
    conversation.adopted = Some(settings);
    conversation.profile = profile;
    if has(Effect::Model) || has(Effect::Effort) {
        model::refit(conversation, talk);
    }
    for key in changed.iter().filter(|key| effect_of(**key) == Effect::Later) {
        say(&format!("{} has changed: it holds from the next start of sx", key.as_str()));
    }
    Ok(if changed.is_empty() { Adopted::Nothing } else { Adopted::Something })
}

fn read(conversation: &Conversation<'_>, profile: Option<&str>, talk: &mut Talk) -> Result<Settings, Failure> {
    let here = conversation.scene.surroundings;
    let environment = |name: &str| -> Option<OsString> {
        let chosen = profile.filter(|_| name == Key::ActiveProfile.as_str());
        chosen.map(OsString::from).or_else(|| (here.environment)(name))
    };
    let (directory, program_directory) = (here.directory.clone(), here.program_directory.clone());
    Settings::read(&Surroundings { environment: &environment, directory, program_directory }, talk)
}

fn changed(before: &Written, now: &Written) -> Vec<Key> {
    let text = |written: &Written, key| written.get(key).map(|value| value.text.clone());
    Key::ALL.iter().copied().filter(|key| text(before, *key) != text(now, *key)).collect()
}

fn effect_of(key: Key) -> Effect {
    match key {
        Key::Model => Effect::Model,
        Key::Thinking | Key::ReasoningEffort | Key::CodexReasoningEffort => Effect::Effort,
        Key::Tools => Effect::Tools,
        Key::ActiveProfile | Key::ContextClearThreshold => Effect::None,
        _ => Effect::Later,
    }
}

/// Other tools, or none.
fn equip(conversation: &mut Conversation<'_>, written: &Written, talk: &mut Talk) -> Result<(), Failure> {
    let Conversation { scene, clock, stop, surface, mode, .. } = *conversation;
    let mode = conversation.tools.as_ref().map_or(mode, Workshop::mode);
    let person = Person::Present { colour: surface.colour };
    let tools = Workshop::set_up(scene, written, mode, person, clock, stop, talk)?;
    conversation.context = tools.as_ref().map(|_| Context::gather(scene, clock, talk));
    tools::tell(conversation.driver.manner_mut(), conversation.context.as_ref());
    say(if tools.is_some() { "the model has tools" } else { "the model has no tools" });
    conversation.tools.take().into_iter().for_each(Workshop::close);
    (conversation.tools, conversation.mode) = (tools, mode);
    Ok(())
}
