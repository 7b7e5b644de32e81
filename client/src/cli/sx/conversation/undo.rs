//! What the turns changed in the files: shown, and taken back.

use super::Conversation;
use super::voice::say;
use crate::talk::Talk;
use crate::tool::patch::Rejection;
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
        Some(Ok(taken)) if taken.files.is_empty() => {
            say("nothing was taken back; the next /undo takes back the turn before that one:");
            tell_what_stayed(&taken);
        }
        Some(Ok(taken)) => {
            tell(&taken);
            conversation.notes.push(note(&taken));
        }
        Some(Err(refused)) => talk.warn(why(&refused)),
    }
}

fn why(refused: &Refused) -> String {
    match refused {
        Refused::ChangedSince(_) => format!("nothing was taken back: {refused}; /undo force takes back the others"),
        Refused::Beyond(_) => format!("nothing was taken back: {refused}; /undo force passes over that turn"),
        Refused::NotDone(Rejection::Left { .. }) => format!("not all could be taken back: {refused}"),
        Refused::NotDone(Rejection::Unknown { .. }) => format!("perhaps not all was taken back: {refused}"),
        Refused::NotDone(_) | Refused::Io(_) => format!("nothing was taken back: {refused}"),
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
    tell_what_stayed(taken);
}

fn tell_what_stayed(taken: &TakenBack) {
    taken.left.iter().for_each(|path| say(&format!("  {path}: changed since, left as it is")));
    taken.beyond.iter().for_each(|path| say(&format!("  {path}: changed by a script, not known how, left as it is")));
}

/// What the model is told, so that it does not build on what is gone.
fn note(taken: &TakenBack) -> String {
    let paths: Vec<&str> = taken.files.iter().map(|(_, path)| path.as_str()).collect();
    format!("The person took back the file changes of the last turn that changed files: {}", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_untouched_that_may_have_been_touched() {
        let left = Rejection::Left { path: "a".into(), why: "cannot be replaced".into(), left: "b".into() };
        let said = why(&Refused::NotDone(left));
        let files = "a cannot be replaced; these files could not be put back as they were: b";
        assert_eq!(said, format!("not all could be taken back: {files}"));
        let said = why(&Refused::NotDone(Rejection::Unknown { why: "it was killed".into() }));
        assert!(said.starts_with("perhaps not all was taken back: ") && said.contains("look at the files"), "{said}");
        let said = why(&Refused::NotDone(Rejection::File { path: "a".into(), why: "is a symbolic link".into() }));
        assert_eq!(said, "nothing was taken back: a is a symbolic link");
    }
}
