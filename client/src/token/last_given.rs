//! Which source of a list gave the last token: a refusal of "the last one" goes there and nowhere else.

use super::SourceName;
use crate::state_directory::StateDirectory;

/// The memory of one list of sources.
#[derive(Debug)]
pub struct LastGiven<'a> {
    state: &'a StateDirectory,
    name: String,
    order: &'a [SourceName],
}

impl<'a> LastGiven<'a> {
    /// `list` names the list and what each of its sources is set to; `order` has at least one.
    pub fn new(state: &'a StateDirectory, list: &str, order: &'a [SourceName]) -> Self {
        Self { state, name: format!("{list}.source"), order }
    }

    /// The source; the first one of the list when none is on record.
    pub fn source(&self) -> SourceName {
        let bytes = self.state.read(&self.name);
        let is_it =
            |source: &SourceName| bytes.as_ref().is_some_and(|bytes| source.as_str().as_bytes() == bytes.as_slice());
        self.order.iter().copied().find(is_it).unwrap_or(self.order[0])
    }

    /// Remembers it. Writes only what is new: nearly always it is the first source again.
    pub fn remember(&self, source: SourceName) -> std::io::Result<()> {
        if self.source() == source {
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
        let order = [SourceName::Remote, SourceName::Local];
        let (one, other) = (LastGiven::new(&state, "list-1", &order), LastGiven::new(&state, "list-2", &order));
        assert_eq!(one.source(), SourceName::Remote);
        one.remember(SourceName::Local).unwrap();
        assert_eq!((one.source(), other.source()), (SourceName::Local, SourceName::Remote));
        one.remember(SourceName::Remote).unwrap();
        assert_eq!(one.source(), SourceName::Remote);
    }

    #[test]
    fn as_long_as_the_first_source_answers_nothing_is_written() {
        let order = [SourceName::Remote, SourceName::Local];
        let state = StateDirectory::new(None);
        let last = LastGiven::new(&state, "list-1", &order);
        assert!(last.remember(SourceName::Remote).is_ok() && last.remember(SourceName::Local).is_err());
    }
}
