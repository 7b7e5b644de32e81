//! From a patch to what it changes; nothing is written.

use std::collections::BTreeMap;

use super::edit::edited;
use super::parse::{Action, Chunk, Section};
use super::path::RelativePath;
use super::rejection::Rejection;
use super::text::Text;

/// Files below a directory.
pub trait Files {
    /// The bytes of a regular file; `None` when there is nothing of this name.
    fn read(&self, path: &RelativePath) -> Result<Option<Vec<u8>>, Rejection>;

    /// Brings all files into their new state, or none.
    fn replace(&mut self, changes: &[Change]) -> Result<(), Rejection>;
}

/// What becomes of one file; before and after are never the same, and never both nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: RelativePath,
    /// Its bytes now; `None` when it does not exist.
    pub before: Option<Vec<u8>>,
    /// Its bytes afterwards; `None` when it goes.
    pub after: Option<Vec<u8>>,
    /// The file that it was, when it only gets another name: its mode goes along.
    pub moved_from: Option<RelativePath>,
    /// Permission bits that it gets; `None`: those of the file that it replaces or was.
    pub mode: Option<u32>,
}

/// What a patch does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What becomes of the files, by path.
    pub changes: Vec<Change>,
    /// A line per section, in its order: `A path`, `M path`, `D path`.
    pub summary: Vec<String>,
}

/// What the sections do, one after the other, to these files.
pub fn plan(sections: &[Section], files: &dyn Files) -> Result<Plan, Rejection> {
    let mut overlay = Overlay { files, states: BTreeMap::new() };
    let mut summary = Vec::new();
    for section in sections {
        let path = RelativePath::parse(&section.path)?;
        summary.push(match &section.action {
            Action::Add(lines) => overlay.add(path, lines)?,
            Action::Delete => overlay.delete(path)?,
            Action::Update { move_to, chunks } => overlay.update(path, move_to.as_deref(), chunks)?,
        });
    }
    overlay.refuse_twins()?;
    Ok(Plan { changes: overlay.into_changes(), summary })
}

/// The files as they will be after the sections so far.
struct Overlay<'a> {
    files: &'a dyn Files,
    states: BTreeMap<RelativePath, State>,
}

struct State {
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    moved_from: Option<RelativePath>,
}

impl Overlay<'_> {
    fn state(&mut self, path: &RelativePath) -> Result<&mut State, Rejection> {
        if !self.states.contains_key(path) {
            let before = self.files.read(path)?;
            self.states.insert(path.clone(), State { after: before.clone(), before, moved_from: None });
        }
        Ok(self.states.get_mut(path).expect("it was inserted when it was not there"))
    }

    fn add(&mut self, path: RelativePath, lines: &[String]) -> Result<String, Rejection> {
        let bytes: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        self.state(&path)?.after = Some(bytes.into_bytes());
        Ok(format!("A {path}"))
    }

    fn delete(&mut self, path: RelativePath) -> Result<String, Rejection> {
        self.take(&path)?;
        Ok(format!("D {path}"))
    }

    fn update(&mut self, path: RelativePath, move_to: Option<&str>, chunks: &[Chunk]) -> Result<String, Rejection> {
        let target = move_to.map(RelativePath::parse).transpose()?.filter(|target| *target != path);
        let bytes = self.take(&path)?;
        let after = if chunks.is_empty() {
            bytes
        } else {
            let text = Text::read(&bytes).map_err(|why| Rejection::file(&path, why))?;
            edited(&path.to_string(), text, chunks)?.into_bytes()
        };
        let Some(target) = target else {
            self.state(&path)?.after = Some(after);
            return Ok(format!("M {path}"));
        };
        let state = self.state(&target)?;
        if state.after.is_some() {
            return Err(Rejection::file(&target, "exists already; delete it first if it is to be replaced"));
        }
        (state.after, state.moved_from) = (Some(after), Some(path));
        Ok(format!("M {target}"))
    }

    /// Takes the file away.
    fn take(&mut self, path: &RelativePath) -> Result<Vec<u8>, Rejection> {
        self.state(path)?.after.take().ok_or_else(|| Rejection::file(path, "does not exist"))
    }

    /// Two names that are one file on some file systems.
    fn refuse_twins(&self) -> Result<(), Rejection> {
        let mut seen = BTreeMap::new();
        for path in self.states.keys() {
            if let Some(twin) = seen.insert(path.folded(), path) {
                return Err(Rejection::file(path, format!("and {twin} differ only in upper and lower case")));
            }
        }
        Ok(())
    }

    fn into_changes(self) -> Vec<Change> {
        let changed = self.states.into_iter().filter(|(_, state)| state.before != state.after);
        let changes = changed.map(|(path, State { before, after, moved_from })| Change {
            path,
            before,
            after,
            moved_from,
            mode: None,
        });
        changes.collect()
    }
}
