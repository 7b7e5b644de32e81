//! The data directory remembers that it came out of a backup, until somebody has promoted it.
//!
//! The file `restored` is written before the first member, so that half a restore never passes for a broker.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use crate::durable_file;
use crate::high_water::Position;

const NAME: &str = "restored";

/// How far a restore has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Progress {
    Begun,
    Complete,
}

#[derive(Serialize, Deserialize)]
struct Written {
    progress: Progress,
    backup: Manifest,
}

/// What a directory that was restored knows of its backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    path: PathBuf,
    /// The backup.
    pub backup: Manifest,
}

impl Restored {
    /// Reads the marker of a data directory; `None` when it was not restored, or was promoted since. Half a restore is
    /// an error.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        let path = data.join(NAME);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(durable_file::about(&path, error)),
        };
        let invalid = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()));
        match serde_json::from_slice(&bytes) {
            Ok(Written { progress: Progress::Complete, backup }) => Ok(Some(Self { path, backup })),
            Ok(Written { progress: Progress::Begun, .. }) => {
                Err(invalid("a restore was cut off: empty the directory and restore the backup again"))
            }
            Err(_) => Err(invalid("it is damaged: empty the directory and restore the backup again")),
        }
    }

    /// A restore begins.
    pub(super) fn begin(data: &Path, backup: &Manifest) -> io::Result<()> {
        write(data, Progress::Begun, backup)
    }

    /// Every member is where it belongs.
    pub(super) fn complete(data: &Path, backup: &Manifest) -> io::Result<()> {
        write(data, Progress::Complete, backup)
    }

    /// How far a credential had come when the backup was made; `None` for one that it does not know.
    pub fn reached(&self, id: &str) -> Option<Position> {
        self.backup.credentials.iter().find(|reached| reached.id == id).map(super::manifest::Reached::position)
    }

    /// Promoted: from now on this is data like any other.
    pub fn forget(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(durable_file::about(&self.path, error)),
            _ => durable_file::sync_directory_of(&self.path),
        }
    }
}

fn write(data: &Path, progress: Progress, backup: &Manifest) -> io::Result<()> {
    let text = serde_json::to_vec(&Written { progress, backup: backup.clone() }).expect("plain data is always JSON");
    durable_file::replace(&data.join(NAME), &text)
}
