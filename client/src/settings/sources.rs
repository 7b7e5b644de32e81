//! Which sources of tokens are asked, and in which order: the value of `CODEX_TOKEN_SOURCE`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::catalog::{self, Entry};
use super::key::Key;

/// Where a token can come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceName {
    /// A file of this machine.
    Local,
    /// A broker, or another HTTP endpoint that gives tokens.
    Remote,
    /// Another machine, over SSH.
    Ssh,
}

impl SourceName {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Local, Self::Remote, Self::Ssh];

    /// The name in settings and in what is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Ssh => "ssh",
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads one source, or several with commas between them, in the order of asking. Never empty.
pub fn parse_list(text: &str) -> Result<Vec<SourceName>, String> {
    let words = catalog::read_list(&Entry::of(Key::TokenSource).kind, text)?;
    let known = |word: &str| SourceName::ALL.iter().copied().find(|source| source.as_str() == word);
    Ok(words.into_iter().map(|word| known(word).expect("the catalogue names the sources that there are")).collect())
}

#[cfg(test)]
mod tests {
    use super::SourceName::{Local, Remote, Ssh};
    use super::*;

    #[test]
    fn one_source_or_several_are_read_in_their_order() {
        let cases: [(&str, &[SourceName]); 4] = [
            ("local", &[Local]),
            ("remote,local", &[Remote, Local]),
            (" ssh , remote,local ", &[Ssh, Remote, Local]),
            ("local,ssh", &[Local, Ssh]),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_list(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_sources_is_refused() {
        for text in ["remot", "Local", "remote;local", "remote local", "", "remote,", ",remote", "remote,,local"] {
            assert!(parse_list(text).is_err(), "{text}");
        }
        assert!(parse_list("local,remote,local").unwrap_err().contains("local stands there twice"));
    }

    #[test]
    fn the_catalogue_knows_the_sources_that_there_are() {
        let all = SourceName::ALL.iter().map(|source| source.as_str()).collect::<Vec<_>>().join(",");
        assert_eq!(parse_list(&all).as_deref(), Ok(SourceName::ALL));
    }
}
