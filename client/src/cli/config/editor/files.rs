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
use crate::settings::written::{Written, WrittenValue};
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
        home: surroundings.absolute_path("HOME"),
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
    // What could not be read back is not written: most often a profile that does not exist.
    amended(level, changes, surroundings)?;
    let mut talk = Talk::default();
    let path = save::save(place, &edits(changes), surroundings, &mut talk)?;
    let ground = Box::new(load(surroundings)?);
    let saved = format!("saved in {}", ground.shown_path(&path));
    let remark = talk.lines(false).next().map(str::to_owned);
    Ok((ground, remark.map_or(saved.clone(), |remark| format!("{saved}; {remark}"))))
}

/// Trusts the file that was shown, as it was shown: the first that waits.
pub(super) fn trust(
    shown: Option<&Untrusted>,
    surroundings: &Surroundings<'_>,
) -> Result<(Box<Ground>, String), Failure> {
    let written = Written::gather(surroundings, &mut Talk::default())?;
    let trusted = TrustedFiles::load(surroundings)?;
    let done = match trust::pending(&written, &trusted)?.first() {
        Some(claim) if shown == Some(&as_shown(claim)) => {
            store::change(surroundings, |trusted| trusted.add(claim.identity()?))?;
            "trusted until it changes"
        }
        Some(_) => "the file has changed meanwhile: look at it again",
        None => "there is nothing to trust any more",
    };
    Ok((Box::new(load(surroundings)?), done.to_owned()))
}

/// The settings as they would be after saving these changes. What the user has typed here needs no trust; what else a
/// project's file says does.
pub(super) fn as_if_saved(
    level: Level,
    changes: &[(Key, Change)],
    surroundings: &Surroundings<'_>,
) -> Result<Written, Failure> {
    let amended = amended(level, changes, surroundings)?;
    refuse_untrusted(&amended, Places::around(surroundings).to_change(level)?, surroundings)?;
    Ok(amended)
}

fn amended(level: Level, changes: &[(Key, Change)], surroundings: &Surroundings<'_>) -> Result<Written, Failure> {
    let places = Places::around(surroundings);
    let place = places.to_change(level)?;
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

/// A change can also uncover what a project's file says: so what would hold is judged, not what holds.
fn refuse_untrusted(amended: &Written, place: &Place, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
    let before = place.read()?.unwrap_or_else(|| SettingsFile::empty(place.clone()));
    let is_the_users = save::leads_only_where_its_user_wants(&before, surroundings)?;
    let trusted = TrustedFiles::load(surroundings)?;
    for claim in trust::pending(amended, &trusted)? {
        if claim.file != place || !is_the_users {
            let failure = Failure::configuration(format!("{} is not trusted", claim.file.path.display()));
            return Err(failure.with_hint("press T to look at it"));
        }
    }
    Ok(())
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
    Ok(pending.first().map(as_shown))
}

fn as_shown(claim: &trust::Claim<'_>) -> Untrusted {
    let line = |value: &&WrittenValue| format!("{}={}", value.key.as_str(), ask::shown(value));
    Untrusted { path: claim.file.path.clone(), assignments: claim.values.iter().map(line).collect() }
}

fn edited_files(places: &Places, order: &[PathBuf]) -> Vec<EditedFile> {
    let edited = |level| {
        let path = places.to_change(level).ok()?.path.clone();
        Some(EditedFile { level, rank: rank_of_file(&path, order), path })
    };
    [Level::User, Level::Project].into_iter().filter_map(edited).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;

    use zeroize::Zeroizing;

    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_change_that_uncovers_a_strangers_address_is_not_tried() {
        let dir = tempfile::tempdir().unwrap();
        let (user, project) = (dir.path().join("scorpiox/scorpiox-env.txt"), dir.path().join("p/scorpiox-env.txt"));
        write(&user, "ACTIVE_PROFILE=mine\n");
        write(&dir.path().join("scorpiox/scorpiox-env/mine.txt"), "CODEX_REMOTE_URL=https://mine.example/codex\n");
        write(&project, "CODEX_REMOTE_URL=https://evil.example/codex\n");
        let lookup = |name: &str| (name == "XDG_CONFIG_HOME").then(|| OsString::from(dir.path()));
        let directory = project.parent().unwrap().to_owned();
        let surroundings = Surroundings { environment: &lookup, directory, program_directory: None };
        let text = |text: &str| Change::Set(Zeroizing::new(text.to_owned()));
        let tried = |level, changes: &[(Key, Change)]| as_if_saved(level, changes, &surroundings);
        assert!(tried(Level::User, &[(Key::Model, text("x"))]).is_ok(), "the profile's address holds");
        let uncovered = tried(Level::User, &[(Key::ActiveProfile, Change::Unset)]).unwrap_err();
        assert!(uncovered.to_string().contains("p/scorpiox-env.txt is not trusted"), "{uncovered}");
        write(&project, "MODEL=x\n");
        let typed = [(Key::SshHost, text("typed-here"))];
        assert!(tried(Level::Project, &typed).is_ok(), "the user's own word");
    }

    #[test]
    fn what_was_not_shown_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("p/scorpiox-env.txt");
        write(&project, "CODEX_SSH_HOST=one\n");
        let lookup = |name: &str| (name == "XDG_CONFIG_HOME").then(|| OsString::from(dir.path()));
        let directory = project.parent().unwrap().to_owned();
        let surroundings = Surroundings { environment: &lookup, directory, program_directory: None };
        let shown = load(&surroundings).unwrap().untrusted;
        write(&project, "CODEX_SSH_HOST=another\n");
        let (ground, says) = trust(shown.as_ref(), &surroundings).unwrap();
        assert!(ground.untrusted.is_some() && says.contains("changed meanwhile"), "{says}");
        let (ground, _) = trust(ground.untrusted.as_ref(), &surroundings).unwrap();
        assert!(ground.untrusted.is_none());
    }
}
