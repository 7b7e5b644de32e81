//! What is to run, and where: from what the model wrote to what is meant.

use std::path::{Path, PathBuf};

/// The shell of a script.
const SHELL: &str = "/bin/bash";
/// Where there is none.
const PLAIN_SHELL: &str = "/bin/sh";

/// What the model wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// A program with its arguments, as they are.
    Direct(Vec<String>),
    /// A text for the shell, which reads the user's profile first.
    Script(String),
}

/// Something that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The program and its arguments. This is what runs, so this is what a person is shown.
    pub command: Vec<String>,
    /// Where; canonical, in the workspace.
    pub directory: PathBuf,
    /// A file that becomes its standard input; without one that is empty.
    pub input: Option<PathBuf>,
}

/// Why it cannot be started. The model reads this and can do better.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// There is nothing to run.
    #[error("the command is empty")]
    Empty,
    /// A zero byte would end an argument early.
    #[error("the command holds a zero byte")]
    ZeroByte,
    /// The directory is not there.
    #[error("the working directory {0} does not exist")]
    NoDirectory(String),
    /// The directory is elsewhere.
    #[error("the working directory {0} is outside of the workspace")]
    Outside(String),
}

impl Invocation {
    /// Prepares it for a directory, relative to the workspace; the empty one is the workspace itself.
    pub fn in_directory(self, workspace: &Path, directory: &str) -> Result<Prepared, Impossible> {
        let command = self.command()?;
        let outside = || Impossible::Outside(directory.to_owned());
        let missing = |_| Impossible::NoDirectory(directory.to_owned());
        let workspace = workspace.canonicalize().map_err(missing)?;
        let found = workspace.join(directory).canonicalize().map_err(missing)?;
        if !found.is_dir() {
            return Err(Impossible::NoDirectory(directory.to_owned()));
        }
        if found.starts_with(&workspace) {
            Ok(Prepared { command, directory: found, input: None })
        } else {
            Err(outside())
        }
    }

    fn command(self) -> Result<Vec<String>, Impossible> {
        let command = match self {
            Self::Direct(command) => command,
            Self::Script(text) if text.trim().is_empty() => return Err(Impossible::Empty),
            Self::Script(text) => in_shell(text),
        };
        if command.first().is_none_or(String::is_empty) {
            return Err(Impossible::Empty);
        }
        if command.iter().any(|argument| argument.contains('\0')) {
            return Err(Impossible::ZeroByte);
        }
        Ok(command)
    }
}

/// What reads a script, as it is called: `bash` or `sh`.
pub fn shell() -> &'static str {
    if Path::new(SHELL).exists() { "bash" } else { "sh" }
}

fn in_shell(text: String) -> Vec<String> {
    let (shell, option) = if Path::new(SHELL).exists() { (SHELL, "-lc") } else { (PLAIN_SHELL, "-c") };
    vec![shell.to_owned(), option.to_owned(), text]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_leads_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = dir.path().join("p");
        std::fs::create_dir_all(workspace.join("a/b")).unwrap();
        std::fs::write(workspace.join("file"), "").unwrap();
        std::os::unix::fs::symlink("/", workspace.join("link")).unwrap();
        let prepared = |directory: &str| Invocation::Direct(vec!["x".into()]).in_directory(&workspace, directory);
        for (inside, expected) in [("", ""), ("a", "a"), ("a/../a/b", "a/b"), (".", "")] {
            let expected = workspace.canonicalize().unwrap().join(expected);
            assert_eq!(prepared(inside).unwrap().directory, expected.components().collect::<PathBuf>(), "{inside}");
        }
        for outside in ["..", "/", "/tmp", "link", "a/../../"] {
            assert_eq!(prepared(outside), Err(Impossible::Outside(outside.into())));
        }
        for missing in ["none", "file"] {
            assert_eq!(prepared(missing), Err(Impossible::NoDirectory(missing.into())));
        }
    }

    #[test]
    fn an_empty_command_is_refused() {
        let direct = |command: &[&str]| Invocation::Direct(command.iter().map(|text| (*text).to_owned()).collect());
        let rows = [
            (direct(&[]), Impossible::Empty),
            (direct(&["", "x"]), Impossible::Empty),
            (direct(&["x", "a\0b"]), Impossible::ZeroByte),
            (Invocation::Script(" \n".into()), Impossible::Empty),
            (Invocation::Script("a\0b".into()), Impossible::ZeroByte),
        ];
        for (invocation, expected) in rows {
            assert_eq!(invocation.in_directory(Path::new("/"), ""), Err(expected));
        }
    }

    #[test]
    fn a_script_is_one_argument_of_a_shell() {
        let prepared = Invocation::Script("a; b 'c'".into()).in_directory(Path::new("/"), "").unwrap();
        assert_eq!(prepared.command.last().unwrap(), "a; b 'c'");
        assert_eq!(prepared.command.len(), 3);
    }
}
