//! What can be completed where the cursor stands: a command, what stands behind it, a file.

use super::files::{Closed, Files};
use super::word::Word;
use crate::cli::sx::command::{COMMANDS, Row, Takes};
use crate::settings::Surroundings;
use crate::terminal::sanitize::spelled_out;
use crate::tool::approval::Mode;

/// What there is to offer.
pub(in crate::cli::sx) struct Offers<'a> {
    /// Ids of models.
    pub(in crate::cli::sx) models: Vec<String>,
    /// What the model that answers knows.
    pub(in crate::cli::sx) efforts: Vec<String>,
    /// Names of profiles.
    pub(in crate::cli::sx) profiles: Vec<String>,
    files: Files<'a>,
}

/// What may stand in the line from a place on: as it is shown, and as it stands there.
pub(super) type Completions = (usize, Vec<(String, String)>);

impl<'a> Offers<'a> {
    /// Files only, yet.
    pub(in crate::cli::sx) fn new(surroundings: &Surroundings<'_>, closed: Closed<'a>) -> Self {
        let home = surroundings.absolute_path("HOME");
        let files = Files::new(surroundings.directory.clone(), home, closed);
        Self { models: Vec::new(), efforts: Vec::new(), profiles: Vec::new(), files }
    }

    /// For what stands before the cursor. A name that the terminal would not show as it is, is not offered.
    pub(super) fn completions(&self, before: &str) -> Completions {
        let (start, mut offered) = self.all_completions(before);
        offered.retain(|(shown, word)| [shown, word].into_iter().all(|text| spelled_out(text) == text.as_str()));
        (start, offered)
    }

    fn all_completions(&self, before: &str) -> Completions {
        if let Some((row, argument)) = command_before(before) {
            if let Some(words) = self.words(row.takes) {
                let start = before.len() - argument.len();
                return (start, beginning_with(words.iter().map(String::as_str), argument));
            }
        } else if let Some(name) = before.strip_prefix('/').filter(|name| !name.contains(['/', ' ', '\n'])) {
            let names = COMMANDS.iter().map(|row| row.names[0]);
            let commands = beginning_with(names, name);
            if !commands.is_empty() {
                return (1, commands.into_iter().map(|(shown, name)| (shown, format!("{name} "))).collect());
            }
        }
        let word = Word::at_end(before);
        (word.start, self.files.completions(&word))
    }

    /// What a command takes, when it is one of a few words.
    fn words(&self, takes: Takes) -> Option<Vec<String>> {
        match takes {
            Takes::Nothing => Some(Vec::new()),
            Takes::Model => Some(self.models.clone()),
            Takes::Effort => Some([vec!["off".to_owned()], self.efforts.clone()].concat()),
            Takes::Approvals => Some(Mode::ALL.iter().map(|mode| mode.name().to_owned()).collect()),
            Takes::Profile => Some([self.profiles.clone(), vec!["off".to_owned()]].concat()),
            Takes::Text => None,
        }
    }
}

/// A command with a space behind it, and what stands there.
pub(super) fn command_before(before: &str) -> Option<(&'static Row, &str)> {
    let (name, argument) = before.strip_prefix('/')?.split_once(' ')?;
    let row = COMMANDS.iter().find(|row| row.names.contains(&name))?;
    Some((row, argument.trim_start()))
}

fn beginning_with<'a>(words: impl Iterator<Item = &'a str>, beginning: &str) -> Vec<(String, String)> {
    words.filter(|word| word.starts_with(beginning)).map(|word| (word.to_owned(), word.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_offers_what_it_takes_and_everything_else_files() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["gpt-notes", "gpt-\u{202e}txt.sh", "gpt-\u{200b}notes"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let nothing = |_: &str| None;
        let surroundings =
            Surroundings { environment: &nothing, directory: dir.path().to_owned(), program_directory: None };
        let mut offers = Offers::new(&surroundings, Box::new(Vec::new));
        offers.models = vec!["gpt-5.5".into(), "gpt-5.4-mini".into(), "o9".into(), "gpt-\u{2066}x".into()];
        offers.efforts = vec!["low".into(), "high".into()];
        offers.profiles = vec!["work".into()];
        let completions = |before: &str| {
            let (start, offered) = offers.completions(before);
            (start, offered.into_iter().map(|(_, word)| word).collect::<Vec<_>>())
        };
        assert_eq!(completions("/mod"), (1, vec!["model ".into()]));
        assert_eq!(completions("/model gpt"), (7, vec!["gpt-5.5".into(), "gpt-5.4-mini".into()]));
        assert_eq!(completions("/effort "), (8, vec!["off".into(), "low".into(), "high".into()]));
        assert_eq!(completions("/approvals au"), (11, vec!["auto-edit".into()]));
        assert_eq!(completions("/use w"), (5, vec!["work".into()]));
        assert_eq!(completions("/quit x"), (6, vec![]));
        assert_eq!(completions("see @gpt"), (4, vec!["@gpt-notes".into()]));
        assert_eq!(completions("/nowhere/x"), (0, vec![]));
    }
}
