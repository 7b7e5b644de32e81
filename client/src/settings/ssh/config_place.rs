//! Where `ssh_config` files are, and reading them: the user's, then the machine's.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::config_file::{self, HostOptions, Included};
use super::pattern;
use crate::bounded_file::{self, Symlinks, Unread};
use crate::failure::Failure;

const LONGEST_FILE: u64 = 256 * 1024;
const SYSTEM_DIRECTORY: &str = "/etc/ssh";
const OTHERS_MAY_WRITE: u32 = 0o002;

/// What the files say about a host. `home` is the user's home directory.
pub fn read(host: &str, home: Option<&Path>) -> Result<HostOptions, Failure> {
    let mut options = HostOptions::default();
    let user = home.map(|home| (home.join(".ssh"), "config"));
    for (directory, name) in user.into_iter().chain([(PathBuf::from(SYSTEM_DIRECTORY), "ssh_config")]) {
        let mut included = Directory { directory: &directory, home };
        if let Some(text) = text_of(&directory.join(name))? {
            config_file::apply(&text, host, &mut options, &mut included);
        }
    }
    Ok(options)
}

struct Directory<'a> {
    /// Where a relative name starts.
    directory: &'a Path,
    home: Option<&'a Path>,
}

impl Included for Directory<'_> {
    /// Wildcards count in the last part of the path only. A file that cannot be used is as good as none, as in OpenSSH.
    fn texts(&mut self, argument: &str) -> Vec<String> {
        let path = match (argument.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.directory.join(argument),
        };
        let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
            return Vec::new();
        };
        let names = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut names: Vec<_> = names.filter(|found| found.to_str().is_some_and(|f| pattern::fits(name, f))).collect();
        names.sort();
        names.iter().filter_map(|name| text_of(&directory.join(name)).ok().flatten()).collect()
    }
}

/// `None` when there is no such file. One that every user may write decides nothing.
fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::configuration(format!("{} {error}", path.display()));
    let content = match bounded_file::read(path, LONGEST_FILE, Symlinks::Follow) {
        Err(Unread::Missing) => return Ok(None),
        read => read.map_err(|error| broken(&error))?,
    };
    let (me, owner) = (rustix::process::geteuid().as_raw(), content.metadata.uid());
    if (owner != me && owner != 0) || content.metadata.mode() & OTHERS_MAY_WRITE != 0 {
        let failure = broken(&"can be changed by other users");
        return Err(failure.with_hint(format!("make it yours and chmod 600 {}", path.display())));
    }
    Ok(Some(String::from_utf8_lossy(&content.bytes).into_owned()))
}
