//! The allow-list of a policy. Landlock can only permit, and what it permits on a directory holds for all below it; so
//! around what must stay closed each neighbour is permitted by itself. Pure.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::order::Isolation;
use super::policy::{Access, Policy};

/// The devices that every program may expect.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
/// Where programs share memory: with namespaces a place of the command's own, without them closed.
pub const SHARED_MEMORY: &str = "/dev/shm";
/// Permitted by the list above only: among the others are the terminals of the user.
const ALL_DEVICES: &str = "/dev";

/// What is permitted on a file, or on a directory and all below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The names in directories.
    List,
    /// Contents and execution.
    Read,
    /// Everything that files and directories are for.
    Write,
    /// Contents and control of a device.
    Device,
}

/// A line of the allow-list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The file or directory. No symbolic link: what one leads to has its own line, or none.
    pub path: PathBuf,
    /// What is permitted.
    pub right: Right,
}

/// What is in a directory.
pub trait Listing {
    /// The names in a directory that are no symbolic links; none when it cannot be read.
    fn names(&self, directory: &Path) -> Vec<OsString>;
}

/// The allow-list of this policy.
pub fn of(policy: &Policy, isolation: Isolation, listing: &impl Listing) -> Vec<Grant> {
    let mut closed = policy.hidden.clone();
    closed.push(ALL_DEVICES.into());
    let mut grants = vec![Grant { path: "/".into(), right: Right::List }];
    let mut permit = |paths: Vec<PathBuf>, right| grants.extend(paths.into_iter().map(|path| Grant { path, right }));
    permit(around(Path::new("/"), &closed, listing), Right::Read);
    permit(policy.opened.clone(), Right::Read);
    permit(DEVICES.map(PathBuf::from).to_vec(), Right::Device);
    permit(vec![policy.temporary.clone()], Right::Write);
    match isolation {
        Isolation::Namespaces => permit(vec![SHARED_MEMORY.into()], Right::Write),
        Isolation::Landlock => {}
    }
    match (policy.access, isolation) {
        (Access::Read, _) => {}
        // What is closed in it has been covered by mounts.
        (Access::Write, Isolation::Namespaces) => permit(vec![policy.workspace.clone()], Right::Write),
        (Access::Write, Isolation::Landlock) => {
            closed.extend(policy.read_only.iter().cloned());
            permit(around(&policy.workspace, &closed, listing), Right::Write);
        }
    }
    grants
}

/// The widest paths below `root` that hold none of what is closed.
fn around(root: &Path, closed: &[PathBuf], listing: &impl Listing) -> Vec<PathBuf> {
    if closed.iter().any(|closed| root.starts_with(closed)) {
        return Vec::new();
    }
    if !closed.iter().any(|closed| closed.starts_with(root)) {
        return vec![root.to_owned()];
    }
    let names = listing.names(root);
    names.into_iter().flat_map(|name| around(&root.join(name), closed, listing)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::sandbox::policy::{Limits, Network};

    struct Tree(&'static [&'static str]);

    impl Listing for Tree {
        fn names(&self, directory: &Path) -> Vec<OsString> {
            let below = self.0.iter().filter_map(|path| Path::new(path).strip_prefix(directory).ok());
            let mut names: Vec<OsString> =
                below.filter_map(|rest| Some(rest.components().next()?.as_os_str().to_owned())).collect();
            names.dedup();
            names
        }
    }

    const TREE: Tree = Tree(&[
        "/dev/null",
        "/dev/pts/0",
        "/home/a/.config/gh",
        "/home/a/.config/scorpiox/scorpiox-env.txt",
        "/home/a/.ssh/id",
        "/home/a/p/.git/hooks",
        "/home/a/p/scorpiox-env.txt",
        "/home/a/p/src/x.rs",
        "/home/a/q/x",
        "/home/b/x",
        "/usr/bin/x",
    ]);

    fn policy() -> Policy {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Policy {
            workspace: "/home/a/p".into(),
            access: Access::Write,
            temporary: "/tmp/own".into(),
            hidden: paths(&[
                "/home/a/.config/scorpiox",
                "/home/a/.ssh",
                "/home/a/.codex",
                "/home/a/p/scorpiox-env.txt",
            ]),
            opened: Vec::new(),
            read_only: paths(&["/home/a/p/.git"]),
            network: Network::Refused,
            limits: Limits::default(),
        }
    }

    fn granted(policy: &Policy, isolation: Isolation, right: Right) -> Vec<String> {
        let grants = of(policy, isolation, &TREE).into_iter().filter(|grant| grant.right == right);
        grants.map(|grant| grant.path.display().to_string()).collect()
    }

    #[test]
    fn reading_goes_around_what_is_hidden() {
        let expected = ["/home/a/.config/gh", "/home/a/p/.git", "/home/a/p/src", "/home/a/q", "/home/b", "/usr"]
            .map(str::to_owned);
        for isolation in [Isolation::Namespaces, Isolation::Landlock] {
            assert_eq!(granted(&policy(), isolation, Right::Read), expected);
        }
    }

    #[test]
    fn nothing_above_a_hidden_path_is_permitted_but_its_names() {
        for isolation in [Isolation::Namespaces, Isolation::Landlock] {
            let policy = policy();
            let outside = policy.hidden.iter().filter(|hidden| !hidden.starts_with(&policy.workspace));
            for hidden in outside.chain([&PathBuf::from("/dev/pts/0")]) {
                let above: Vec<_> = of(&policy, isolation, &TREE)
                    .into_iter()
                    .filter(|grant| hidden.starts_with(&grant.path) && grant.right != Right::List)
                    .collect();
                assert_eq!(above, [], "{}", hidden.display());
            }
        }
    }

    #[test]
    fn writing_is_for_the_workspace_and_the_sessions_own_directory() {
        assert_eq!(granted(&policy(), Isolation::Namespaces, Right::Write), ["/tmp/own", SHARED_MEMORY, "/home/a/p"]);
        assert_eq!(granted(&policy(), Isolation::Landlock, Right::Write), ["/tmp/own", "/home/a/p/src"]);
        let read_only = Policy { access: Access::Read, ..policy() };
        assert_eq!(granted(&read_only, Isolation::Landlock, Right::Write), ["/tmp/own"]);
    }

    #[test]
    fn a_workspace_with_nothing_closed_in_it_is_permitted_as_a_whole() {
        let policy = Policy { workspace: "/home/a/q".into(), ..policy() };
        assert_eq!(granted(&policy, Isolation::Landlock, Right::Write), ["/tmp/own", "/home/a/q"]);
    }

    #[test]
    fn what_is_opened_is_permitted_and_nothing_beside_it() {
        let functions = "/home/a/.config/scorpiox/functions";
        let policy = Policy { opened: vec![functions.into()], ..policy() };
        let mut granted = granted(&policy, Isolation::Landlock, Right::Read);
        granted.retain(|path| path.starts_with("/home/a/.config/scorpiox"));
        assert_eq!(granted, [functions]);
    }

    #[test]
    fn of_the_devices_only_the_harmless_ones_are_there() {
        assert_eq!(granted(&policy(), Isolation::Landlock, Right::Device), DEVICES);
    }
}
