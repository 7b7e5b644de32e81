//! A patch, and the file `f` that it may change.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use scorpiox_client::tool::patch::path::RelativePath;
use scorpiox_client::tool::patch::{self, Change, Files, Rejection, in_shell, show};

use crate::halves;

/// Files in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Memory(BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &RelativePath) -> Result<Option<Vec<u8>>, Rejection> {
        Ok(self.0.get(&path.to_string()).cloned())
    }

    fn replace(&mut self, changes: &[Change]) -> Result<(), Rejection> {
        for Change { path, before, after, .. } in changes {
            assert_eq!(self.0.get(&path.to_string()), before.as_ref(), "{path} was not that before");
            assert_ne!(before, after, "{path} does not change");
            match after {
                Some(after) => self.0.insert(path.to_string(), after.clone()),
                None => self.0.remove(&path.to_string()),
            };
        }
        Ok(())
    }
}

/// No path leaves the directory or enters `.git`; what is shown and done is what was planned; only text is changed.
///
/// # Panics
/// When it is otherwise.
pub fn check(input: &[u8]) {
    let (file, text) = halves(input);
    let text = String::from_utf8_lossy(text);
    in_shell::find(&text);
    let mut files = Memory(BTreeMap::from([("f".to_owned(), file.to_vec()), ("d/g".to_owned(), b"x\n".to_vec())]));
    let before = files.clone();
    let Ok(plan) = patch::read(&text, &files) else { return };
    for change in &plan.changes {
        assert_harmless(&change.path.to_string());
    }
    show::shown(&plan);
    patch::apply(&plan, &mut files).expect("memory takes all files");
    let touched: Vec<String> = plan.changes.iter().map(|change| change.path.to_string()).collect();
    for (path, bytes) in &before.0 {
        assert!(touched.contains(path) || files.0.get(path) == Some(bytes), "{path} changed unseen");
    }
    assert!(!plan.summary.is_empty(), "a patch that says nothing of what it did");
}

fn assert_harmless(path: &str) {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
    assert!(Path::new(path).components().all(plain), "{path} leads elsewhere");
    let is_git = |part: Component<'_>| part.as_os_str().eq_ignore_ascii_case(".git");
    assert!(!Path::new(path).components().any(is_git), "{path} is git's");
    assert!(!path.contains('\0') && !path.is_empty(), "{path:?} is no path");
}
