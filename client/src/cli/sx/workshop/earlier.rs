//! What was said before a conversation was compacted, where the model's commands can read it. What is kept of the
//! conversation itself is closed to them: other conversations stand beside it.

use std::path::PathBuf;

use super::Workshop;
use crate::conversation::compaction::kept;
use crate::conversation::item::Item;
use crate::drive::record::{Earlier, Recorder};
use crate::session::markdown;
use crate::tool::shell::call as shell;

/// The name of the documents.
const NAME: &str = "conversation";

/// What the model knows of the documents that tell the earlier conversation.
#[derive(Debug, Default)]
pub(super) enum Named {
    /// Nothing, or where they were in another session.
    #[default]
    NotHere,
    /// Where they are, in the order in which to read them; none when there is nothing to read.
    Here(Vec<PathBuf>),
}

impl Workshop<'_> {
    /// Puts it into the session's temporary directory, and says where it is. Where commands cannot be run there is none.
    pub(super) fn earlier(&mut self, earlier: Earlier<'_>) -> Option<String> {
        self.bench.prepare(&self.workspace);
        let scratch = self.bench.scratch()?;
        let before = match std::mem::take(&mut self.earlier) {
            Named::Here(paths) => paths,
            Named::NotHere => Vec::new(),
        };
        let (mut paths, text) = match earlier {
            Earlier::Whole(text) => (Vec::new(), text),
            Earlier::Told(items) => (before, markdown::of(items)),
        };
        paths.push(scratch.document(NAME, &text).ok()?);
        let shown: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        self.earlier = Named::Here(paths);
        Some(format!(
            "All of it up to here can be read word for word in {}, with {}, until this program ends.",
            shown.join(" and "),
            shell::EXEC
        ))
    }

    /// What the model is to know of a conversation that was compacted in another session: what its notes name went with
    /// that one. `None` when they name what is still there.
    pub(in crate::cli::sx) fn recall(&mut self, conversation: &[Item], recorder: &dyn Recorder) -> Option<String> {
        if matches!(self.earlier, Named::Here(_)) || !kept::has_summary(conversation) {
            return None;
        }
        let gone = "[This conversation goes on after sx was left. A file that the notes name for what was said before \
            is gone.";
        let here = recorder.document().and_then(|document| self.earlier(Earlier::Whole(document)));
        if let (None, Named::NotHere) = (&here, &self.earlier) {
            self.earlier = Named::Here(Vec::new());
        }
        Some(match here {
            Some(here) => format!("{gone} {here}]"),
            None => format!("{gone}]"),
        })
    }

    /// Another conversation has nothing to do with it.
    pub(super) fn forget_earlier(&mut self) {
        self.earlier = Named::default();
        self.bench.scratch().into_iter().for_each(|scratch| scratch.remove_documents(NAME));
    }
}
