//! Which paths a patch may name: below the working directory, and nothing that changes what is run or trusted.

use std::fmt;

use super::rejection::Rejection;

/// The longest path, in bytes.
const LONGEST: usize = 4096;

/// A path below the working directory: plain names with `/` between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelativePath(String);

impl RelativePath {
    /// Reads what the model wrote.
    pub fn parse(written: &str) -> Result<Self, Rejection> {
        let refused = |why| Rejection::Path { path: written.to_owned(), why };
        if written.len() > LONGEST {
            return Err(refused("is too long"));
        }
        if written.chars().any(char::is_control) {
            return Err(refused("has control characters"));
        }
        if written.starts_with(['/', '~', '\\']) || has_drive(written) {
            return Err(refused("is absolute; name files relative to the working directory"));
        }
        if written.ends_with('/') {
            return Err(refused("names a directory"));
        }
        let names: Vec<&str> = written.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        if names.is_empty() {
            return Err(refused("names no file"));
        }
        if names.contains(&"..") {
            return Err(refused("leaves the working directory; '..' is not allowed"));
        }
        if names.iter().any(|name| is_protected(name)) {
            return Err(refused("is protected: it can change what is run or trusted"));
        }
        Ok(Self(names.join("/")))
    }

    /// The directories on the way, outermost first.
    pub(super) fn directories(&self) -> impl Iterator<Item = &str> {
        self.0.rsplit_once('/').map(|(directories, _)| directories.split('/')).into_iter().flatten()
    }

    /// The file's own name.
    pub(super) fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// What a file system that does not tell upper from lower case sees.
    pub(super) fn folded(&self) -> String {
        folded(&self.0)
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `C:` in front.
fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// Git's own files (hooks, configuration) and ours, under every name by which some file system finds them.
fn is_protected(name: &str) -> bool {
    let name = folded(name);
    // Windows reads over dots and spaces at the end, and takes what follows a colon for a stream of the file.
    let name = name.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    let short = name.strip_prefix("git~").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    short || [".git", ".scorpiox", "scorpiox-env", "scorpiox-env.txt"].contains(&name)
}

/// Lower case, without the characters that HFS+ reads over.
fn folded(text: &str) -> String {
    let ignored = |c: &char| matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars().filter(|c| !ignored(c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_below_the_working_directory_are_taken() {
        let cases = [
            ("a", "a"),
            ("src/lib.rs", "src/lib.rs"),
            ("./a//b/./c", "a/b/c"),
            ("a b/\u{e9}.txt", "a b/\u{e9}.txt"),
            ("...", "..."),
            (".gitignore", ".gitignore"),
            (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
            ("git/x", "git/x"),
            ("a..b", "a..b"),
        ];
        for (written, path) in cases {
            assert_eq!(RelativePath::parse(written).unwrap().to_string(), path);
        }
    }

    #[test]
    fn no_other_path_is_taken() {
        let refused = [
            "",
            ".",
            "./",
            "/",
            "/etc/passwd",
            "~/x",
            "\\\\server\\x",
            "C:\\x",
            "c:x",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            "a/",
            "a\0b",
            "a\nb",
            "a\u{1b}[2J",
            ".git",
            ".git/hooks/pre-commit",
            ".GIT/hooks/pre-commit",
            ".Git/config",
            "sub/.git/config",
            ".g\u{200c}it/config",
            ".git./config",
            ".git /config",
            ".git::$INDEX_ALLOCATION/config",
            "git~1/hooks/x",
            "GIT~2/x",
            "scorpiox-env.txt",
            "Scorpiox-Env.TXT",
            ".scorpiox/scorpiox-env.txt",
            "x/scorpiox-env/work.txt",
        ];
        for written in refused {
            assert!(RelativePath::parse(written).is_err(), "{written:?}");
        }
        assert!(RelativePath::parse(&"a/".repeat(LONGEST)).is_err());
    }
}
