//! What is to run, and where: from what the model wrote to what is meant.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The shell of a script.
const SHELL: &str = "/bin/bash";
/// Where there is none.
const PLAIN_SHELL: &str = "/bin/sh";

/// What the model wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// A program with its arguments, as they are.
    Direct(Vec<String>),
    /// A text for the shell. It reads no profile: what that sets is in our environment already, but for the secrets,
    /// which were left out of it.
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
    /// When it is ended, whoever looks on; `None`: when somebody says so.
    pub timeout: Option<Duration>,
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
    /// What these arguments mean: `bash -lc TEXT`, which models write out of habit, is a script like any other.
    pub fn of_arguments(arguments: Vec<String>) -> Self {
        match arguments.as_slice() {
            [shell, option, text] if is_shell(shell) && matches!(option.as_str(), "-c" | "-lc" | "-cl") => {
                Self::Script(text.clone())
            }
            _ => Self::Direct(arguments),
        }
    }

    /// As a person is shown it: to the letter what runs, each argument apart.
    pub fn shown(&self) -> String {
        match self {
            Self::Script(text) => text.clone(),
            Self::Direct(command) => command.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" "),
        }
    }

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
            Ok(Prepared { command, directory: found, input: None, timeout: None })
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

fn is_shell(program: &str) -> bool {
    matches!(program.rsplit('/').next(), Some("bash" | "sh" | "zsh" | "dash"))
}

/// An argument as a shell would take it for itself.
pub fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,@:=%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

fn in_shell(text: String) -> Vec<String> {
    let shell = if Path::new(SHELL).exists() { SHELL } else { PLAIN_SHELL };
    vec![shell.to_owned(), "-c".to_owned(), text]
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
    fn what_is_shown_is_what_runs() {
        let direct = |command: &[&str]| Invocation::Direct(command.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(direct(&["ls", "-l", "a/b.c"]).shown(), "ls -l a/b.c");
        assert_eq!(direct(&["a b", "", "$x", "it's", "-c\n"]).shown(), "'a b' '' '$x' 'it'\\''s' '-c\n'");
        assert_eq!(Invocation::Script("a 'b'".into()).shown(), "a 'b'");
    }

    #[test]
    fn a_script_is_one_argument_of_a_shell() {
        let prepared = Invocation::Script("a; b 'c'".into()).in_directory(Path::new("/"), "").unwrap();
        assert_eq!(prepared.command.last().unwrap(), "a; b 'c'");
        assert_eq!(prepared.command.len(), 3);
    }
}
