//! Landlock: which files a command may open, and no way to processes and sockets outside.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};
use rustix::fs::{Mode, OFlags};

use super::Refusal;
use crate::tool::sandbox::grants::{Grant, Listing, Right};
use crate::tool::sandbox::policy::Network;

/// Linux 5.19: the first that lets files move between directories, so the least that is of use.
const NEEDED: ABI = ABI::V2;
/// Linux 6.12: used as far as the kernel has it.
const KNOWN: ABI = ABI::V6;

/// The directories of this machine.
pub(super) struct Disk;

impl Listing for Disk {
    fn names(&self, directory: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let real = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_symlink() && !kind.is_socket()));
        real.map(|entry| entry.file_name()).collect()
    }
}

/// Holds this process and all that it starts to the allow-list, for good.
pub(super) fn restrict(grants: &[Grant], network: Network) -> Result<(), Refusal> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(NEEDED))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?;
    if network == Network::Refused {
        rules = rules.handle_access(AccessNet::from_all(KNOWN))?;
    }
    let mut rules = rules.create()?;
    for grant in grants {
        // What is gone, or may not even be looked at by this user, needs no line.
        let Ok(path) = open(&grant.path) else { continue };
        let is_directory = path.metadata()?.is_dir();
        let access = rights(grant.right) & if is_directory { BitFlags::all() } else { AccessFs::from_file(KNOWN) };
        if !access.is_empty() {
            rules = rules.add_rule(PathBeneath::new(path, access))?;
        }
    }
    rules.restrict_self()?;
    Ok(())
}

/// The file itself, should it have become a link since the list was made.
fn open(path: &Path) -> rustix::io::Result<File> {
    rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()).map(File::from)
}

fn rights(right: Right) -> BitFlags<AccessFs> {
    match right {
        Right::List => AccessFs::ReadDir.into(),
        Right::Read => AccessFs::from_read(KNOWN),
        Right::Write => AccessFs::from_all(KNOWN) & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev),
        Right::Device => AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev,
    }
}
