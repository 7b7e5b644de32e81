//! Reading a settings file: where it lies decides whose word it is, its owner and mode whether it is read at all.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::tier::Tier;
use crate::bounded_file::{self, Symlinks, Unread};
use crate::durable_file::PRIVATE;
use crate::failure::Failure;

/// The name of a settings file in its folder.
pub const FILE_NAME: &str = "scorpiox-env.txt";
/// The folder of profiles, beside a settings file.
pub const PROFILES: &str = "scorpiox-env";
/// The longest settings file, in bytes.
const LONGEST_FILE: u64 = 64 * 1024;
const OTHERS_MAY_WRITE: u32 = 0o002;

/// Whose file it is. A profile's tier says that it is switched on; this says whom to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Whoever installed the program.
    Installer,
    /// The user.
    User,
    /// Whoever made the project: its user decides whether to trust it.
    Project,
}

/// What the product whose conventions we keep also reads may hold settings that only it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownKeys {
    /// Most likely misspelt.
    Warn,
    /// Most likely another program's.
    Mention,
}

/// A place where a settings file may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file; it need not exist.
    pub path: PathBuf,
    /// Its step in the cascade.
    pub tier: Tier,
    /// Whose it is.
    pub owner: Owner,
    /// What an unknown setting in it means.
    pub unknown_keys: UnknownKeys,
}

impl Place {
    /// The folder that the file lies in: its profiles lie beside it.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The place of a profile in this file's folder.
    pub fn profile(&self, name: &str) -> Self {
        let path = self.folder().join(PROFILES).join(format!("{name}.txt"));
        Self { path, tier: Tier::Profile, ..self.clone() }
    }

    /// Reads the file; `None` when there is none.
    pub fn read(&self) -> Result<Option<SettingsFile>, Failure> {
        let path = &self.path;
        let content = match bounded_file::read(path, LONGEST_FILE, Symlinks::Follow) {
            Err(Unread::Missing) => return Ok(None),
            read => read.map_err(|error| Failure::configuration(format!("{} {error}", path.display())))?,
        };
        let (me, owner) = (rustix::process::geteuid().as_raw(), content.metadata.uid());
        if me != 0 && owner != me && owner != 0 {
            let failure = Failure::configuration(format!("{} belongs to another user", path.display()));
            return Err(failure.with_hint("it is not used; remove it or make it yours"));
        }
        if content.metadata.mode() & OTHERS_MAY_WRITE != 0 {
            let failure = Failure::configuration(format!("{} can be changed by every user", path.display()));
            return Err(failure.with_hint(format!("chmod o-w {}", path.display())));
        }
        let mode = content.metadata.mode() & 0o7777;
        Ok(Some(SettingsFile { place: self.clone(), bytes: content.bytes, mode, owner_id: owner }))
    }
}

/// A settings file as it was found.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    /// Where it is.
    pub place: Place,
    /// Its bytes; they may hold a secret.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Its permissions.
    pub mode: u32,
    /// User id of its owner.
    pub owner_id: u32,
}

impl SettingsFile {
    /// A file that does not exist yet: it would be ours, and private.
    pub fn empty(place: Place) -> Self {
        let owner_id = rustix::process::geteuid().as_raw();
        Self { place, bytes: Zeroizing::default(), mode: PRIVATE, owner_id }
    }
}

#[cfg(test)]
impl SettingsFile {
    /// A file of this tier with this text, which nobody has to read from a disk.
    pub(crate) fn with_text(path: &str, tier: Tier, text: &str) -> Self {
        let owner = match tier {
            Tier::Project => Owner::Project,
            Tier::Global => Owner::Installer,
            Tier::Default | Tier::User | Tier::Profile | Tier::Environment => Owner::User,
        };
        let place = Place { path: path.into(), tier, owner, unknown_keys: UnknownKeys::Warn };
        Self { place, bytes: text.as_bytes().to_vec().into(), mode: 0o600, owner_id: 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_that_everybody_may_change_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        let place = Place { path, ..SettingsFile::with_text("", Tier::User, "").place };
        assert!(place.read().unwrap().is_none());
        fs::write(&place.path, "MODEL=x").unwrap();
        assert_eq!(place.read().unwrap().unwrap().bytes.as_slice(), b"MODEL=x");
        fs::set_permissions(&place.path, fs::Permissions::from_mode(0o666)).unwrap();
        let failure = place.read().unwrap_err();
        assert_eq!(failure.class.exit_code(), 78);
        assert!(failure.to_string().contains("chmod o-w"));
    }
}
