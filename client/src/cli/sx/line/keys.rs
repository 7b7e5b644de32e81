//! Keys of our own: Enter by what stands in front of it, Alt-Enter and Ctrl-J for a new line, Ctrl-Z for the shell.

use std::sync::{Arc, Mutex, PoisonError};

use rustyline::history::MemHistory;
use rustyline::{
    Cmd, ConditionalEventHandler, Editor, Event, EventContext, EventHandler, KeyCode, KeyEvent, Modifiers, RepeatCount,
};

use super::assistant::Assistant;
use super::entering::{Entered, entered};
use crate::terminal::interruption;

/// What the text was behind each line feed that a backslash asked for.
pub(super) type Continuations = Arc<Mutex<Vec<String>>>;

pub(super) fn bind(editor: &mut Editor<Assistant<'_>, MemHistory>, continuations: Continuations) {
    let enter = |modifiers| KeyEvent(KeyCode::Enter, modifiers);
    for new_line in [enter(Modifiers::ALT), KeyEvent::ctrl('J'), KeyEvent(KeyCode::Char('J'), Modifiers::CTRL_ALT)] {
        editor.bind_sequence(new_line, Cmd::Newline);
    }
    editor.bind_sequence(enter(Modifiers::NONE), EventHandler::Conditional(Box::new(Enter(continuations))));
    editor.bind_sequence(KeyEvent::ctrl('Z'), EventHandler::Conditional(Box::new(Suspend)));
}

struct Enter(Continuations);

impl ConditionalEventHandler for Enter {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, context: &EventContext<'_>) -> Option<Cmd> {
        match entered(context.line(), context.pos()) {
            Entered::Accept => None,
            Entered::NewLine => Some(Cmd::Newline),
            Entered::Continued => {
                let mut continuations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                continuations.push(format!("{}\n", context.line()));
                Some(Cmd::Newline)
            }
        }
    }
}

struct Suspend;

impl ConditionalEventHandler for Suspend {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        interruption::suspend();
        Some(Cmd::Repaint)
    }
}
