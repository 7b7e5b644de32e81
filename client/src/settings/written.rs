//! Settings as they were written: every value, where it stood, and which one wins.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{self, Assignment};
pub use super::key::Key;
use super::places::Places;
use super::settings_file::{Place, SettingsFile, UnknownKeys};
use super::tier::Tier;
use super::{Surroundings, profile};
use crate::failure::Failure;
use crate::talk::Talk;

/// Where a value stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a settings file.
    File {
        /// Which.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// Its step in the cascade.
        tier: Tier,
    },
    /// In the environment.
    Environment,
}

impl Origin {
    /// The step in the cascade.
    pub fn tier(&self) -> Tier {
        match self {
            Self::File { tier, .. } => *tier,
            Self::Environment => Tier::Environment,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, .. } => write!(f, "{}, line {line}", path.display()),
            Self::Environment => f.write_str("environment"),
        }
    }
}

/// A value and where it stood. It is never empty: an empty value counts as not written.
#[derive(Clone)]
pub struct WrittenValue {
    /// The setting.
    pub key: Key,
    /// As written; may hold a secret.
    pub text: Zeroizing<String>,
    /// Where.
    pub origin: Origin,
}

impl WrittenValue {
    /// The value read as a path. A relative one starts at the file in which it stands, else at `directory`.
    pub fn as_path(&self, directory: &Path) -> PathBuf {
        let base = match &self.origin {
            Origin::File { path, .. } => path.parent().unwrap_or(directory),
            Origin::Environment => directory,
        };
        base.join(self.text.as_str())
    }

    /// A failure that names this setting and its place, never its value.
    pub fn wrong(&self, why: impl fmt::Display) -> Failure {
        Failure::configuration(format!("{} ({}): {why}", self.key.as_str(), self.origin))
    }
}

impl fmt::Debug for WrittenValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=[redacted] ({})", self.key.as_str(), self.origin)
    }
}

/// Gets a place with what was read there, and says what to take instead.
pub type Amend<'a> = dyn Fn(&Place, Option<SettingsFile>) -> Result<Option<SettingsFile>, Failure> + 'a;

/// All settings as they were written.
#[derive(Debug, Default)]
pub struct Written {
    /// Lowest precedence first.
    values: Vec<WrittenValue>,
    files: Vec<Place>,
}

impl Written {
    /// Reads every settings file that holds here, the profile that is switched on, and the environment.
    pub fn gather(surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<Self, Failure> {
        Self::gather_amended(surroundings, talk, &|_, file| Ok(file))
    }

    /// The same as if some files were others.
    pub fn gather_amended(
        surroundings: &Surroundings<'_>,
        talk: &mut Talk,
        amend: &Amend<'_>,
    ) -> Result<Self, Failure> {
        let places = Places::around(surroundings);
        let mut files = Vec::new();
        for place in places.all() {
            files.extend(amend(place, place.read()?)?);
        }
        let mut written = Self::put_together(&files, surroundings.environment, talk)?;
        if let Some(active) = written.get(Key::ActiveProfile).filter(|value| value.text.as_str() != profile::OFF) {
            for file in profile::read(active, &places)? {
                written.add_profile(&file, talk)?;
            }
        }
        Ok(written)
    }

    /// Puts files, lowest first, and the environment together.
    pub fn put_together(
        files: &[SettingsFile],
        environment: &dyn Fn(&str) -> Option<OsString>,
        talk: &mut Talk,
    ) -> Result<Self, Failure> {
        let mut written = Self::default();
        for file in files {
            written.add_file(file, talk)?;
        }
        for key in Key::ALL {
            let Some(text) = environment(key.as_str()).filter(|text| !text.is_empty()) else { continue };
            let text = text.into_string().map_err(|_| not_text(*key))?;
            let text = Zeroizing::new(text.trim().to_owned());
            if !text.is_empty() {
                written.values.push(WrittenValue { key: *key, text, origin: Origin::Environment });
            }
        }
        Ok(written)
    }

    /// The value that holds.
    pub fn get(&self, key: Key) -> Option<&WrittenValue> {
        self.candidates(key).next()
    }

    /// Everything that was written for a key, the value that holds first, then those that it shadows.
    pub fn candidates(&self, key: Key) -> impl Iterator<Item = &WrittenValue> {
        self.values.iter().rev().filter(move |value| value.key == key)
    }

    /// Of two settings that say the same in two ways, the one that was written higher. Two in one place contradict
    /// each other.
    pub fn one_of(&self, one: Key, other: Key) -> Result<Option<&WrittenValue>, Failure> {
        let last = |key| self.values.iter().rposition(|value| value.key == key);
        let (Some(first), Some(second)) = (last(one), last(other)) else {
            return Ok(self.get(one).or(self.get(other)));
        };
        let (lower, higher) = (&self.values[first.min(second)], &self.values[first.max(second)]);
        if same_place(&lower.origin, &higher.origin) {
            let also = format!("{} is set too", lower.key.as_str());
            return Err(higher.wrong(also).with_hint("remove one of the two"));
        }
        Ok(Some(higher))
    }

    /// The files that were read, lowest precedence first.
    pub fn files(&self) -> &[Place] {
        &self.files
    }

    /// The file in which a value stands.
    pub fn file_of(&self, value: &WrittenValue) -> Option<&Place> {
        match &value.origin {
            Origin::File { path, .. } => self.files.iter().find(|place| place.path == *path),
            Origin::Environment => None,
        }
    }

    /// What one file says, in the order in which it says it.
    pub fn said_by(&self, file: &Place) -> impl Iterator<Item = &WrittenValue> {
        self.values.iter().filter(|value| matches!(&value.origin, Origin::File { path, .. } if *path == file.path))
    }

    fn add_profile(&mut self, file: &SettingsFile, talk: &mut Talk) -> Result<(), Failure> {
        let in_files = |value: &WrittenValue| value.origin != Origin::Environment;
        let environment = self.values.split_off(self.values.iter().take_while(|value| in_files(value)).count());
        self.add_file(file, talk)?;
        if let Some(value) = self.said_by(&file.place).find(|value| value.key == Key::ActiveProfile) {
            talk.warn(format!("{}: ACTIVE_PROFILE in a profile is ignored", value.origin));
        }
        self.values.retain(|value| value.key != Key::ActiveProfile || value.origin.tier() != Tier::Profile);
        self.values.extend(environment);
        Ok(())
    }

    fn add_file(&mut self, file: &SettingsFile, talk: &mut Talk) -> Result<(), Failure> {
        let (path, tier) = (&file.place.path, file.place.tier);
        talk.detail(format!("settings: {} ({tier})", path.display()));
        let malformed = |error| Failure::configuration(format!("{}, {error}", path.display()));
        let assignments = file::parse(&file.bytes).map_err(malformed)?;
        let mut said: Vec<WrittenValue> = Vec::new();
        for (index, assignment) in assignments.iter().enumerate() {
            let origin = Origin::File { path: path.clone(), line: assignment.line, tier };
            check_repeated(&origin, assignment, &assignments[..index], talk)?;
            let Some(key) = Key::parse(&assignment.key) else {
                let unknown = unknown(&origin, &assignment.key);
                match file.place.unknown_keys {
                    UnknownKeys::Warn => talk.warn(unknown),
                    UnknownKeys::Mention => talk.detail(unknown),
                }
                continue;
            };
            if !assignment.value.is_empty() && said.iter().all(|earlier| earlier.key != key) {
                said.push(WrittenValue { key, text: assignment.value.clone(), origin });
            }
        }
        self.values.extend(said);
        self.files.push(file.place.clone());
        Ok(())
    }
}

fn same_place(one: &Origin, other: &Origin) -> bool {
    match (one, other) {
        (Origin::File { path, .. }, Origin::File { path: other, .. }) => path == other,
        (Origin::Environment, Origin::Environment) => true,
        (Origin::File { .. }, Origin::Environment) | (Origin::Environment, Origin::File { .. }) => false,
    }
}

/// A key may stand twice in a file only with the same value: which of two was meant cannot be known.
fn check_repeated(
    origin: &Origin,
    assignment: &Assignment,
    before: &[Assignment],
    talk: &mut Talk,
) -> Result<(), Failure> {
    let Some(first) = before.iter().find(|earlier| earlier.key == assignment.key) else { return Ok(()) };
    let repeated = format!("{origin}: {} already stands in line {}", assignment.key, first.line);
    if first.value != assignment.value {
        return Err(Failure::configuration(repeated).with_hint("remove one of the two: their values differ"));
    }
    talk.warn(repeated);
    Ok(())
}

/// What to say of a key that means nothing to us.
pub fn unknown(origin: &Origin, name: &str) -> String {
    let meant = Key::nearest(name).map(|key| format!("; did you mean {}?", key.as_str())).unwrap_or_default();
    format!("{origin}: unknown setting {name} is ignored{meant}")
}

fn not_text(key: Key) -> Failure {
    Failure::configuration(format!("{} (environment): not UTF-8", key.as_str()))
}

#[cfg(test)]
#[path = "written/tests.rs"]
mod tests;
