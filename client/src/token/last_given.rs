//! Which source of a list gave the last token: a refusal of "the last one" goes there and nowhere else.

use super::SourceName;
use crate::state_directory::StateDirectory;

/// The memory of one list of sources.
#[derive(Debug)]
pub struct LastGiven<'a> {
    state: &'a StateDirectory,
    name: String,
}

impl<'a> LastGiven<'a> {
    /// `list` names the list and what each of its sources is set to.
    pub fn new(state: &'a StateDirectory, list: &str) -> Self {
        Self { state, name: format!("{list}.source") }
    }

    /// The source, if it is known.
    pub fn source(&self) -> Option<SourceName> {
        let bytes = self.state.read(&self.name)?;
        SourceName::ALL.iter().copied().find(|source| source.as_str().as_bytes() == bytes.as_slice())
    }

    /// Remembers it. Writes only what is new: nearly always it is the same source again.
    pub fn remember(&self, source: SourceName) -> std::io::Result<()> {
        if self.source() == Some(source) {
            return Ok(());
        }
        self.state.replace(&self.name, source.as_str().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_source_of_each_list_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDirectory::new(Some(dir.path().join("s")));
        let (one, other) = (LastGiven::new(&state, "list-1"), LastGiven::new(&state, "list-2"));
        assert_eq!(one.source(), None);
        one.remember(SourceName::Remote).unwrap();
        one.remember(SourceName::Local).unwrap();
        assert_eq!((one.source(), other.source()), (Some(SourceName::Local), None));
    }
}
