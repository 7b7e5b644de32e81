//! Whether a file with a secret can end up in a repository's history.

use std::path::Path;
use std::process::{Command, Stdio};

/// What git knows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GitState {
    /// It is in the repository already.
    Tracked,
    /// The next `git add .` takes it.
    NotIgnored,
    /// It is ignored, lies in no repository, or there is no git to ask.
    Safe,
}

impl GitState {
    /// What a person should know, for a file with a secret in it.
    pub fn remark(self, path: &Path) -> Option<String> {
        let path = path.display();
        match self {
            Self::Tracked => Some(format!(
                "{path} holds a secret and is tracked by git: git rm --cached it, and change the secret if it was pushed"
            )),
            Self::NotIgnored => Some(format!("{path} holds a secret and is not ignored by git: add it to .gitignore")),
            Self::Safe => None,
        }
    }
}

/// Asks git, where there is one and the file lies below a `.git`.
pub fn state_of(path: &Path) -> GitState {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return GitState::Safe };
    let in_repository = folder.ancestors().any(|above| above.join(".git").symlink_metadata().is_ok());
    if !in_repository {
        return GitState::Safe;
    }
    let asked = |arguments: &[&str]| ask(folder, arguments).arg("--").arg(name).status().ok()?.code();
    match asked(&["ls-files", "--error-unmatch"]) {
        Some(0) => return GitState::Tracked,
        Some(1) => {}
        _ => return GitState::Safe,
    }
    match asked(&["check-ignore", "--quiet"]) {
        Some(1) => GitState::NotIgnored,
        _ => GitState::Safe,
    }
}

/// The repository may be a stranger's: nothing that its configuration names is run, and no secret of our environment
/// is handed on.
fn ask(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]).args(arguments);
    command.current_dir(folder).env_clear();
    for variable in ["PATH", "HOME", "XDG_CONFIG_HOME"] {
        command.envs(std::env::var_os(variable).map(|value| (variable, value)));
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracked_ignored_and_forgotten_files_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| ask(dir.path(), arguments).status().is_ok_and(|status| status.success());
        std::fs::write(dir.path().join("file"), "x").unwrap();
        assert_eq!(state_of(&dir.path().join("file")), GitState::Safe, "no repository");
        if !git(&["init"]) {
            return;
        }
        for name in ["tracked", "ignored"] {
            std::fs::write(dir.path().join(name), "x").unwrap();
        }
        std::fs::write(dir.path().join(".gitignore"), "ignored\n").unwrap();
        assert!(git(&["add", "tracked"]));
        let state = |name: &str| state_of(&dir.path().join(name));
        assert_eq!(
            [state("tracked"), state("file"), state("ignored")],
            [GitState::Tracked, GitState::NotIgnored, GitState::Safe]
        );
        let says = |state: GitState| state.remark(Path::new("/p/x")).unwrap_or_default();
        assert!(
            says(GitState::Tracked).contains("git rm --cached") && says(GitState::NotIgnored).contains(".gitignore")
        );
    }
}
