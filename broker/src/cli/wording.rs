//! How things are put: colours or none, moments seen from now, and commands that reach the same broker again.

use super::place::Reach;
use super::text::{Paint, Table, Tone, moment, printable, quoted};
use crate::clock::Timestamp;
use crate::local_time::LocalTime;

/// The options with which a suggested command reaches the broker that this one reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Again(String);

impl Again {
    /// What was typed is typed again; variables and defaults hold for the next command by themselves.
    pub(super) fn of(reach: &Reach) -> Self {
        Self(match (&reach.socket, &reach.data) {
            (Some(socket), _) => format!(" --socket {}", quoted(socket)),
            (None, Some(data)) => format!(" --data {}", quoted(data)),
            (None, None) => reach.remote.again(),
        })
    }

    /// A hint whose command, if it holds one, got these options.
    pub(super) fn complete(&self, hint: &str) -> String {
        const PROGRAM: &str = "scorpiox-broker ";
        let Some(begin) = hint.find(PROGRAM) else { return hint.to_owned() };
        // A broker that is to be started has no socket yet.
        if [" --socket", " --broker"].iter().any(|option| self.0.starts_with(option))
            && hint[begin..].starts_with("scorpiox-broker up")
        {
            return hint.to_owned();
        }
        // A command in the middle of a sentence ends where the sentence goes on.
        let rest = &hint[begin..];
        let end = begin + rest.find([',', ';', '\'', '(']).unwrap_or(rest.len());
        let command = hint[..end].trim_end();
        format!("{command}{}{}", self.0, &hint[command.len()..])
    }
}

/// How things are put on standard output.
#[derive(Debug, Clone)]
pub(super) struct Wording {
    pub(super) paint: Paint,
    pub(super) now: Timestamp,
    pub(super) local: LocalTime,
    pub(super) again: Again,
}

impl Wording {
    /// A moment, seen from now.
    pub(super) fn moment(&self, unix: i64) -> String {
        moment(unix, self.now, &self.local)
    }

    /// A moment as this machine's clock shows it: for what goes on behind "until".
    pub(super) fn date(&self, unix: i64) -> String {
        self.local.exactly(Timestamp::from_unix(unix))
    }

    pub(super) fn tone(&self, tone: Tone, text: &str) -> String {
        self.paint.tone(tone, &printable(text))
    }

    pub(super) fn render(&self, table: &Table) -> String {
        table.render(self.paint)
    }

    /// The command that helps.
    pub(super) fn command(&self, hint: &str) -> String {
        printable(&self.again.complete(hint))
    }

    /// The same as a line of its own, with the line end before it.
    pub(super) fn next(&self, hint: Option<&str>) -> String {
        hint.map(|hint| format!("\n  next: {}", self.command(hint))).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suggested_command_reaches_the_same_broker() {
        let again = Again::of(&Reach { data: Some("/d d".into()), ..Reach::default() });
        for (hint, expected) in [
            ("scorpiox-broker login", "scorpiox-broker login --data '/d d'"),
            ("scorpiox-broker promote, if it is", "scorpiox-broker promote --data '/d d', if it is"),
            ("look: scorpiox-broker status", "look: scorpiox-broker status --data '/d d'"),
            ("run 'scorpiox-broker up' first", "run 'scorpiox-broker up --data '/d d'' first"),
            ("scorpiox-broker audit (all of it)", "scorpiox-broker audit --data '/d d' (all of it)"),
            ("try again in half a minute", "try again in half a minute"),
        ] {
            assert_eq!(again.complete(hint), expected);
            assert_eq!(Again::default().complete(hint), hint);
        }
        let again = Again::of(&Reach { socket: Some("/s".into()), json: true, ..Reach::default() });
        assert_eq!(again.complete("scorpiox-broker status"), "scorpiox-broker status --socket /s");
        assert_eq!(again.complete("run 'scorpiox-broker up' first"), "run 'scorpiox-broker up' first");
    }
}
