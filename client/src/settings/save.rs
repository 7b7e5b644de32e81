//! Saving a change of settings: one process at a time, the whole file or nothing, and no secret for other eyes.

use std::path::{Path, PathBuf};

use super::catalog::Entry;
use super::directory_lock::DirectoryLock;
use super::edit::{self, Edit};
use super::settings_file::{Owner, Place, SettingsFile};
use super::trust::store::{self, TrustedFiles};
use super::trust::{self, Claim};
use super::written::Written;
use super::{Surroundings, git};
use crate::durable_file::{self, PRIVATE};
use crate::failure::Failure;
use crate::talk::Talk;

/// Makes these changes in the file at this place; it need not exist. What a person should know goes to `talk`.
///
/// A project's file that was trusted, or led nowhere before, is trusted with the change: it was the user's own.
pub fn save(
    place: &Place,
    edits: &[Edit<'_>],
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) -> Result<PathBuf, Failure> {
    let path = target(&place.path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    store::prepare(folder).map_err(|error| unwritten(folder, &error))?;
    let _lock = DirectoryLock::acquire(folder)?;
    let before = read_or_empty(place, &path)?;
    let new = edit::apply(&before.bytes, edits);
    let new = new.map_err(|error| Failure::configuration(format!("{}, {error}", path.display())))?;
    let after = SettingsFile { bytes: new, ..before.clone() };
    let was_ours = leads_only_where_its_user_wants(&before, surroundings)?;
    let is_secret = holds_a_secret(&after)?;
    let mode = if is_secret { PRIVATE } else { before.mode };
    if after.bytes != before.bytes || mode != before.mode {
        durable_file::replace(&path, &after.bytes, mode).map_err(|error| unwritten(&path, &error))?;
    }
    settle_trust(&after, was_ours, surroundings, talk)?;
    if is_secret {
        git::state_of(&path).remark(&path).into_iter().for_each(|remark| talk.warn(remark));
    }
    Ok(path)
}

/// The file itself, also where a link leads to it: who keeps settings elsewhere wants the link to stay.
fn target(path: &Path) -> Result<PathBuf, Failure> {
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        return Ok(path.to_owned());
    }
    let nowhere = |_| Failure::configuration(format!("{} is a link that leads nowhere", path.display()));
    path.canonicalize().map_err(nowhere)
}

/// The file as it is named, with the content of its target.
fn read_or_empty(place: &Place, target: &Path) -> Result<SettingsFile, Failure> {
    let me = rustix::process::geteuid().as_raw();
    match (Place { path: target.to_owned(), ..place.clone() }).read()? {
        None => Ok(SettingsFile::empty(place.clone())),
        // What is replaced would become ours.
        Some(file) if file.owner_id != me => {
            let failure = Failure::person_must_act(format!("{} belongs to another user", target.display()));
            Err(failure.with_hint("change it as that user"))
        }
        Some(file) => Ok(SettingsFile { place: place.clone(), ..file }),
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::person_must_act(format!("{} cannot be written: {error}", path.display()))
}

fn alone(file: &SettingsFile) -> Result<Written, Failure> {
    Written::put_together(std::slice::from_ref(file), &|_| None, &mut Talk::default())
}

fn holds_a_secret(file: &SettingsFile) -> Result<bool, Failure> {
    let written = alone(file)?;
    Ok(written.said_by(&file.place).any(|value| Entry::of(value.key).is_secret()))
}

/// Whether everything that leads somewhere in this file is its user's word: written by the user, or trusted.
pub fn leads_only_where_its_user_wants(file: &SettingsFile, surroundings: &Surroundings<'_>) -> Result<bool, Failure> {
    if file.place.owner != Owner::Project {
        return Ok(true);
    }
    let written = alone(file)?;
    let trusted = TrustedFiles::load(surroundings)?;
    for claim in trust::claims(&written) {
        if !trusted.has(&claim.identity()?) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn settle_trust(
    file: &SettingsFile,
    was_ours: bool,
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) -> Result<(), Failure> {
    let written = alone(file)?;
    for claim in trust::claims(&written) {
        if was_ours {
            remember(&claim, surroundings)?;
        } else {
            talk.warn(format!("{} is not trusted yet: {}", file.place.path.display(), claim.how_to_trust()));
        }
    }
    Ok(())
}

fn remember(claim: &Claim<'_>, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
    let identity = claim.identity()?;
    if TrustedFiles::load(surroundings)?.has(&identity) {
        return Ok(());
    }
    store::change(surroundings, |trusted| trusted.add(identity))
}
