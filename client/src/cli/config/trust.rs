//! `scorpiox-config trust`: lets a project's files say where secrets go and what is run, after a look at them.

use std::path::{Path, PathBuf};

use super::typed::Consent;
use crate::cli::outcome;
use crate::failure::{Class, Failure, visible_in_full};
use crate::settings::Surroundings;
use crate::settings::places::Places;
use crate::settings::settings_file::{FILE_NAME, Owner, PROFILES, Place, UnknownKeys};
use crate::settings::tier::Tier;
use crate::settings::trust::store::{self, TrustedFiles};
use crate::settings::trust::{self, ask};
use crate::settings::written::Written;
use crate::talk::Talk;

pub(super) fn trust(path: &Path, consent: Consent, surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let path = surroundings.directory.join(path);
    let written = read(&places(&path, surroundings)?)?;
    let claims = trust::claims(&written);
    if claims.is_empty() {
        let nothing = format!("nothing in {} needs trust", path.display());
        return outcome::answer(&format!("{}\n", visible_in_full(&nothing))).map(|()| 0);
    }
    let trusted = TrustedFiles::load(surroundings)?;
    let mut answer = String::new();
    for claim in claims {
        // What is shown is what is trusted, whatever becomes of the file meanwhile.
        let identity = claim.identity()?;
        let shown_path = visible_in_full(&claim.file.path.display().to_string());
        if trusted.has(&identity) {
            answer.push_str(&format!("{shown_path} is trusted already\n"));
            continue;
        }
        let was_trusted = trusted.knows(&identity.path);
        let agreed = match consent {
            Consent::Given => true,
            Consent::Ask if ask::is_possible() => ask::on_terminal(&claim, was_trusted)?,
            Consent::Ask => {
                outcome::answer(&format!("{}\n", ask::description(&claim, was_trusted)))?;
                let failure = Failure::new(Class::Usage, "there is no terminal to ask on");
                return Err(failure.with_hint("read those lines, then add --yes"));
            }
        };
        if !agreed {
            return Err(Failure::configuration(format!("{} stays untrusted", claim.file.path.display())));
        }
        store::change(surroundings, |trusted| trusted.add(identity))?;
        answer.push_str(&format!("{shown_path} is trusted until these settings of it change\n"));
    }
    outcome::answer(&answer).map(|()| 0)
}

pub(super) fn list(surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let trusted = TrustedFiles::load(surroundings)?;
    let lines: String =
        trusted.paths().map(|path| format!("{}\n", visible_in_full(&path.display().to_string()))).collect();
    outcome::answer(&lines).map(|()| 0)
}

pub(super) fn forget(path: &Path, surroundings: &Surroundings<'_>) -> Result<u8, Failure> {
    let path = surroundings.directory.join(path);
    // What is gone is forgotten by the name that it had.
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let by_folder = folder.zip(path.file_name()).map(|(folder, name)| folder.join(name));
    let names: Vec<PathBuf> = [Some(path.clone()), path.canonicalize().ok(), by_folder].into_iter().flatten().collect();
    let forgotten =
        store::change(surroundings, |trusted| Ok(names.iter().map(|name| trusted.forget(name)).sum::<usize>()))?;
    outcome::answer(&format!("{forgotten} files are trusted no longer\n")).map(|()| 0)
}

/// The files that are meant: one, or all of the project to which a directory belongs, profiles too.
fn places(path: &Path, surroundings: &Surroundings<'_>) -> Result<Vec<Place>, Failure> {
    if path.is_dir() {
        let directory = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let places = Places::around(&Surroundings { directory, program_directory: None, ..*surroundings });
        let all = places.all().iter().cloned().chain(places.profiles());
        return Ok(all.filter(|place| place.owner == Owner::Project).collect());
    }
    let in_folder = |name: &str| path.parent().and_then(Path::file_name).is_some_and(|folder| folder == name);
    let is_profile = in_folder(PROFILES) && path.extension().is_some_and(|extension| extension == "txt");
    if path.file_name().is_some_and(|name| name == FILE_NAME) || is_profile {
        let tier = if is_profile { Tier::Profile } else { Tier::Project };
        let path = path.to_owned();
        return Ok(vec![Place { path, tier, owner: Owner::Project, unknown_keys: UnknownKeys::Mention }]);
    }
    let failure = Failure::new(Class::Usage, format!("{} is no settings file and no directory", path.display()));
    Err(failure.with_hint(format!("it is called {FILE_NAME}, or {PROFILES}/NAME.txt")))
}

fn read(places: &[Place]) -> Result<Written, Failure> {
    let mut files = Vec::new();
    for place in places {
        files.extend(place.read()?);
    }
    Written::put_together(&files, &|_| None, &mut Talk::default())
}
