//! `--check`: every mistake in every settings file that holds here, at once.

use std::fmt;

use crate::cli::outcome;
use crate::failure::{Class, Failure, visible_in_full};
use crate::settings::catalog::{self, Entry};
use crate::settings::file::{self, Assignment};
use crate::settings::git::{self, GitState};
use crate::settings::key::Key;
use crate::settings::places::Places;
use crate::settings::settings_file::{Place, SettingsFile, UnknownKeys};
use crate::settings::trust::store::TrustedFiles;
use crate::settings::written::{self, Origin, Written};
use crate::settings::{Settings, Surroundings, trust};
use crate::talk::Talk;

const GROUP_AND_OTHERS: u32 = 0o077;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    /// A command that needs it will refuse, or a secret is in danger.
    Error,
    /// It may be meant.
    Warning,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}", visible_in_full(&self.text))
    }
}

/// Everything that was found.
pub(super) struct Found {
    /// How many files were read.
    pub(super) files: usize,
    pub(super) findings: Vec<Finding>,
}

/// Prints what was found; the exit code says whether any of it is an error.
pub(super) fn check(surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let Found { files, mut findings } = findings(surroundings)?;
    if findings.iter().all(|finding| finding.severity == Severity::Warning) {
        findings.extend(of_sources(surroundings));
    }
    let mut text: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    text.push_str(&format!("files: {files}, errors: {errors}, warnings: {}\n", findings.len() - errors));
    outcome::answer(&text)?;
    Ok(if errors > 0 { Class::Configuration.exit_code() } else { 0 })
}

/// What only shows when the settings of a source that is asked are taken together. Nobody is asked for a token.
fn of_sources(surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let mut talk = Talk::default();
    let settings = Written::gather(surroundings, &mut Talk::default()).and_then(Settings::from_written);
    let failures: Vec<Failure> = match &settings {
        Err(failure) => vec![failure.clone()],
        Ok(settings) => {
            let sources = settings.sources().iter();
            sources.filter_map(|source| settings.of(*source, surroundings, &mut talk).err()).collect()
        }
    };
    let warnings = talk.lines(false).map(|text| Finding { severity: Severity::Warning, text: text.to_owned() });
    let errors = failures.iter().map(|failure| Finding { severity: Severity::Error, text: failure.to_string() });
    warnings.chain(errors).collect()
}

/// Looks at every file and variable.
pub(super) fn findings(surroundings: &Surroundings<'_>) -> Result<Found, Failure> {
    let places = Places::around(surroundings);
    let whole = Written::gather(surroundings, &mut Talk::default());
    let mut findings = Findings { written: whole.as_ref().ok(), found: Vec::new() };
    let mut files = 0_usize;
    for place in places.all().iter().cloned().chain(places.profiles()) {
        match place.read() {
            Ok(None) => {}
            Ok(Some(file)) => {
                files += 1;
                findings.in_file(&file);
            }
            Err(failure) => findings.error(failure.to_string()),
        }
    }
    findings.in_environment(surroundings);
    let has_error = |found: &[Finding]| found.iter().any(|finding| finding.severity == Severity::Error);
    match &whole {
        // What only shows when everything is put together: most often a profile that is not there.
        Err(failure) if !has_error(&findings.found) => findings.error(failure.to_string()),
        Err(_) => {}
        Ok(written) => findings.of_trust(written, surroundings)?,
    }
    Ok(Found { files, findings: findings.found })
}

struct Findings<'a> {
    /// `None` when the settings cannot be put together.
    written: Option<&'a Written>,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn error(&mut self, text: String) {
        self.found.push(Finding { severity: Severity::Error, text });
    }

    fn warning(&mut self, text: String) {
        self.found.push(Finding { severity: Severity::Warning, text });
    }

    fn in_file(&mut self, file: &SettingsFile) {
        let path = file.place.path.display().to_string();
        let mut assignments: Vec<Assignment> = Vec::new();
        for line in file::lines(&file.bytes) {
            match line {
                Err(malformed) => self.error(format!("{path}, {malformed}")),
                Ok(assignment) => {
                    self.in_line(&file.place, &assignment, &assignments);
                    assignments.push(assignment);
                }
            }
        }
        let is_secret = |found: &Assignment| {
            !found.value.is_empty() && Key::parse(&found.key).is_some_and(|key| Entry::of(key).is_secret())
        };
        if assignments.iter().any(is_secret) {
            self.of_secrets(file);
        }
    }

    fn in_line(&mut self, place: &Place, assignment: &Assignment, before: &[Assignment]) {
        let origin = Origin::File { path: place.path.clone(), line: assignment.line, tier: place.tier };
        if let Some(first) = before.iter().find(|earlier| earlier.key == assignment.key) {
            let text = format!("{origin}: {} already stands in line {}", assignment.key, first.line);
            match first.value == assignment.value {
                true => self.warning(text),
                false => self.error(format!("{text}; remove one of the two: their values differ")),
            }
        }
        match Key::parse(&assignment.key) {
            None if place.unknown_keys == UnknownKeys::Mention => {}
            None => self.warning(written::unknown(&origin, &assignment.key)),
            Some(_) if assignment.value.is_empty() => {}
            Some(key) => self.of_value(key, &assignment.value, &origin),
        }
    }

    /// A wrong value stops a command only where it holds and matters.
    fn of_value(&mut self, key: Key, text: &str, origin: &Origin) {
        let Err(why) = catalog::check(key, text) else { return };
        let text = format!("{} ({origin}): {why}", key.as_str());
        let holds = self.written.is_none_or(|written| {
            let source = written.get(Key::TokenSource).map(|value| value.text.as_str());
            written.get(key).is_some_and(|value| value.origin == *origin) && Entry::of(key).matters(source)
        });
        if holds { self.error(text) } else { self.warning(format!("{text}; it has no effect now")) }
    }

    fn of_secrets(&mut self, file: &SettingsFile) {
        let path = &file.place.path;
        if file.mode & GROUP_AND_OTHERS != 0 {
            let word = trust::shell_word(path);
            self.error(format!("{} holds a secret and can be read by other users; chmod 600 {word}", path.display()));
        }
        // The file that a link leads to is the one that could be in a repository.
        let target = path.canonicalize().unwrap_or_else(|_| path.clone());
        let state = git::state_of(&target);
        match (state, state.remark(&target)) {
            (GitState::Tracked, Some(remark)) => self.error(remark),
            (GitState::NotIgnored | GitState::Safe, Some(remark)) => self.warning(remark),
            (_, None) => {}
        }
    }

    fn in_environment(&mut self, surroundings: &Surroundings<'_>) {
        for key in Key::ALL {
            match (surroundings.environment)(key.as_str()).map(std::ffi::OsString::into_string) {
                Some(Ok(text)) if !text.trim().is_empty() => self.of_value(*key, text.trim(), &Origin::Environment),
                Some(Err(_)) => self.error(format!("{} (environment): not UTF-8", key.as_str())),
                Some(Ok(_)) | None => {}
            }
        }
    }

    fn of_trust(&mut self, written: &Written, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
        let trusted = TrustedFiles::load(surroundings)?;
        for claim in trust::pending(written, &trusted)? {
            self.warning(format!("{} is not trusted; {}", claim.file.path.display(), claim.how_to_trust()));
        }
        Ok(())
    }
}
