//! A file that holds a password.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use scorpiox_wire::Secret;

use crate::bounded_file::{self, Content, Symlinks};
use crate::talk::Talk;

const LONGEST_FILE: u64 = 4096;
const GROUP_AND_OTHERS: u32 = 0o077;

/// The first line; blanks in it count. The error says what is wrong with the file.
pub fn first_line(path: &Path, talk: &mut Talk) -> Result<Secret, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{} {why}", path.display());
    let content = bounded_file::read(path, LONGEST_FILE, Symlinks::Follow).map_err(|error| wrong(&error))?;
    check_private(path, &content, talk)?;
    let text = std::str::from_utf8(&content.bytes).map_err(|_| wrong(&"is not a text"))?;
    let line = text.lines().next().filter(|line| !line.is_empty()).ok_or_else(|| wrong(&"has no first line"))?;
    Ok(Secret::new(line))
}

/// As OpenSSH does with private keys: a file of ours that others can read is not used. One that is not ours, such as a
/// container's mounted secret, cannot be changed by us: a warning.
pub fn check_private(path: &Path, content: &Content, talk: &mut Talk) -> Result<(), String> {
    if content.metadata.mode() & GROUP_AND_OTHERS == 0 {
        return Ok(());
    }
    let text = format!("{} can be read by other users; chmod 600 {}", path.display(), path.display());
    if content.metadata.uid() == rustix::process::geteuid().as_raw() {
        return Err(text);
    }
    talk.warn(text);
    Ok(())
}
