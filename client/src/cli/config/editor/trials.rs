//! Trying sources beside the editor, which goes on meanwhile.

use std::sync::mpsc::Sender;
use std::thread;

use super::event::{Event, Outcome};
use super::field::Change;
use super::files;
use super::session::Incoming;
use crate::cli::config::trial::{Report, try_source};
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::settings::key::Key;
use crate::settings::places::Level;
use crate::settings::{Settings, SourceName, Surroundings};
use crate::talk::Talk;

/// What is to be tried.
pub(super) struct Plan {
    pub(super) run: u32,
    pub(super) sources: Vec<String>,
    /// Counts as if it were saved, at this level.
    pub(super) changes: Vec<(Key, Change)>,
    pub(super) level: Level,
}

/// Begins; each source is reported when it has been tried.
pub(super) fn start(plan: Plan, surroundings: &Surroundings<'_>, sender: Sender<Incoming>) {
    let (directory, program_directory) = (surroundings.directory.clone(), surroundings.program_directory.clone());
    thread::spawn(move || {
        // The caller's way to the environment stays with the caller; the process has only one.
        let environment = |name: &str| std::env::var_os(name);
        let surroundings = Surroundings { environment: &environment, directory, program_directory };
        for source in &plan.sources {
            let outcome = outcome(try_one(source, &plan, &surroundings));
            let event = Event::Tried { run: plan.run, source: source.clone(), outcome };
            if sender.send(Incoming::Event(event)).is_err() {
                return;
            }
        }
    });
}

fn try_one(source: &str, plan: &Plan, surroundings: &Surroundings<'_>) -> Result<Report, Failure> {
    let unknown = || Failure::configuration(format!("there is no source {source}"));
    let name = SourceName::ALL.iter().copied().find(|name| name.as_str() == source).ok_or_else(unknown)?;
    let written = files::as_if_saved(plan.level, &plan.changes, surroundings)?;
    let settings = Settings::from_written(written)?;
    try_source(name, &settings, surroundings, &SystemClock::start(), &mut Talk::default())
}

fn outcome(tried: Result<Report, Failure>) -> Outcome {
    match tried {
        Ok(report) => {
            let text = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
            let expires = report.expires(&SystemClock::start());
            Outcome::Works { account: text(report.account), plan: text(report.plan), expires: text(expires) }
        }
        Err(failure) => Outcome::Fails {
            why: failure.message().to_owned(),
            next_step: failure.hint().unwrap_or_default().to_owned(),
        },
    }
}
