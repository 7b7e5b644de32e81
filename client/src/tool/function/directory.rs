//! All functions of a person.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::description::Function;
use crate::bounded_file::{self, Symlinks};
use crate::talk::Talk;

/// The folder's name, beside the user's settings.
pub const FOLDER: &str = "functions";
/// The longest description, in bytes.
const LONGEST: u64 = 64 * 1024;
/// The most functions: each is told to the model with every request.
const MOST: usize = 64;
const GROUP_AND_OTHERS_MAY_WRITE: u32 = 0o022;
const EXECUTABLE: u32 = 0o111;

/// The functions of a folder, by name.
#[derive(Debug, Default)]
pub struct Functions {
    folder: PathBuf,
    functions: Vec<Function>,
}

impl Functions {
    /// Reads the folder; it need not exist. What cannot be used is said and left out. Names in `taken` are those of
    /// other tools.
    pub fn read(folder: &Path, taken: &[&str], talk: &mut Talk) -> Self {
        let mut functions = Vec::new();
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> =
            entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        files.sort();
        for file in files {
            match read(folder, &file, taken) {
                Ok(_) if functions.len() >= MOST => {
                    talk.warn(format!("{}: more than {MOST} functions", file.display()))
                }
                Ok(function) => functions.push(function),
                Err(why) => talk.warn(format!("{}: {why}; the function is left out", file.display())),
            }
        }
        Self { folder: folder.to_owned(), functions }
    }

    /// All of them.
    pub fn all(&self) -> &[Function] {
        &self.functions
    }

    /// The function of this name.
    pub fn named(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// Where their programs are: to be opened in the sandbox.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn read(folder: &Path, file: &Path, taken: &[&str]) -> Result<Function, String> {
    let name = file.file_stem().and_then(|name| name.to_str()).ok_or("its name is not UTF-8")?;
    if taken.contains(&name) {
        return Err("another tool has that name".to_owned());
    }
    let program = folder.join(name);
    for path in [folder, file, &program] {
        is_ours(path)?;
    }
    let content = bounded_file::read(file, LONGEST, Symlinks::Follow).map_err(|error| error.to_string())?;
    let function = Function::parse(name, program, &content.bytes)?;
    let mode = fs::metadata(&function.program).map_err(|error| error.to_string())?.permissions().mode();
    if mode & EXECUTABLE == 0 {
        return Err(format!("{} is not executable", function.program.display()));
    }
    Ok(function)
}

/// What others may change is what others decide.
fn is_ours(path: &Path) -> Result<(), String> {
    let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (me, owner) = (rustix::process::geteuid().as_raw(), metadata.uid());
    if (owner != me && owner != 0) || metadata.mode() & GROUP_AND_OTHERS_MAY_WRITE != 0 {
        return Err(format!("{} can be changed by others", path.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str =
        r#"{"description": "d", "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}"#;

    fn with_mode(path: &Path, text: &str, mode: u32) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_can_be_used_is_used_and_the_rest_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["good", "shell", "open", "plain"] {
            with_mode(&path(name), "#!/bin/sh\n", 0o755);
            with_mode(&path(&format!("{name}.json")), DESCRIPTION, 0o644);
        }
        with_mode(&path("open"), "", 0o777);
        with_mode(&path("plain"), "", 0o644);
        with_mode(&path("alone.json"), DESCRIPTION, 0o644);
        with_mode(&path("broken.json"), "{", 0o644);
        let mut talk = Talk::default();
        let functions = Functions::read(dir.path(), &["shell"], &mut talk);
        let names: Vec<_> = functions.all().iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["good"]);
        assert!(functions.named("good").is_some() && functions.named("shell").is_none());
        let said: Vec<_> = talk.lines(false).collect();
        assert_eq!(said.len(), 5, "{said:?}");
        for (line, part) in
            said.iter().zip(["alone", "broken", "open can be changed", "not executable", "another tool"])
        {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn a_missing_folder_is_no_functions() {
        let mut talk = Talk::default();
        assert!(Functions::read(Path::new("/nowhere/functions"), &[], &mut talk).all().is_empty());
        assert_eq!(talk.lines(true).count(), 0);
    }
}
