//! What the turns changed in the files: shown, and taken back.

use super::Conversation;
use super::voice::say;
use crate::talk::Talk;
use crate::tool::undo::{Conflicts, Refused, Span, TakenBack};

/// `/undo [force]`.
pub(super) fn undo(conversation: &mut Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    let conflicts = match word {
        None => Conflicts::Refuse,
        Some("force") => Conflicts::LeaveAlone,
        Some(_) => return talk.warn("expected nothing, or force: take back what was not changed since"),
    };
    let Some(tools) = &mut conversation.tools else { return talk.warn("there are no tools: TOOLS=0") };
    match tools.take_back(conflicts) {
        None => say("nothing to take back: no turn of this conversation has changed a file"),
        Some(Ok(taken)) => {
            tell(&taken);
            conversation.notes.push(note(&taken));
        }
        Some(Err(refused @ Refused::ChangedSince(_))) => {
            talk.warn(format!("nothing was taken back: {refused}; /undo force takes back the others"));
        }
        Some(Err(refused)) => talk.warn(format!("nothing was taken back: {refused}")),
    }
}

/// `/diff [all]`.
pub(super) fn diff(conversation: &Conversation<'_>, word: Option<&str>, talk: &mut Talk) {
    let span = match word {
        None => Span::LastTurn,
        Some("all") => Span::All,
        Some(_) => return talk.warn("expected nothing (the last turn) or all (this conversation)"),
    };
    let Some(tools) = &conversation.tools else { return talk.warn("there are no tools: TOOLS=0") };
    match tools.show_changes(span) {
        Ok(0) => say("no turn of this conversation has changed a file"),
        Ok(_) => {}
        Err(error) => talk.warn(format!("what changed cannot be told: {error}")),
    }
}

fn tell(taken: &TakenBack) {
    say("as before the last turn that changed something:");
    taken.files.iter().for_each(|(deed, path)| say(&format!("  {deed} {path}")));
    taken.left.iter().for_each(|path| say(&format!("  {path}: changed since, left as it is")));
    taken.beyond.iter().for_each(|path| say(&format!("  {path}: changed by a script, not known how, left as it is")));
}

/// What the model is told, so that it does not build on what is gone.
fn note(taken: &TakenBack) -> String {
    let paths: Vec<&str> = taken.files.iter().map(|(_, path)| path.as_str()).collect();
    format!("The person took back the file changes of the last turn that changed files: {}", paths.join(", "))
}
