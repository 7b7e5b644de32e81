//! The line that says what is waited for: only while nothing comes, only where it can be taken away again.

use std::time::Duration;

use super::surface::{Cursor, Surface};
use crate::terminal::capability::Characters;
use crate::terminal::columns::cut;
use crate::terminal::markdown::ink::{Style, paint};
use crate::terminal::sanitize::sanitized;

/// Whoever waits no longer than this sees nothing of it.
const PATIENCE: Duration = Duration::from_millis(700);
/// Back to the beginning of the line, which is emptied.
const EMPTIED: &str = "\r\u{1b}[K";

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The first sign of an answer.
    Answer,
    /// The end of the model's thoughts.
    Thoughts,
    /// The next line of its answer.
    Text,
    /// What it wants of this tool.
    Call(String),
    /// The moment at which it is asked again, on the command's own clock.
    Repeat(Duration),
}

/// The line, and whether it is there.
#[derive(Debug)]
pub(super) struct Waiting {
    awaited: Awaited,
    since: Duration,
    /// The last moment at which something came.
    moved: Duration,
    /// What stands there.
    shown: String,
}

impl Waiting {
    pub(super) fn begin(now: Duration) -> Self {
        Self { awaited: Awaited::Answer, since: now, moved: now, shown: String::new() }
    }

    /// Something came, and this is waited for now.
    pub(super) fn moved(&mut self, now: Duration, awaited: Awaited) {
        self.moved = now;
        if self.awaited != awaited {
            (self.awaited, self.since) = (awaited, now);
        }
    }

    /// What is to be written because nothing has come.
    pub(super) fn quiet(&mut self, now: Duration, surface: Surface) -> String {
        if surface.cursor == Cursor::Stays || now.saturating_sub(self.moved) < PATIENCE {
            return String::new();
        }
        // A tool's name comes from the model.
        let text = sanitized(&self.text(now, surface.characters)).replace(['\n', '\t'], " ");
        let text = cut(&text, (surface.columns)().saturating_sub(1));
        if text == self.shown {
            return String::new();
        }
        // The cursor stands before it: whatever ends the command, the next line is not written behind it.
        let drawn = format!("{EMPTIED}{}\r", paint(&text, Style::FAINT, surface.colour));
        self.shown = text;
        drawn
    }

    /// What is to be written so that it is there no longer.
    pub(super) fn cleared(&mut self) -> &'static str {
        if std::mem::take(&mut self.shown).is_empty() { "" } else { EMPTIED }
    }

    fn text(&self, now: Duration, characters: Characters) -> String {
        let dots = if characters == Characters::Utf8 { "…" } else { "..." };
        let seconds = now.saturating_sub(self.since).as_secs();
        match &self.awaited {
            Awaited::Answer => format!("waiting for the model{dots} {seconds} s"),
            Awaited::Thoughts => format!("thinking{dots} {seconds} s"),
            Awaited::Text => format!("writing{dots} {seconds} s"),
            Awaited::Call(name) => format!("calling {name}{dots} {seconds} s"),
            Awaited::Repeat(at) => {
                let left = at.saturating_sub(now).as_secs_f64().ceil();
                format!("asking again in {left} s")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::capability::Colour;

    const SURFACE: Surface =
        Surface { colour: Colour::None, characters: Characters::Ascii, cursor: Cursor::Moves, columns: || 20 };

    #[test]
    fn it_comes_late_changes_each_second_and_goes_without_a_trace() {
        let seconds = Duration::from_secs_f64;
        let mut waiting = Waiting::begin(seconds(10.0));
        assert_eq!((waiting.quiet(seconds(10.5), SURFACE).as_str(), waiting.cleared()), ("", ""));
        waiting.moved(seconds(11.0), Awaited::Thoughts);
        assert_eq!(waiting.quiet(seconds(12.5), SURFACE), "\r\u{1b}[Kthinking... 1 s\r");
        assert_eq!(waiting.quiet(seconds(12.6), SURFACE), "");
        assert_eq!(waiting.quiet(seconds(13.0), SURFACE), "\r\u{1b}[Kthinking... 2 s\r");
        assert_eq!([waiting.cleared(), waiting.cleared()], ["\r\u{1b}[K", ""]);
        waiting.moved(seconds(14.0), Awaited::Thoughts);
        assert_eq!(waiting.quiet(seconds(15.0), SURFACE), "\r\u{1b}[Kthinking... 4 s\r", "still the same thoughts");
        waiting.moved(seconds(20.0), Awaited::Repeat(seconds(23.2)));
        assert_eq!(waiting.quiet(seconds(21.0), SURFACE), "\r\u{1b}[Kasking again in 3 s\r");
        waiting.moved(seconds(30.0), Awaited::Call("a\u{1b}[1m name that is long".into()));
        assert_eq!(waiting.quiet(seconds(31.0), SURFACE), "\r\u{1b}[Kcalling a name that\r");
        waiting.moved(seconds(40.0), Awaited::Call("日本語の名前".into()));
        assert_eq!(waiting.quiet(seconds(41.0), SURFACE), "\r\u{1b}[Kcalling 日本語の名\r", "19 columns at most");
    }

    #[test]
    fn where_nothing_can_be_taken_back_nothing_is_said() {
        let pipe = Surface { cursor: Cursor::Stays, ..SURFACE };
        assert_eq!(Waiting::begin(Duration::ZERO).quiet(Duration::from_secs(60), pipe), "");
    }
}
