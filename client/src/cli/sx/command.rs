//! What may be typed in a conversation besides what is meant for the model. Pure.
//!
//! A command is a variant of [`Command`], a row of [`COMMANDS`] and an arm in `conversation/obey.rs`.

use crate::settings::key::slips;

/// A command of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// What there is.
    Help,
    /// Which models there are, or another one.
    Model(Option<&'a str>),
    /// How hard the model thinks.
    Effort(Option<&'a str>),
    /// What holds in this conversation.
    Status,
    /// How much the person is asked, or another mode.
    Approvals(Option<&'a str>),
    /// Which profiles there are, or use one.
    Profile(Option<&'a str>),
    /// Use a profile.
    Use(Option<&'a str>),
    /// Edit the settings.
    Config,
    /// What is left of the plan's limits.
    Usage,
    /// Go on with another conversation.
    Resume(Option<&'a str>),
    /// An image for the next prompt.
    Image(Option<&'a str>),
    /// What the last turn changed, or all of them.
    Diff(Option<&'a str>),
    /// Take back what the last turn changed.
    Undo(Option<&'a str>),
    /// Make the conversation shorter; what is to be kept above all.
    Compact(Option<&'a str>),
    /// Begin anew.
    Clear,
    /// Leave.
    Quit,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing.
    Empty,
    /// For us.
    Command(Command<'a>),
    /// For us, but there is no such thing.
    Unknown(&'a str),
    /// For the model.
    Prompt(&'a str),
}

/// What may stand behind a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    Model,
    Effort,
    Approvals,
    Profile,
    /// Anything, paths too.
    Text,
}

/// How a command is typed and what it is for.
pub(super) struct Row {
    /// Without its slash; names after the first are understood too.
    pub(super) names: &'static [&'static str],
    /// What may stand behind it, as help shows it; empty when nothing may.
    pub(super) argument: &'static str,
    /// What can be completed there.
    pub(super) takes: Takes,
    /// What it does.
    pub(super) text: &'static str,
    /// The command, with what stood behind it.
    means: for<'a> fn(Option<&'a str>) -> Command<'a>,
}

impl Row {
    /// The name and what may stand behind it: `/model [NAME]`.
    pub(super) fn usage(&self) -> String {
        format!("/{} {}", self.names[0], self.argument).trim_end().to_owned()
    }
}

/// All commands, in the order of the help.
pub(super) const COMMANDS: &[Row] = &[
    Row { names: &["help"], argument: "", takes: Takes::Nothing, text: "this", means: |_| Command::Help },
    Row {
        names: &["status"],
        argument: "",
        takes: Takes::Nothing,
        text: "what holds in this conversation: model, token, directory, tools",
        means: |_| Command::Status,
    },
    Row {
        names: &["model"],
        argument: "[NAME or NUMBER]",
        takes: Takes::Model,
        text: "the models that are offered; another one",
        means: |word| Command::Model(word),
    },
    Row {
        names: &["reasoning_effort", "effort"],
        argument: "[WORD]",
        takes: Takes::Effort,
        text: "how hard it thinks: off, or a word that the model knows; without one the model's own",
        means: |word| Command::Effort(word),
    },
    Row {
        names: &["approvals"],
        argument: "[MODE]",
        takes: Takes::Approvals,
        text: "how much you are asked about tools: ask, auto-edit, full-auto, read-only",
        means: |word| Command::Approvals(word),
    },
    Row {
        names: &["profile"],
        argument: "[NAME|off [--save]]",
        takes: Takes::Profile,
        text: "the profiles of settings; use one from here on, --save: in later conversations too",
        means: |words| Command::Profile(words),
    },
    Row {
        names: &["use"],
        argument: "NAME|off",
        takes: Takes::Profile,
        text: "use a profile of settings in this conversation",
        means: |word| Command::Use(word),
    },
    Row {
        names: &["config"],
        argument: "",
        takes: Takes::Nothing,
        text: "edit the settings; what can change in a running conversation does",
        means: |_| Command::Config,
    },
    Row {
        names: &["usage"],
        argument: "",
        takes: Takes::Nothing,
        text: "what is left of the plan's limits",
        means: |_| Command::Usage,
    },
    Row {
        names: &["resume"],
        argument: "[ID]",
        takes: Takes::Nothing,
        text: "go on with another conversation; without an ID choose from a list",
        means: |word| Command::Resume(word),
    },
    Row {
        names: &["image"],
        argument: "FILE [PROMPT]",
        takes: Takes::Text,
        text: "attach an image to the next prompt, or to this one; so does a pasted path",
        means: |argument| Command::Image(argument),
    },
    Row {
        names: &["diff"],
        argument: "[all]",
        takes: Takes::Nothing,
        text: "what the last turn changed in your files; all: what this conversation did",
        means: |word| Command::Diff(word),
    },
    Row {
        names: &["undo"],
        argument: "[force]",
        takes: Takes::Nothing,
        text: "take back what the last turn changed; force: but for what has changed since",
        means: |word| Command::Undo(word),
    },
    Row {
        names: &["compact"],
        argument: "[WHAT MATTERS]",
        takes: Takes::Text,
        text: "make the conversation shorter: a summary takes its place",
        means: |focus| Command::Compact(focus),
    },
    Row {
        names: &["clear"],
        argument: "",
        takes: Takes::Nothing,
        text: "begin a new conversation",
        means: |_| Command::Clear,
    },
    Row {
        names: &["quit", "exit"],
        argument: "",
        takes: Takes::Nothing,
        text: "leave; as Ctrl-D",
        means: |_| Command::Quit,
    },
];

/// What is longer is no slip, in bytes.
const LONGEST: usize = 32;

/// The name of a command that is most like this word; `None` when none is.
pub(super) fn nearest(word: &str) -> Option<&'static str> {
    let names = COMMANDS.iter().flat_map(|row| row.names).copied();
    let word = word.get(..word.len().min(LONGEST)).unwrap_or_default();
    let (slips, name) = names.map(|name| (slips(word.as_bytes(), name.as_bytes()), name)).min()?;
    let is_near = slips <= 1 + name.len().min(word.len()) / 4;
    let begun = COMMANDS.iter().map(|row| row.names[0]).find(|name| word.len() > 1 && name.starts_with(word));
    begun.or(is_near.then_some(name))
}

/// Reads a line. A slash with a space or a second slash behind its first word is no command: paths are typed too.
pub(super) fn read(line: &str) -> Line<'_> {
    let line = line.trim();
    let Some(rest) = line.strip_prefix('/') else {
        return if line.is_empty() { Line::Empty } else { Line::Prompt(line) };
    };
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.contains('/') || name.is_empty() {
        return Line::Prompt(line);
    }
    let argument = Some(argument.trim()).filter(|argument| !argument.is_empty());
    match COMMANDS.iter().find(|row| row.names.contains(&name)) {
        Some(row) => Line::Command((row.means)(argument)),
        None => Line::Unknown(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_or_a_prompt() {
        let cases = [
            ("", Line::Empty),
            ("  \t", Line::Empty),
            ("why?", Line::Prompt("why?")),
            (" /model ", Line::Command(Command::Model(None))),
            ("/model  gpt-5.5 ", Line::Command(Command::Model(Some("gpt-5.5")))),
            ("/effort high", Line::Command(Command::Effort(Some("high")))),
            ("/approvals ask", Line::Command(Command::Approvals(Some("ask")))),
            ("/exit", Line::Command(Command::Quit)),
            ("/nothing", Line::Unknown("nothing")),
            ("/etc/passwd is odd", Line::Prompt("/etc/passwd is odd")),
            ("/ what", Line::Prompt("/ what")),
            ("a\nb", Line::Prompt("a\nb")),
        ];
        for (typed, expected) in cases {
            assert_eq!(read(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn a_name_that_is_nearly_one_is_understood_as_a_slip() {
        for (typed, meant) in
            [("modle", "model"), ("hlep", "help"), ("quti", "quit"), ("stat", "status"), ("ues", "use")]
        {
            assert_eq!(nearest(typed), Some(meant), "{typed}");
        }
        assert_eq!([nearest("frobnicate"), nearest("x"), nearest("deploy")], [None; 3]);
    }

    #[test]
    fn no_two_commands_share_a_name() {
        let mut names: Vec<_> = COMMANDS.iter().flat_map(|row| row.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
