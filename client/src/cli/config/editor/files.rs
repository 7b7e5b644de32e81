//! The editor's way to the settings files: reading all of them, saving changes, trusting a project's.

use std::path::PathBuf;

use super::field::Change;
use super::ground::{EditedFile, Ground, Untrusted, fields, rank_of_file};
use crate::failure::Failure;
use crate::settings::Surroundings;
use crate::settings::edit::{self, Edit};
use crate::settings::key::Key;
use crate::settings::places::{Level, Places};
use crate::settings::save;
use crate::settings::settings_file::{Place, SettingsFile};
use crate::settings::trust::store::{self, TrustedFiles};
use crate::settings::trust::{self, ask};
use crate::settings::written::Written;
use crate::talk::Talk;

/// Reads everything as it stands.
pub(super) fn load(surroundings: &Surroundings<'_>) -> Result<Ground, Failure> {
    let mut talk = Talk::default();
    let written = Written::gather(surroundings, &mut talk)?;
    let places = Places::around(surroundings);
    let order: Vec<PathBuf> = places.all().iter().map(|place| place.path.clone()).collect();
    let files = edited_files(&places, &order);
    if files.is_empty() {
        let failure = Failure::configuration("there is no place for settings here: HOME is not set");
        return Err(failure.with_hint("set HOME or XDG_CONFIG_HOME"));
    }
    Ok(Ground {
        fields: fields(&written, &order),
        files,
        untrusted: untrusted(&written, surroundings)?,
        remarks: talk.lines(false).map(str::to_owned).collect(),
    })
}

/// Makes the changes in the file of this level. Says what a person should know.
pub(super) fn save(
    level: Level,
    changes: &[(Key, Change)],
    surroundings: &Surroundings<'_>,
) -> Result<(Box<Ground>, String), Failure> {
    let places = Places::around(surroundings);
    let place = places.to_change(level)?;
    let mut talk = Talk::default();
    let path = save::save(place, &edits(changes), surroundings, &mut talk)?;
    let saved = format!("saved in {}", path.display());
    let remark = talk.lines(false).next().map(str::to_owned);
    Ok((Box::new(load(surroundings)?), remark.map_or(saved.clone(), |remark| format!("{saved}; {remark}"))))
}

/// Trusts the file that the ground shows as untrusted: the first that waits.
pub(super) fn trust(surroundings: &Surroundings<'_>) -> Result<(Box<Ground>, String), Failure> {
    let written = Written::gather(surroundings, &mut Talk::default())?;
    let trusted = TrustedFiles::load(surroundings)?;
    if let Some(claim) = trust::pending(&written, &trusted)?.first() {
        store::change(surroundings, |trusted| trusted.add(claim.identity()?))?;
    }
    Ok((Box::new(load(surroundings)?), "trusted until it changes".to_owned()))
}

/// The settings as they would be after saving these changes. What the user has typed here needs no trust; what else a
/// project's file says does.
pub(super) fn as_if_saved(
    level: Level,
    changes: &[(Key, Change)],
    surroundings: &Surroundings<'_>,
) -> Result<Written, Failure> {
    let places = Places::around(surroundings);
    let place = places.to_change(level)?;
    if let Some(untrusted) = untrusted(&Written::gather(surroundings, &mut Talk::default())?, surroundings)? {
        let failure = Failure::configuration(format!("{} is not trusted", untrusted.path.display()));
        return Err(failure.with_hint("press T to look at it"));
    }
    let amend = |found: &Place, file: Option<SettingsFile>| {
        if found != place {
            return Ok(file);
        }
        let before = file.unwrap_or_else(|| SettingsFile::empty(place.clone()));
        let amended = edit::apply(&before.bytes, &edits(changes));
        let bytes = amended.map_err(|error| Failure::configuration(format!("{}, {error}", place.path.display())))?;
        Ok(Some(SettingsFile { bytes, ..before }))
    };
    Written::gather_amended(surroundings, &mut Talk::default(), &amend)
}

fn edits(changes: &[(Key, Change)]) -> Vec<Edit<'_>> {
    let edits = changes.iter().map(|(key, change)| match change {
        Change::Set(text) => Edit::Set(*key, text.as_str()),
        Change::Unset => Edit::Unset(*key),
    });
    edits.collect()
}

fn untrusted(written: &Written, surroundings: &Surroundings<'_>) -> Result<Option<Untrusted>, Failure> {
    let pending = trust::pending(written, &TrustedFiles::load(surroundings)?)?;
    let shown = |claim: &trust::Claim<'_>| Untrusted {
        path: claim.file.path.clone(),
        assignments: claim.values.iter().map(|value| format!("{}={}", value.key.as_str(), ask::shown(value))).collect(),
    };
    Ok(pending.first().map(shown))
}

fn edited_files(places: &Places, order: &[PathBuf]) -> Vec<EditedFile> {
    let edited = |level| {
        let path = places.to_change(level).ok()?.path.clone();
        Some(EditedFile { level, rank: rank_of_file(&path, order), path })
    };
    [Level::User, Level::Project].into_iter().filter_map(edited).collect()
}
