//! What there is to know about each setting before anybody has written one: its section, what it is for, what it takes.
//!
//! [`check`] is the one judge of a single value: for the commands, for `scorpiox-config --set` and `--check`, and for
//! the editor while a person types. What several settings mean together is for [`super::Settings`] to say.

mod check;
mod entries;

use std::ops::RangeInclusive;

pub use self::check::{check, read_list};
use super::key::Key;

/// The part of the settings that a key belongs to, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Who answers, and how.
    Conversation,
    /// Where tokens come from.
    Tokens,
    /// A file of this machine.
    Local,
    /// A broker, or another address that hands out tokens.
    Remote,
    /// Another machine.
    Ssh,
}

impl Section {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Conversation, Self::Tokens, Self::Local, Self::Remote, Self::Ssh];

    /// As a person reads it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Conversation => "Conversation",
            Self::Tokens => "Token source",
            Self::Local => "Local file",
            Self::Remote => "Broker",
            Self::Ssh => "SSH",
        }
    }

    /// The source of tokens that the section is about.
    pub fn source(self) -> Option<&'static str> {
        match self {
            Self::Conversation | Self::Tokens => None,
            Self::Local => Some("local"),
            Self::Remote => Some("remote"),
            Self::Ssh => Some("ssh"),
        }
    }
}

/// A value that a setting can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// As it is written.
    pub value: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

/// What a setting takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// One of these.
    Choice(&'static [Choice]),
    /// One or several of these, in an order that matters, separated by commas.
    List(&'static [Choice]),
    /// A whole number.
    Number(RangeInclusive<u32>),
    /// A file; a relative path starts at the settings file in which it stands.
    Path,
    /// An address, `https://…`.
    Url,
    /// One line of text.
    Text,
}

/// Whether a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// It may.
    Open,
    /// Never: not on a screen, not in a log, not on a command line.
    Secret,
}

/// Everything about one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub key: Key,
    /// Where it belongs.
    pub section: Section,
    /// One line, without a full stop.
    pub help: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether its value may be shown.
    pub secrecy: Secrecy,
    /// What holds when nothing is written; `None` when nothing does.
    pub default: Option<&'static str>,
}

impl Entry {
    /// What there is to know about a setting.
    pub fn of(key: Key) -> Self {
        entries::entry(key)
    }

    /// True when its value is never shown.
    pub fn is_secret(&self) -> bool {
        self.secrecy == Secrecy::Secret
    }

    /// Whether the setting has an effect, given the text of `CODEX_TOKEN_SOURCE` that holds (`None`: not set). A list
    /// that cannot be read hides nothing.
    pub fn matters(&self, token_source: Option<&str>) -> bool {
        let Some(source) = self.section.source() else { return true };
        let sources = Self::of(Key::TokenSource);
        let Some(text) = token_source.or(sources.default) else { return true };
        read_list(&sources.kind, text).map_or(true, |chosen| chosen.contains(&source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_described_and_its_default_is_valid() {
        for key in Key::ALL {
            let entry = Entry::of(*key);
            assert_eq!(entry.key, *key);
            assert!(!entry.help.is_empty() && entry.help.len() <= 72 && !entry.help.ends_with('.'), "{key:?}");
            assert!(entry.default.is_none_or(|text| check(*key, text).is_ok()), "{key:?}");
        }
        let sections: Vec<Section> = Key::ALL.iter().map(|key| Entry::of(*key).section).collect();
        assert!(sections.is_sorted(), "the keys stand in the order of their sections");
    }

    #[test]
    fn only_what_the_chosen_sources_read_matters() {
        let matters = |key, source| Entry::of(key).matters(source);
        assert!(matters(Key::CredentialsFile, None) && !matters(Key::RemoteUrl, None) && !matters(Key::SshHost, None));
        assert!(matters(Key::RemoteUrl, Some("remote")) && !matters(Key::CredentialsFile, Some("remote")));
        assert!(matters(Key::RemoteUrl, Some("ssh, remote")) && matters(Key::SshHost, Some("ssh, remote")));
        assert!(matters(Key::SshHost, Some("nonsense")), "while it is being typed");
        assert!(matters(Key::Model, Some("ssh")));
    }

    #[test]
    fn secrets_are_known() {
        let secrets: Vec<Key> = Key::ALL.iter().copied().filter(|key| Entry::of(*key).is_secret()).collect();
        assert_eq!(secrets, [Key::ApiKey, Key::SshPass]);
    }
}
