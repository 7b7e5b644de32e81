//! What stands in front of a conversation with tools: instructions of the person and the project, and where it works.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::backend::Scene;
use crate::clock::Clock;
use crate::conversation::item::Item;
use crate::failure::visible;
use crate::instructions::Instructions;
use crate::instructions::context::{self, Environment};
use crate::settings::places::Places;
use crate::talk::Talk;
use crate::tool::sandbox::closed_paths;
use crate::tool::shell::invocation;

/// The instructions, and where the model works.
pub(super) struct Context {
    instructions: Instructions,
    environment: Environment,
}

impl Context {
    /// Reads what holds for the directory in which the command runs.
    pub(super) fn gather(scene: &Scene<'_>, clock: &dyn Clock, talk: &mut Talk) -> Self {
        let surroundings = scene.surroundings;
        let hidden = closed_paths::hidden(surroundings, &Places::around(surroundings), scene.settings.written());
        let now = Timestamp::from_millisecond(clock.unix_ms()).unwrap_or(Timestamp::UNIX_EPOCH);
        let environment = Environment {
            directory: visible(&surroundings.directory.display().to_string()),
            shell: invocation::shell(),
            date: now.to_zoned(TimeZone::system()).date(),
        };
        Self { instructions: Instructions::gather(surroundings, &hidden, talk), environment }
    }

    /// What the model is told.
    pub(super) fn item(&self) -> Item {
        context::item(self.instructions.all(), &self.environment)
    }

    /// What the person is told of it: which files; nothing when there are none.
    pub(super) fn line(&self) -> Option<String> {
        self.instructions.line()
    }
}
