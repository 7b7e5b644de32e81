//! The tools of a conversation, each behind the person's approval and, where this machine allows it, in a sandbox.
//!
//! * [`bench`]: how commands can be run here. * [`run`]: what every command goes through.
//! * [`earlier`]: what was said before a compaction, for commands to read.
//! * [`script`], [`function`], [`change`], [`view`], [`plan`]: one tool each; [`Workshop::call`] has an arm for it.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use self::bench::Bench;
use super::person::Person;
use super::screen::surface::Surface;
use crate::clock::Clock;
use crate::conversation::item::{Call, Given, Item, Output};
use crate::drive::{Tools, unsupported};
use crate::failure::Failure;
use crate::model::catalog::Model;
use crate::model::responses::Images;
use crate::model::tool_spec::ToolSpec;
use crate::settings::Surroundings;
use crate::settings::places::{self, Places};
use crate::settings::written::Written;
use crate::talk::Talk;
use crate::tool::approval::{Approvals, Confinement, Mode};
use crate::tool::function::description::Function;
use crate::tool::function::directory::{FOLDER, Functions};
use crate::tool::patch::directory::Directory;
use crate::tool::patch::tool as patch_tool;
use crate::tool::sandbox::closed_paths;
use crate::tool::sandbox::policy::Network;
use crate::tool::shell::call as shell;
use crate::tool::{update_plan, view_image};

mod bench;
mod change;
mod earlier;
mod function;
mod plan;
mod run;
mod script;
mod view;

/// The names of our own tools: no function may have one.
const OURS: [&str; 4] = [shell::NAME, patch_tool::NAME, view_image::NAME, update_plan::NAME];

/// What the model may use in one conversation.
pub(super) struct Workshop<'a> {
    specs: Vec<ToolSpec>,
    functions: Functions,
    workspace: PathBuf,
    /// What no tool may read, canonical.
    hidden: Vec<PathBuf>,
    /// How the model takes images.
    images: Images,
    files: Directory,
    /// What an edit could reach.
    edits: Confinement,
    bench: Bench,
    approvals: Approvals,
    person: Person,
    /// Where a command's output is shown while it runs, if anywhere.
    surface: Option<Surface>,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
}

impl<'a> Workshop<'a> {
    /// The tools for the directory in which the command runs.
    pub(super) fn open(
        surroundings: &Surroundings<'_>,
        written: &Written,
        mode: Mode,
        person: Person,
        clock: &'a dyn Clock,
        stop: &'a AtomicBool,
        talk: &mut Talk,
    ) -> Result<Self, Failure> {
        let workspace = surroundings.directory.clone();
        let unusable = |error| Failure::configuration(format!("{}: {error}", workspace.display()));
        let files = Directory::open(&workspace).map_err(unusable)?;
        let hidden = closed_paths::hidden(surroundings, &Places::around(surroundings), written);
        let home = surroundings.absolute_path("HOME");
        let edits = change::reach(&workspace, home.as_deref());
        let bench = Bench::Unknown { hidden: hidden.clone(), home, programs: surroundings.program_directory.clone() };
        let approvals = Approvals::new(mode);
        let folder = places::user_directory(surroundings).map(|folder| folder.join(FOLDER));
        let functions = folder.map(|folder| Functions::read(&folder, &OURS, talk)).unwrap_or_default();
        let (specs, images, surface) = (Vec::new(), Images::LeftOut, None);
        Ok(Self {
            specs,
            functions,
            workspace,
            hidden,
            images,
            files,
            edits,
            bench,
            approvals,
            person,
            surface,
            clock,
            stop,
        })
    }

    /// What commands print is shown here while they run.
    pub(super) fn shows_on(&mut self, surface: Surface) {
        self.surface = Some(surface);
    }

    /// Describes the tools as this model takes them.
    pub(super) fn suit(&mut self, model: &Model) {
        self.images = model.images;
        let patch = if model.freeform_patch { patch_tool::freeform() } else { patch_tool::function() };
        self.specs = vec![shell::spec(), patch, update_plan::spec()];
        self.specs.extend(view_image::spec(model.images));
        self.specs.extend(self.functions.all().iter().map(Function::spec));
    }

    /// How much the person is asked.
    pub(super) fn mode(&self) -> Mode {
        self.approvals.mode
    }

    /// The same, changed.
    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.approvals.mode = mode;
    }

    /// How a script would be held, for the person; looks, if nobody has.
    pub(super) fn held(&mut self) -> String {
        self.bench.prepare(&self.workspace);
        self.bench.held(Network::Refused).unwrap_or_else(|why| why)
    }

    /// Removes what commands needed.
    pub(super) fn close(self) {
        self.bench.close();
    }

    /// What a call brings, for the model; an error is told to it just the same. `None`: there is no such tool.
    fn call(&mut self, call: &Call) -> Option<Result<Output, String>> {
        let told = match (call.name.as_str(), &call.given) {
            (shell::NAME, Given::Arguments(arguments)) => self.script(arguments),
            (patch_tool::NAME, given) => self.patch(given),
            (update_plan::NAME, Given::Arguments(arguments)) => plan::shown(arguments, self.person),
            (view_image::NAME, Given::Arguments(arguments)) => return Some(self.view(arguments)),
            (name, Given::Arguments(arguments)) => self.function(name, arguments)?,
            (_, Given::Freeform(_)) => return None,
        };
        Some(told.map(Output::Text))
    }
}

impl Tools for Workshop<'_> {
    fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    fn run(&mut self, call: &Call) -> Output {
        match self.call(call) {
            Some(told) => told.unwrap_or_else(Output::Text),
            None => unsupported(call),
        }
    }

    fn keep(&mut self, conversation: &[Item]) -> Option<String> {
        self.earlier(conversation)
    }
}
