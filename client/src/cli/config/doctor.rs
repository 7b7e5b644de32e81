//! `doctor`: does every source give a token, and if not, what is to be done?
//!
//! * [`report`]: what was found. * [`clock_skew`], [`stock_cli`]: looks at what is not ours.

mod clock_skew;
mod report;
mod stock_cli;

use self::report::{Line, Report, State, TokenFacts};
use super::check::{self, Severity};
use super::trial;
use super::typed::Form;
use crate::cli::escape::escaped_json;
use crate::cli::outcome;
use crate::clock::{Clock, SystemClock};
use crate::failure::Failure;
use crate::settings::trust::store::TrustedFiles;
use crate::settings::written::Written;
use crate::settings::{Settings, SourceName, SourceSettings, Surroundings, trust};
use crate::talk::Talk;

/// Prints what was found; the exit code is 0 when every chosen source gives a token.
pub(super) fn doctor(form: Form, surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let mut report = Report::default();
    match settings(surroundings, &mut report) {
        Ok(settings) => of_sources(&settings, surroundings, &mut report),
        Err(failure) => {
            report.add(Line::new(State::Fail, "settings", failure.message()).next(failure.hint()));
            report.ends_with(failure.class.exit_code());
        }
    }
    stock_cli::look(surroundings).into_iter().for_each(|line| report.add(line));
    let unwritable = |error| Failure::temporary(format!("the report cannot be written: {error}"));
    match form {
        Form::Json => outcome::answer(&escaped_json(&report.json().map_err(unwritable)?))?,
        Form::Lines | Form::LinesWithSource => outcome::answer(&report.text())?,
    }
    Ok(report.exit_code)
}

/// Settings that may be used: nothing of a project that nobody trusts. Nobody is asked: the doctor changes nothing.
fn settings(surroundings: &Surroundings<'_>, report: &mut Report) -> Result<Settings, Failure> {
    let found = check::findings(surroundings)?;
    let written = Written::gather(surroundings, &mut Talk::default())?;
    if let Some(claim) = trust::pending(&written, &TrustedFiles::load(surroundings)?)?.first() {
        let failure = Failure::configuration(format!("{} is not trusted", claim.file.path.display()));
        return Err(failure.with_hint(claim.how_to_trust()));
    }
    if found.findings.is_empty() {
        report.add(Line::new(State::Ok, "settings", format!("files: {}, no mistakes", found.files)));
    }
    for finding in found.findings {
        // Where it keeps a source from working, the source says so.
        let text = match finding.severity {
            Severity::Error => format!("error: {}", finding.text),
            Severity::Warning => finding.text,
        };
        report.add(Line::new(State::Warn, "settings", text));
    }
    Settings::from_written(written)
}

fn of_sources(settings: &Settings, surroundings: &Surroundings<'_>, report: &mut Report) {
    let chosen = settings.sources();
    for source in chosen {
        of_chosen(*source, settings, surroundings, report);
    }
    for source in SourceName::ALL.iter().filter(|source| !chosen.contains(source)) {
        of_other(*source, settings, surroundings, report);
    }
    let remote = settings.of(SourceName::Remote, surroundings, &mut Talk::default());
    if let Ok(SourceSettings::Remote(remote)) = remote {
        clock_skew::look(&remote, surroundings, &SystemClock::start()).into_iter().for_each(|line| report.add(line));
    }
}

fn of_chosen(source: SourceName, settings: &Settings, surroundings: &Surroundings<'_>, report: &mut Report) {
    let chosen = settings.sources();
    let role = match chosen.iter().position(|other| *other == source) {
        Some(place) if chosen.len() > 1 => format!("chosen ({} of {})", place + 1, chosen.len()),
        Some(_) | None => "chosen".to_owned(),
    };
    match tried(source, settings, surroundings, report) {
        Ok(facts) => report.add(good(source, &role, facts)),
        Err(failure) => {
            let text = format!("{role}: {}", failure.message());
            report.add(Line::new(State::Fail, source.as_str(), text).next(failure.hint()));
            report.ends_with(failure.class.exit_code());
        }
    }
}

/// A source that is not chosen and not set up is nobody's concern.
fn of_other(source: SourceName, settings: &Settings, surroundings: &Surroundings<'_>, report: &mut Report) {
    if settings.of(source, surroundings, &mut Talk::default()).is_err_and(|failure| failure.is_absence()) {
        return;
    }
    match tried(source, settings, surroundings, report) {
        Ok(facts) => report.add(good(source, "not chosen", facts)),
        // The local source is always set up: without a login there is just none.
        Err(failure) if source == SourceName::Local && failure.is_absence() => {}
        Err(failure) => {
            let text = format!("not chosen, and gives no token: {}", failure.message());
            report.add(Line::new(State::Warn, source.as_str(), text).next(failure.hint()));
        }
    }
}

/// Tries it; what it remarks on the way is told too.
fn tried(
    source: SourceName,
    settings: &Settings,
    surroundings: &Surroundings<'_>,
    report: &mut Report,
) -> Result<trial::Report, Failure> {
    let mut talk = Talk::default();
    let tried = trial::try_source(source, settings, surroundings, &SystemClock::start(), &mut talk);
    for remark in talk.lines(false) {
        report.add(Line::new(State::Warn, source.as_str(), remark));
    }
    tried
}

fn good(source: SourceName, role: &str, found: trial::Report) -> Line {
    let clock: &dyn Clock = &SystemClock::start();
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let until = found.expires(clock).unwrap_or_else(|| "at an unknown time".to_owned());
    let (account, plan) = (known(&found.account), known(&found.plan));
    let text = format!("{role}: gives a token; account {account}, plan {plan}, ends {until}");
    let facts = TokenFacts { account_id: found.account, plan: found.plan, expires_at: found.expires_at };
    Line { token: Some(facts), ..Line::new(State::Ok, source.as_str(), text) }
}
