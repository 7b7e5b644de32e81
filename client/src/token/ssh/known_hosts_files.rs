//! Reading the files of known host keys.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::known_hosts::KnownHostsFile;
use crate::bounded_file::{self, Symlinks, Unread};
use crate::failure::Failure;

const LONGEST_FILE: u64 = 8 * 1024 * 1024;
const OTHERS_MAY_WRITE: u32 = 0o002;

/// Those that are there. One that every user may write would let every user say which host is the right one.
pub fn read(paths: &[PathBuf]) -> Result<Vec<KnownHostsFile>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let broken = |error: Unread| Failure::configuration(format!("{} {error}", path.display()));
        let content = match bounded_file::read(path, LONGEST_FILE, Symlinks::Follow) {
            Err(Unread::Missing) => continue,
            read => read.map_err(broken)?,
        };
        if content.metadata.mode() & OTHERS_MAY_WRITE != 0 {
            let failure = Failure::configuration(format!("{} can be changed by every user", path.display()));
            return Err(failure.with_hint(format!("chmod o-w {}", path.display())));
        }
        let text = String::from_utf8_lossy(&content.bytes).into_owned();
        files.push(KnownHostsFile { path: path.clone(), text });
    }
    Ok(files)
}
