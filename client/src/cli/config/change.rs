//! `--set` and `--unset`.

use zeroize::Zeroizing;

use super::secret_input;
use super::typed::Given;
use crate::cli::outcome;
use crate::failure::{Class, Failure, visible_in_full};
use crate::settings::catalog::{self, Entry};
use crate::settings::edit::Edit;
use crate::settings::key::Key;
use crate::settings::places::{Level, Places};
use crate::settings::save;
use crate::settings::written::Written;
use crate::settings::{Surroundings, settings_file};
use crate::talk::Talk;

pub(super) fn set(
    key: Key,
    given: &Given,
    level: Level,
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) -> Result<u8, Failure> {
    let value = match given {
        Given::StandardInput => secret_input::read(key)?,
        Given::Typed(_) if Entry::of(key).is_secret() => {
            let refused = format!("{} is a secret: every process can read a command line", key.as_str());
            let hint = format!("scorpiox-config --set {} - reads it from standard input", key.as_str());
            return Err(Failure::new(Class::Usage, refused).with_hint(hint));
        }
        Given::Typed(text) => Zeroizing::new(text.trim().to_owned()),
    };
    catalog::check(key, &value).map_err(|why| Failure::new(Class::Usage, format!("{}: {why}", key.as_str())))?;
    change(key, &Edit::Set(key, &value), level, surroundings, talk)
}

pub(super) fn unset(key: Key, level: Level, surroundings: &Surroundings<'_>, talk: &mut Talk) -> Result<u8, Failure> {
    change(key, &Edit::Unset(key), level, surroundings, talk)
}

fn change(
    key: Key,
    edit: &Edit<'_>,
    level: Level,
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) -> Result<u8, Failure> {
    let places = Places::around(surroundings);
    let place = places.to_change(level)?;
    let path = save::save(place, std::slice::from_ref(edit), surroundings, talk)?;
    say_what_holds_instead(key, edit, place, surroundings, talk);
    let done = match edit {
        Edit::Set(..) => "is written in",
        Edit::Unset(_) => "does not stand in",
    };
    outcome::answer(&format!("{} {done} {}\n", key.as_str(), visible_in_full(&path.display().to_string())))?;
    Ok(0)
}

/// A change that has no effect would be looked for in the wrong place.
fn say_what_holds_instead(
    key: Key,
    edit: &Edit<'_>,
    place: &settings_file::Place,
    surroundings: &Surroundings<'_>,
    talk: &mut Talk,
) {
    // What is wrong with another file is for --check; here it would hide that the change was made.
    let Ok(written) = Written::gather(surroundings, &mut Talk::default()) else {
        talk.warn("other settings cannot be read: see scorpiox-config --check");
        return;
    };
    let Some(winner) = written.get(key) else { return };
    let is_here = written.file_of(winner).is_some_and(|file| file.path == place.path);
    match edit {
        Edit::Set(..) if !is_here => {
            talk.warn(format!("it has no effect here: {} sets it too, and wins", winner.origin))
        }
        Edit::Unset(_) => talk.warn(format!("it is still set: {}", winner.origin)),
        Edit::Set(..) => {}
    }
}
