//! What stays closed whatever the project: logins, keys, settings; in the project its repository's own files.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use crate::bounded_file::{self, Symlinks};
use crate::settings::Surroundings;
use crate::settings::catalog::{Entry, Kind};
use crate::settings::key::Key;
use crate::settings::places::Places;
use crate::settings::written::Written;

/// Below the home directory: other programs' logins and keys.
const IN_HOME: [&str; 20] = [
    ".ssh",
    ".codex",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".netrc",
    ".git-credentials",
    ".config/git/credentials",
    ".npmrc",
    ".pypirc",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".claude/.credentials.json",
    ".config/opencode",
    ".config/gh",
    ".config/gcloud",
    ".password-store",
    ".local/share/keyrings",
];
/// The same: what a shell reads when it begins, where people put their keys, and what was typed into programs.
const OF_SHELLS: [&str; 16] = [
    ".profile",
    ".bash_profile",
    ".bash_login",
    ".bashrc",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".config/fish",
    ".bash_history",
    ".zsh_history",
    ".local/share/fish",
    ".python_history",
    ".psql_history",
    ".mysql_history",
    ".node_repl_history",
];
/// Names keys that may lie elsewhere.
const SSH_CONFIG: &str = ".ssh/config";
const LONGEST_SSH_CONFIG: u64 = 1 << 20;
/// Ours, with the variable that moves each and where it is otherwise, below the home directory.
const OURS: [(&str, &str); 4] = [
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_DATA_HOME", ".local/share"),
];
const OUR_FOLDERS: [&str; 2] = ["scorpiox", "scorpiox-broker"];
const OF_THE_MACHINE: [&str; 4] = ["/run/secrets", "/run/user", "/var/lib/scorpiox-broker", "/etc/scorpiox-broker"];
/// Git runs what stands in these, or follows them to where it stands. So does whoever works in the project next.
const REPOSITORY: &str = ".git";
const OUR_PROJECT_FOLDER: &str = ".scorpiox";
/// Where programs put what they download and make: large, and nobody's repository.
const PASSED_OVER: [&str; 4] = ["node_modules", "target", ".venv", "__pycache__"];
/// Entries of directories that are looked at for repositories: some 50 ms.
const MOST_LOOKED_AT: usize = 50_000;
/// Beside a settings file: profiles.
const PROFILES: &str = "scorpiox-env";

/// Files and directories whose contents nothing that the model runs may read, canonical as far as they exist.
pub fn hidden(surroundings: &Surroundings<'_>, places: &Places, written: &Written) -> Vec<PathBuf> {
    let home = surroundings.absolute_path("HOME");
    let mut hidden: Vec<PathBuf> = OF_THE_MACHINE.map(PathBuf::from).to_vec();
    hidden.extend(home.iter().flat_map(|home| IN_HOME.map(|path| home.join(path))));
    hidden.extend(home.iter().flat_map(|home| OF_SHELLS.map(|path| home.join(path))));
    hidden.extend(home.iter().flat_map(|home| keys_of_ssh(home)));
    for (variable, otherwise) in OURS {
        let bases =
            surroundings.absolute_path(variable).into_iter().chain(home.as_ref().map(|home| home.join(otherwise)));
        hidden.extend(bases.flat_map(|base| OUR_FOLDERS.map(|folder| base.join(folder))));
    }
    hidden.extend(["CODEX_HOME", "XDG_RUNTIME_DIR"].iter().filter_map(|name| surroundings.absolute_path(name)));
    for place in places.all() {
        hidden.push(place.path.clone());
        hidden.extend(place.path.parent().map(|folder| folder.join(PROFILES)));
    }
    hidden.extend(named_by_settings(surroundings, written));
    distinct(hidden)
}

/// Files and directories of a workspace that may be read and not be changed: of every repository in it, as far as
/// they are found in a walk that takes a moment.
pub fn read_only(workspace: &Path) -> Vec<PathBuf> {
    let mut found = vec![workspace.join(OUR_PROJECT_FOLDER), workspace.join(REPOSITORY)];
    found.extend(repositories_below(workspace));
    distinct(found)
}

/// The nearest ones first.
fn repositories_below(workspace: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = VecDeque::from([workspace.to_owned()]);
    let mut looked_at = 0;
    while let Some(directory) = waiting.pop_front() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            looked_at += 1;
            let name = entry.file_name();
            if name == REPOSITORY {
                found.push(entry.path());
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir())
                && !PASSED_OVER.iter().any(|other| name == *other)
            {
                waiting.push_back(entry.path());
            }
        }
        if looked_at > MOST_LOOKED_AT {
            break;
        }
    }
    found
}

/// The keys that the person's own ssh names, for whatever host.
fn keys_of_ssh(home: &Path) -> Vec<PathBuf> {
    let read = bounded_file::read(&home.join(SSH_CONFIG), LONGEST_SSH_CONFIG, Symlinks::Follow);
    let Ok(content) = read else { return Vec::new() };
    let text = String::from_utf8_lossy(&content.bytes).into_owned();
    text.lines().filter_map(|line| key_in(line, home)).collect()
}

/// `IdentityFile ~/keys/id`, also with `=` and in quotes. What has other `%` in it than the home directory's is not one
/// file, and the whole file system is no answer either.
fn key_in(line: &str, home: &Path) -> Option<PathBuf> {
    let line = line.trim_start();
    let end = line.find(|c: char| c.is_whitespace() || c == '=').filter(|end| *end > 0)?;
    let (keyword, value) = line.split_at(end);
    let value = value.trim_matches(|c: char| c.is_whitespace() || c == '=').trim_matches('"');
    if !keyword.eq_ignore_ascii_case("identityfile") || value.eq_ignore_ascii_case("none") {
        return None;
    }
    let below_home = value.strip_prefix("~/").or_else(|| value.strip_prefix("%d/"));
    let path = below_home.map_or_else(|| PathBuf::from(value), |rest| home.join(rest));
    (path.is_absolute() && path.parent().is_some() && !home.starts_with(&path)).then_some(path)
}

/// Keys, passwords and logins in files that a setting names, whether or not that value holds.
fn named_by_settings(surroundings: &Surroundings<'_>, written: &Written) -> Vec<PathBuf> {
    // These two are public, and programs in the sandbox may need them.
    let open = |key: &Key| matches!(key, Key::RemoteCaFile | Key::SshKnownHosts);
    let paths = Key::ALL.iter().filter(|key| !open(key) && matches!(Entry::of(**key).kind, Kind::Path));
    paths.flat_map(|key| written.candidates(*key)).map(|value| value.as_path(&surroundings.directory)).collect()
}

fn distinct(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = paths.iter().map(|path| canonical(path)).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The path without symbolic links, as far as it exists: what does not exist yet may come to be.
pub(super) fn canonical(path: &Path) -> PathBuf {
    if let Ok(found) = path.canonicalize() {
        return found;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => canonical(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_ssh_names_are_found_wherever_they_lie() {
        let home = Path::new("/home/a");
        let of = |line: &str| key_in(line, home).map(|path| path.display().to_string());
        let rows = [
            ("IdentityFile ~/keys/id", Some("/home/a/keys/id")),
            ("  identityfile=%d/keys/id ", Some("/home/a/keys/id")),
            ("IDENTITYFILE = \"/mnt/my keys/id\"", Some("/mnt/my keys/id")),
            ("IdentityFile none", None),
            ("IdentityFile /", None),
            ("IdentityFile /home", None),
            ("IdentityFile ~/", None),
            ("# IdentityFile /x", None),
            ("IdentitiesOnly yes", None),
            ("", None),
        ];
        for (line, expected) in rows {
            assert_eq!(of(line).as_deref(), expected, "{line}");
        }
    }
}
