//! Which profile is switched on: `ACTIVE_PROFILE=work` adds `scorpiox-env/work.txt`.

use super::places::Places;
use super::settings_file::{Owner, SettingsFile};
use super::written::WrittenValue;
use crate::failure::Failure;

/// The name that means none, whatever a lower tier says.
pub const OFF: &str = "off";
/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// Why a text is no profile's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a profile's name has 1 to 64 letters, digits, dots, - or _, and no two dots in a row")]
pub struct MalformedName;

/// A name that leads into no other folder.
pub fn check_name(name: &str) -> Result<(), MalformedName> {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.bytes().all(in_name) && !name.contains("..");
    if is_name { Ok(()) } else { Err(MalformedName) }
}

/// Reads the profile that is switched on, lowest precedence first: the one in the highest folder that has it shadows
/// the others whole. Only a project's does not shadow the user's own, else an empty file of a stranger would take away
/// an account or a pin and nobody would be asked.
pub fn read(active: &WrittenValue, places: &Places) -> Result<Vec<SettingsFile>, Failure> {
    check_name(&active.text).map_err(|error| active.wrong(error))?;
    let mut files: Vec<SettingsFile> = Vec::new();
    for place in places.of_profile(&active.text) {
        let is_project = place.owner == Owner::Project;
        if is_project && !files.is_empty() {
            continue;
        }
        if let Some(file) = place.read()? {
            files.insert(0, file);
            if !is_project {
                break;
            }
        }
    }
    if !files.is_empty() {
        return Ok(files);
    }
    // Going on without it could mean another account than the one that was meant.
    let missing = active.wrong(format!("no settings folder has scorpiox-env/{}.txt", active.text.as_str()));
    Err(missing.with_hint("scorpiox-config --dump --files names the folders"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for name in ["work", "a.b-c_d", "0", &"x".repeat(64)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "..", "../x", "a/b", "a\\b", "a..b", "a b", "é", "/etc/x", &"x".repeat(65)] {
            assert_eq!(check_name(name), Err(MalformedName), "{name}");
        }
    }
}
