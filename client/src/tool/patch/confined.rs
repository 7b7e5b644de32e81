//! The same change, performed by a child in the sandbox: should a race or a mistake lead it elsewhere, it cannot write
//! there.
//!
//! `sx` reads and plans. The child, `scorpiox-sandbox patch`, gets the plan as its standard input, performs it in its
//! working directory with the same code, and says on standard output what became of it:
//!
//! ```text
//! {"changes":[{"path":"src/a.rs","before":"YQo=","after":"Ygo=","moved_from":null,"mode":null}]}
//! {"refused":{"path":"src/a.rs","why":"was changed by somebody else meanwhile; read it again"}}
//! ```

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::directory::Directory;
use super::path::RelativePath;
use super::plan::{Change, Files};
use super::rejection::Rejection;
use crate::tool::sandbox::launcher::{Launched, Launcher};
use crate::tool::sandbox::order::{Boundary, Order, Report};

/// The child's argument.
pub const STAGE: &str = "patch";
/// What the child says is a line.
const LONGEST_ANSWER: u64 = 1024 * 1024;

/// The files of a directory, which a confined child changes.
#[derive(Debug)]
pub struct Confined<'a> {
    files: &'a Directory,
    place: &'a Path,
    launcher: &'a Launcher,
    boundary: Boundary,
}

#[derive(Serialize, Deserialize)]
struct Work {
    changes: Vec<WrittenChange>,
}

#[derive(Serialize, Deserialize)]
struct WrittenChange {
    path: String,
    before: Option<String>,
    after: Option<String>,
    moved_from: Option<String>,
    mode: Option<u32>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Done,
    Refused { path: String, why: String },
    Left { path: String, why: String, left: String },
}

impl<'a> Confined<'a> {
    /// The files at this place; `boundary` holds the child.
    pub fn new(files: &'a Directory, place: &'a Path, launcher: &'a Launcher, boundary: Boundary) -> Self {
        Self { files, place, launcher, boundary }
    }

    fn perform(&self, changes: &[Change]) -> Result<Outcome, String> {
        let program = self.launcher.program().to_str().ok_or("the launcher's path is not UTF-8")?;
        let work = Work { changes: changes.iter().map(WrittenChange::of).collect() };
        let work = serde_json::to_vec(&work).map_err(|error| error.to_string())?;
        let input = self.launcher.scratch().input(&work).map_err(|error| error.to_string())?;
        let order = Order {
            command: vec![program.to_owned(), STAGE.to_owned()],
            directory: self.place.to_owned(),
            input: Some(input.clone()),
            boundary: self.boundary.clone(),
            timeout_ms: None,
        };
        let outcome = self.launcher.launch(&order).map_err(|error| error.to_string()).and_then(outcome);
        // It may hold what nobody else should read; the session's end removes it otherwise.
        let _ = fs::remove_file(input);
        outcome
    }
}

impl Files for Confined<'_> {
    fn read(&self, path: &RelativePath) -> Result<Option<Vec<u8>>, Rejection> {
        self.files.read(path)
    }

    fn replace(&mut self, changes: &[Change]) -> Result<(), Rejection> {
        match self.perform(changes) {
            Ok(Outcome::Done) => Ok(()),
            Ok(Outcome::Refused { path, why }) => Err(Rejection::File { path, why }),
            Ok(Outcome::Left { path, why, left }) => Err(Rejection::Left { path, why, left }),
            Err(why) => Err(Rejection::Unknown { why }),
        }
    }
}

fn outcome(launched: Launched) -> Result<Outcome, String> {
    let mut said = String::new();
    let read = launched.output().and_then(|output| output.take(LONGEST_ANSWER).read_to_string(&mut said));
    match read.and_then(|_| launched.report()).map_err(|error| error.to_string())? {
        Report::Exited { code: 0 } => serde_json::from_str(&said).map_err(|error| error.to_string()),
        Report::NotStarted { why } => Err(why),
        other @ (Report::Exited { .. }
        | Report::Signalled { .. }
        | Report::TimeIsUp { .. }
        | Report::TooManyProcesses) => Err(format!("it ended as {other:?}: {}", said.trim())),
    }
}

/// The child: performs what it reads, in its working directory.
pub fn child() -> ExitCode {
    let mut work = Vec::new();
    let read = io::stdin().read_to_end(&mut work).map_err(|error| error.to_string());
    match read.and_then(|_| perform(&work)) {
        Ok(outcome) => match serde_json::to_writer(io::stdout(), &outcome).map_err(io::Error::from) {
            Ok(()) if io::stdout().flush().is_ok() => ExitCode::SUCCESS,
            Ok(()) | Err(_) => ExitCode::FAILURE,
        },
        Err(why) => {
            let _ = writeln!(io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn perform(work: &[u8]) -> Result<Outcome, String> {
    let Work { changes } = serde_json::from_slice(work).map_err(|error| error.to_string())?;
    let changes = changes.into_iter().map(WrittenChange::read).collect::<Result<Vec<_>, _>>()?;
    let mut directory = Directory::open(Path::new(".")).map_err(|error| error.to_string())?;
    Ok(match directory.replace(&changes) {
        Ok(()) => Outcome::Done,
        Err(Rejection::File { path, why }) => Outcome::Refused { path, why },
        Err(Rejection::Left { path, why, left }) => Outcome::Left { path, why, left },
        Err(other) => return Err(other.to_string()),
    })
}

impl WrittenChange {
    fn of(change: &Change) -> Self {
        let written = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| STANDARD.encode(bytes));
        Self {
            path: change.path.to_string(),
            before: written(&change.before),
            after: written(&change.after),
            moved_from: change.moved_from.as_ref().map(RelativePath::to_string),
            mode: change.mode,
        }
    }

    /// Its paths are checked once more.
    fn read(self) -> Result<Change, String> {
        let path = |text: &str| RelativePath::parse(text).map_err(|rejection| rejection.to_string());
        let bytes = |text: Option<String>| text.map(|text| STANDARD.decode(text)).transpose();
        let wrong = |error: base64::DecodeError| error.to_string();
        Ok(Change {
            path: path(&self.path)?,
            before: bytes(self.before).map_err(wrong)?,
            after: bytes(self.after).map_err(wrong)?,
            moved_from: self.moved_from.as_deref().map(path).transpose()?,
            mode: self.mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_same_on_the_other_side() {
        let path = |text: &str| RelativePath::parse(text).unwrap();
        let changes = [
            Change { path: path("a"), before: Some(b"\xff\0".to_vec()), after: None, moved_from: None, mode: None },
            Change {
                path: path("b/c"),
                before: None,
                after: Some(vec![]),
                moved_from: Some(path("a")),
                mode: Some(0o600),
            },
        ];
        let written = serde_json::to_vec(&Work { changes: changes.iter().map(WrittenChange::of).collect() }).unwrap();
        let read: Work = serde_json::from_slice(&written).unwrap();
        let read: Vec<Change> = read.changes.into_iter().map(|change| change.read().unwrap()).collect();
        assert_eq!(read, changes);
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused_on_the_other_side_too() {
        for path in ["../x", "/etc/passwd", ".git/hooks/x"] {
            let work = format!(
                r#"{{"changes":[{{"path":"{path}","before":null,"after":"","moved_from":null,"mode":null}}]}}"#
            );
            assert!(perform(work.as_bytes()).is_err(), "{path}");
        }
    }
}
