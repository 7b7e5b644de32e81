//! Files that exist only in a test.

use std::collections::BTreeMap;

use super::path::RelativePath;
use super::plan::{Change, Files};
use super::rejection::Rejection;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Memory(pub(super) BTreeMap<String, Vec<u8>>);

impl Memory {
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect())
    }
}

impl Files for Memory {
    fn read(&self, path: &RelativePath) -> Result<Option<Vec<u8>>, Rejection> {
        Ok(self.0.get(&path.to_string()).cloned())
    }

    fn replace(&mut self, changes: &[Change]) -> Result<(), Rejection> {
        for change in changes {
            assert_eq!(self.0.get(&change.path.to_string()), change.before.as_ref());
            match &change.after {
                Some(after) => self.0.insert(change.path.to_string(), after.clone()),
                None => self.0.remove(&change.path.to_string()),
            };
        }
        Ok(())
    }
}
