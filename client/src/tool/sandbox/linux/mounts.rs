//! Namespaces of the command's own, and mounts over what must stay closed in a workspace that is open otherwise.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, unshare};
use rustix::fs::StatVfsMountFlags;
use rustix::mount::{
    MountFlags, MountPropagationFlags, mount, mount_bind, mount_bind_recursive, mount_change, mount_remount,
};
use rustix::process::{getegid, geteuid};
use rustix::thread::{CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities};

use super::Refusal;
use crate::tool::sandbox::grants::SHARED_MEMORY;
use crate::tool::sandbox::policy::{Access, Network, Policy};

/// Moves this process into a user namespace of its own, and what it starts into others. Only while it has one thread.
/// The mounts are not among them: who looks after the processes needs the `/proc` in which their numbers are its own.
pub(super) fn enter(network: Network) -> Result<(), Refusal> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let mut namespaces = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWIPC;
    if network == Network::Refused {
        namespaces |= CloneFlags::CLONE_NEWNET;
    }
    unshare(namespaces)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    hand_on_mounting()
}

/// Who is not root loses all capabilities in the next program, unless they are ambient.
fn hand_on_mounting() -> Result<(), Refusal> {
    let mut sets = capabilities(None)?;
    sets.inheritable |= CapabilitySet::SYS_ADMIN;
    set_capabilities(None, sets)?;
    Ok(configure_capability_in_ambient_set(CapabilitySet::SYS_ADMIN, true)?)
}

/// Closes all but the workspace and the temporary directory, covers what is hidden in it, and shows only the processes
/// of this namespace.
pub(super) fn arrange(policy: &Policy, blank_file: &Path, blank_directory: &Path) -> Result<(), Refusal> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let open: &[&Path] = match policy.access {
        Access::Read => &[&policy.temporary],
        Access::Write => &[&policy.temporary, &policy.workspace],
    };
    close_all_but(open)?;
    for parent in parents_of_what_is_kept(policy) {
        mount_bind_recursive(parent, parent)?;
    }
    for path in policy.read_only_inside().filter(|path| path.exists()) {
        mount_bind_recursive(path, path)?;
        close(path)?;
    }
    for path in policy.hidden_inside() {
        let Ok(metadata) = fs::symlink_metadata(path) else { continue };
        mount_bind(if metadata.is_dir() { blank_directory } else { blank_file }, path)?;
        close(path)?;
        if fs::symlink_metadata(path)?.mode() & 0o777 != 0 {
            return Err(format!("{} is not covered", path.display()).into());
        }
    }
    let hardened = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", hardened, None)?;
    // Where there is none, nobody expects one.
    if Path::new(SHARED_MEMORY).is_dir() {
        mount("tmpfs", SHARED_MEMORY, "tmpfs", hardened, c"size=256m,mode=1777")?;
    }
    Ok(())
}

/// The directories between the workspace and what is kept in it, the outer ones first. A mount point cannot be renamed;
/// without one of their own they could be, and what is kept with them.
fn parents_of_what_is_kept(policy: &Policy) -> BTreeSet<&Path> {
    let kept = policy.read_only_inside().chain(policy.hidden_inside()).filter(|path| path.symlink_metadata().is_ok());
    let parents = kept.flat_map(|path| path.ancestors().skip(1).take_while(|parent| *parent != policy.workspace));
    let moves = |parent: &&Path| !policy.read_only.iter().chain(&policy.hidden).any(|kept| parent.starts_with(kept));
    parents.filter(moves).collect()
}

/// Landlock does not see who changes modes, owners and times. A mount that can only be read does.
fn close_all_but(open: &[&Path]) -> Result<(), Refusal> {
    let table = fs::read("/proc/self/mountinfo")?;
    for path in open {
        mount_bind_recursive(*path, *path)?;
    }
    let closed = mount_points(&table).into_iter().filter(|point| !open.iter().any(|open| point.starts_with(open)));
    for point in closed {
        // One that lies below another, or that the kernel keeps as it is; Landlock holds there too.
        let _ = close(&point);
    }
    Ok(())
}

/// The fifth column of a `mountinfo` file, in which blanks are written as `\040`.
fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    let lines = table.split(|byte| *byte == b'\n');
    let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points.map(|point| PathBuf::from(OsString::from_vec(unescaped(point)))).collect()
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let escape = after.get(..3).filter(|_| first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                result.push(byte);
                rest = &after[3..];
            }
            None => {
                result.push(first);
                rest = after;
            }
        }
    }
    result
}

/// Makes a mount one that can only be read. What else holds for it has to be said again, or the kernel refuses.
fn close(path: &Path) -> Result<(), Refusal> {
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    let holds = rustix::fs::statvfs(path)?.f_flag;
    let same = [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::NODIRATIME, MountFlags::NODIRATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ];
    for (held, flag) in same {
        flags.set(flag, holds.contains(held));
    }
    Ok(mount_remount(path, flags, c"")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_blanks() {
        let table = b"21 1 0:1 / / rw - ext4 x rw\n22 21 0:2 /a /mnt/a\\040b\\134c rw - tmpfs x rw\n\n";
        assert_eq!(mount_points(table), [PathBuf::from("/"), PathBuf::from("/mnt/a b\\c")]);
        assert_eq!(unescaped(b"\\04"), b"\\04");
    }
}
