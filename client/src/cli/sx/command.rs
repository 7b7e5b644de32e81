//! What may be typed in a conversation besides what is meant for the model. Pure.

/// A command of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// What there is.
    Help,
    /// Which models there are, or another one.
    Model(Option<&'a str>),
    /// How hard the model thinks.
    Effort(Option<&'a str>),
    /// How much the person is asked, or another mode.
    Approvals(Option<&'a str>),
    /// What is left of the plan's limits.
    Usage,
    /// Begin anew.
    Clear,
    /// Leave.
    Quit,
    /// Something that there is not.
    Unknown(&'a str),
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing.
    Empty,
    /// For us.
    Command(Command<'a>),
    /// For the model.
    Prompt(&'a str),
}

/// The names of the commands, for completion and help.
pub(super) const COMMANDS: [(&str, &str); 7] = [
    ("/help", "this"),
    ("/model [NAME]", "the models that are offered; another one"),
    ("/reasoning_effort [WORD]", "off, minimal, low, medium, high, xhigh, max; without a word the model's own"),
    ("/approvals [MODE]", "how much you are asked about tools: ask, auto-edit, full-auto, read-only"),
    ("/usage", "what is left of the plan's limits"),
    ("/clear", "begin a new conversation"),
    ("/quit", "leave; as Ctrl-D"),
];

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
    Line::Command(match name {
        "help" => Command::Help,
        "model" => Command::Model(argument),
        "reasoning_effort" | "effort" => Command::Effort(argument),
        "approvals" => Command::Approvals(argument),
        "usage" => Command::Usage,
        "clear" => Command::Clear,
        "quit" | "exit" => Command::Quit,
        _ => Command::Unknown(name),
    })
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
            ("/undo", Line::Command(Command::Unknown("undo"))),
            ("/etc/passwd is odd", Line::Prompt("/etc/passwd is odd")),
            ("/ what", Line::Prompt("/ what")),
            ("a\nb", Line::Prompt("a\nb")),
        ];
        for (typed, expected) in cases {
            assert_eq!(read(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn every_command_that_is_named_exists() {
        for (name, _) in COMMANDS {
            let word = name.split(' ').next().unwrap();
            assert!(!matches!(read(word), Line::Command(Command::Unknown(_)) | Line::Prompt(_)), "{name}");
        }
    }
}
