//! What was trusted: `trusted.json` in the user's settings folder, 0600.
//!
//! ```json
//! {"files":[{"path":"/home/anna/code/scorpiox-env.txt","digest":"6a09…"}]}
//! ```

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Identity;
use crate::bounded_file::{self, Symlinks, Unread};
use crate::durable_file::{self, PRIVATE};
use crate::failure::Failure;
use crate::settings::directory_lock::DirectoryLock;
use crate::settings::{Surroundings, user_directory};

const FILE_NAME: &str = "trusted.json";
/// The longest list, in bytes.
const LONGEST_FILE: u64 = 1024 * 1024;
const OTHERS_MAY_WRITE: u32 = 0o022;

/// The files that the user trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedFiles {
    files: Vec<Trusted>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trusted {
    path: String,
    digest: String,
}

impl TrustedFiles {
    /// Reads the list; where there is none, nothing is trusted.
    pub fn load(surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        user_directory(surroundings).map_or_else(|| Ok(Self::default()), |directory| Self::read(&directory))
    }

    fn read(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE_NAME);
        let wrong = |why: String| Failure::configuration(format!("{} {why}", path.display()));
        let content = match bounded_file::read(&path, LONGEST_FILE, Symlinks::Refuse) {
            Err(Unread::Missing) => return Ok(Self::default()),
            read => read.map_err(|error| wrong(error.to_string()))?,
        };
        let (me, owner) = (rustix::process::geteuid().as_raw(), content.metadata.uid());
        if owner != me || content.metadata.mode() & OTHERS_MAY_WRITE != 0 {
            return Err(wrong("could have been written by another user".into()).with_hint("remove it and trust again"));
        }
        serde_json::from_slice(&content.bytes)
            .map_err(|_| wrong("cannot be read".into()).with_hint("remove it and trust again"))
    }

    /// Whether the file was trusted as it is now.
    pub fn has(&self, identity: &Identity) -> bool {
        let is_it = |file: &Trusted| Path::new(&file.path) == identity.path && file.digest == identity.digest;
        self.files.iter().any(is_it)
    }

    /// Whether the file was ever trusted.
    pub fn knows(&self, path: &Path) -> bool {
        self.files.iter().any(|file| Path::new(&file.path) == path)
    }

    /// Paths of all that is trusted.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| Path::new(&file.path))
    }

    /// Trusts a file as it is now, and no longer as it was.
    pub fn add(&mut self, identity: Identity) -> Result<(), Failure> {
        let Some(path) = identity.path.to_str() else {
            return Err(Failure::configuration(format!("{}: not UTF-8", identity.path.display())));
        };
        self.forget(&identity.path);
        self.files.push(Trusted { path: path.to_owned(), digest: identity.digest });
        Ok(())
    }

    /// Trusts a file, or everything below a directory, no longer; says how many there were.
    pub fn forget(&mut self, path: &Path) -> usize {
        let before = self.files.len();
        self.files.retain(|file| !Path::new(&file.path).starts_with(path));
        before - self.files.len()
    }
}

/// Changes the list as a whole, one process at a time.
pub fn change<T>(
    surroundings: &Surroundings<'_>,
    change: impl FnOnce(&mut TrustedFiles) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let nowhere = || Failure::configuration("there is no place to remember this: HOME is not set");
    let directory = user_directory(surroundings).ok_or_else(nowhere)?;
    let broken = |error| Failure::configuration(format!("{}: {error}", directory.display()));
    prepare(&directory).map_err(broken)?;
    let _lock = DirectoryLock::acquire(&directory)?;
    let mut trusted = TrustedFiles::read(&directory)?;
    let result = change(&mut trusted)?;
    let mut bytes = serde_json::to_vec_pretty(&trusted).map_err(|error| broken(error.into()))?;
    bytes.push(b'\n');
    durable_file::replace(&directory.join(FILE_NAME), &bytes, PRIVATE).map_err(broken)?;
    Ok(result)
}

/// Makes the user's settings folder, 0700, where it is missing.
pub fn prepare(directory: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}
