//! A conversation at the terminal: a line is read, something is done, and so on until the person leaves.
//!
//! * [`opening`]: what it begins with. * [`voice`]: what is said to the person. * [`greeting`]: what is said first.
//! * [`turn`]: a prompt and its answer. * [`standing`]: how it stands. * [`tools`]: what the model may use.
//! * [`adopt`]: settings that have changed.
//! * [`obey`]: a command of the person, each in a file of its own: [`help`], [`status`], [`model`], [`approvals`],
//!   [`profile`], [`config`], [`usage`], [`image`], [`compact`], [`undo`], [`anew`], [`resume`].

use std::sync::atomic::{AtomicBool, Ordering};

pub(super) use self::opening::converse;
use super::attach::picture::Attached;
use super::command::{Line, read};
use super::context::Context;
use super::line::{Kept, LineEditor, Offers, PROMPT, Reading};
use super::manner::Wish;
use super::screen::surface::Surface;
use super::status::Standing;
use super::workshop::Workshop;
use crate::cli::backend::Scene;
use crate::clock::Clock;
use crate::conversation::history::History;
use crate::drive::Driver;
use crate::failure::Failure;
use crate::model::catalog::Catalog;
use crate::session::recorder::Keeper;
use crate::settings::Settings;
use crate::settings::places::Places;
use crate::settings::written::Written;
use crate::talk::Talk;
use crate::tool::approval::Mode;
use crate::tool::sandbox::closed_paths;

mod adopt;
mod anew;
mod approvals;
mod compact;
mod config;
mod greeting;
mod help;
mod image;
mod model;
mod obey;
mod opening;
mod profile;
mod resume;
mod standing;
mod status;
mod tools;
mod turn;
mod undo;
mod usage;
mod voice;

/// What lasts from one line to the next.
struct Conversation<'a> {
    scene: &'a Scene<'a>,
    catalog: Option<Catalog>,
    wish: Wish,
    driver: Driver<'a>,
    history: History,
    keeper: Keeper<'a>,
    /// For the next prompt.
    images: Vec<Attached>,
    tools: Option<Workshop<'a>>,
    /// What the model is to know with the next prompt.
    notes: Vec<String>,
    /// What stands in front of it, when there are tools.
    context: Option<Context>,
    /// How much the person is asked when there are tools.
    mode: Mode,
    /// The settings that hold since they were changed; those of the beginning when `None`.
    adopted: Option<Settings>,
    /// The profile that was chosen in this conversation; `off` for none.
    profile: Option<String>,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    surface: Surface,
    standing: Standing,
    verbose: bool,
}

/// Whether the conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    GoOn,
    Leave,
}

impl<'a> Conversation<'a> {
    fn go_on(&mut self, mut first: Option<String>, talk: &mut Talk) -> Result<(), Failure> {
        let broken = |error| Failure::temporary(format!("the terminal cannot be read: {error}"));
        let kept = if self.keeper.is_wanted() { Kept::of(self.scene.surroundings) } else { Kept::nowhere() };
        let mut editor = LineEditor::new(kept, self.offers(), self.surface.colour).map_err(broken)?;
        loop {
            let line = match first.take() {
                Some(line) => {
                    voice::say(&format!("{PROMPT}{line}"));
                    line
                }
                None => match self.read(&mut editor)? {
                    Reading::Line(line) => line,
                    Reading::TakenBack => {
                        voice::say("Ctrl-C again or Ctrl-D leaves");
                        continue;
                    }
                    Reading::Left => return Ok(()),
                },
            };
            // Before anything is done: it may end the command.
            editor.remember(&line);
            self.stop.store(false, Ordering::Relaxed);
            let after = self.act(&line, talk);
            voice::tell(talk, self.verbose);
            if after == After::Leave {
                return Ok(());
            }
        }
    }

    fn read(&self, editor: &mut LineEditor<'a>) -> Result<Reading, Failure> {
        if let Some(offers) = editor.offers() {
            offers.efforts.clone_from(&self.driver.manner().model.efforts);
            offers.profiles = profile::names(self.scene.surroundings);
        }
        editor.read()
    }

    fn act(&mut self, line: &str, talk: &mut Talk) -> After {
        match read(line) {
            Line::Empty => After::GoOn,
            Line::Command(command) => obey::obey(self, command, talk),
            Line::Unknown(name) => help::no_such_command(name, talk),
            Line::Prompt(prompt) => turn::answer(self, prompt, talk),
        }
    }

    /// What can be completed.
    fn offers(&self) -> Offers<'a> {
        let scene = self.scene;
        let closed =
            || closed_paths::hidden(scene.surroundings, &Places::around(scene.surroundings), scene.settings.written());
        let mut offers = Offers::new(scene.surroundings, Box::new(closed));
        offers.models = model::listed(self.catalog.as_ref()).map(|model| model.slug.clone()).collect();
        offers
    }

    /// The settings that hold.
    fn written(&self) -> &Written {
        self.adopted.as_ref().unwrap_or(self.scene.settings).written()
    }
}
