//! Why there is no token: what the caller can do about it, in one line, with its exit code.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest message or hint that is shown, in characters: one line stays one line.
const LONGEST_TEXT: usize = 300;
/// The same for a hint with a line to copy: an RSA host key with 8,192 bits has about 1,400.
const LONGEST_LINE_TO_COPY: usize = 2000;

/// What the caller can do next. Each has its exit code, after `sysexits.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 64: the command line is wrong.
    Usage,
    /// 69: a person must act: log in again, resume, look.
    PersonMustAct,
    /// 75: try again later: unreachable, busy, backing off, too soon.
    Temporary,
    /// 77: the key is not accepted, or may not have this.
    KeyOrGrant,
    /// 78: a setting is missing, malformed or contradicts another.
    Configuration,
}

impl Class {
    /// The exit code of a command that ends this way.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 64,
            Self::PersonMustAct => 69,
            Self::Temporary => 75,
            Self::KeyOrGrant => 77,
            Self::Configuration => 78,
        }
    }
}

/// Whether the source that failed was there to decide. Only in place of one that was not may another be asked: a
/// refusal must not be got around.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// It refused, or is broken in a way that somebody must look at.
    #[default]
    Decided,
    /// It was not reached, or not set up.
    Absent,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What the caller can do next.
    pub class: Class,
    #[serde(default)]
    standing: Standing,
    /// What happened; visible characters only, bounded.
    message: String,
    /// The next step.
    hint: Option<String>,
    /// When asking again makes sense, as the other side said.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without a hint. The text may come from anywhere: what cannot be shown is replaced.
    pub fn new(class: Class, message: impl AsRef<str>) -> Self {
        let message = visible(message.as_ref());
        Self { class, standing: Standing::Decided, message, hint: None, retry_after: None }
    }

    /// Exit code 69.
    pub fn person_must_act(message: impl AsRef<str>) -> Self {
        Self::new(Class::PersonMustAct, message)
    }

    /// Exit code 75.
    pub fn temporary(message: impl AsRef<str>) -> Self {
        Self::new(Class::Temporary, message)
    }

    /// Exit code 78.
    pub fn configuration(message: impl AsRef<str>) -> Self {
        Self::new(Class::Configuration, message)
    }

    /// Exit code 75: the source could not be reached, so it decided nothing.
    pub fn unreachable(message: impl AsRef<str>) -> Self {
        Self::temporary(message).absent()
    }

    /// Exit code 78: the source was not set up, so it decided nothing.
    pub fn unconfigured(message: impl AsRef<str>) -> Self {
        Self::configuration(message).absent()
    }

    /// The same, of a source that was not there to decide.
    pub fn absent(mut self) -> Self {
        self.standing = Standing::Absent;
        self
    }

    /// True when another source may be asked in place of this one.
    pub fn is_absence(&self) -> bool {
        self.standing == Standing::Absent
    }

    /// The next step.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// What happened, without the next step.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same with the next step.
    pub fn with_hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(visible(hint.as_ref()));
        self
    }

    /// The same with a next step that ends with a line to copy: up to 2,000 characters of it are shown.
    pub fn with_line_to_copy(mut self, hint: impl AsRef<str>) -> Self {
        let hint: String = hint.as_ref().chars().take(LONGEST_LINE_TO_COPY).collect();
        self.hint = Some(visible_in_full(&hint));
        self
    }

    /// The same with a next step if it has none yet.
    pub fn or_hint(self, hint: &str) -> Self {
        if self.hint.is_some() { self } else { self.with_hint(hint) }
    }

    /// The same with the other side's word on when to ask again.
    pub fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl std::error::Error for Failure {}

/// The text as it may be shown on a terminal: letters and digits of any script, visible ASCII and single spaces.
/// Everything else (control sequences, line ends, direction marks) becomes `?`.
pub fn visible(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => visible_in_full(&text[..end]) + "...",
        None => visible_in_full(text),
    }
}

/// The same, however long it is: for what a person must see whole before an answer.
pub fn visible_in_full(text: &str) -> String {
    let shown = |c: char| c.is_ascii_graphic() || c.is_alphanumeric() || c == ' ';
    text.chars().map(|c| if shown(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_has_its_documented_exit_code() {
        let codes = [
            (Class::Usage, 64),
            (Class::PersonMustAct, 69),
            (Class::Temporary, 75),
            (Class::KeyOrGrant, 77),
            (Class::Configuration, 78),
        ];
        for (class, code) in codes {
            assert_eq!(class.exit_code(), code);
        }
    }

    #[test]
    fn a_text_from_elsewhere_reaches_no_terminal_as_it_is() {
        let failure = Failure::temporary("a\u{1b}[31mb\r\nc\u{202e}d é").with_hint("x".repeat(1000));
        let line = failure.to_string();
        assert!(line.starts_with("a?[31mb??c?d é; xxx"), "{line}");
        assert!(line.ends_with("x..."));
        assert!(line.chars().count() < 330);
    }
}
