//! What was said before a conversation was compacted, where the model's commands can read it. What is kept of the
//! conversation itself is closed to them: other conversations stand beside it.

use super::Workshop;
use crate::conversation::item::Item;
use crate::session::markdown;
use crate::tool::shell::call as shell;

impl Workshop<'_> {
    /// Puts it into the session's temporary directory, and says where it is. Where commands cannot be run there is none.
    pub(super) fn earlier(&mut self, conversation: &[Item]) -> Option<String> {
        self.bench.prepare(&self.workspace);
        let scratch = self.bench.scratch()?;
        let path = scratch.document("conversation", &markdown::of(conversation)).ok()?;
        Some(format!(
            "All of it up to here can be read word for word in {}, with {}, until this program ends.",
            path.display(),
            shell::EXEC
        ))
    }
}
