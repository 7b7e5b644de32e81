//! The tools of a conversation, each behind the person's approval and, where this machine allows it, in a sandbox.
//!
//! * [`bench`]: how commands can be run here. * [`run`]: what every command goes through.
//! * [`earlier`]: what was said before a compaction, for commands to read.
//! * [`command`], [`function`], [`change`], [`view`], [`plan`]: one tool each; [`Workshop::call`] has an arm for it.
//! * [`undo`]: what the turns changed.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use self::bench::Bench;
use self::earlier::Named;
use super::person::Person;
use super::screen::surface::Surface;
use crate::cli::backend::Scene;
use crate::clock::Clock;
use crate::conversation::item::{Call, Given, Output};
use crate::drive::record::Earlier;
use crate::drive::{Tools, unsupported};
use crate::failure::Failure;
use crate::model::catalog::Model;
use crate::model::responses::Images;
use crate::model::tool_spec::ToolSpec;
use crate::settings::Surroundings;
use crate::settings::places::{self, Places};
use crate::settings::written::{Key, Written};
use crate::talk::Talk;
use crate::tool::approval::{Approvals, Confinement, Mode};
use crate::tool::function::description::Function;
use crate::tool::function::directory::{FOLDER, Functions};
use crate::tool::output::{self, Budget};
use crate::tool::patch::directory::Directory;
use crate::tool::patch::tool as patch_tool;
use crate::tool::sandbox::closed_paths;
use crate::tool::sandbox::policy::Network;
use crate::tool::shell::call as shell;
use crate::tool::shell::jobs::Jobs;
use crate::tool::undo::Undo;
use crate::tool::{update_plan, view_image};

mod bench;
mod change;
mod command;
mod earlier;
mod function;
mod plan;
mod run;
mod undo;
mod view;

/// The names of our own tools: no function may have one.
const OURS: [&str; 7] = [
    shell::EXEC,
    shell::WRITE,
    shell::OLDER[0],
    shell::OLDER[1],
    patch_tool::NAME,
    view_image::NAME,
    update_plan::NAME,
];

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
    /// The commands that go on.
    jobs: Jobs,
    /// Where the model was told that it can read what was said before a compaction.
    earlier: Named,
    /// How much of an output this model is told.
    budget: Budget,
    approvals: Approvals,
    undo: Undo<'a>,
    person: Person,
    /// Where a command's output is shown while it runs, if anywhere.
    surface: Option<Surface>,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
}

impl<'a> Workshop<'a> {
    /// The tools, unless the settings say that there are none.
    pub(super) fn set_up(
        scene: &Scene<'_>,
        written: &Written,
        mode: Mode,
        person: Person,
        clock: &'a dyn Clock,
        stop: &'a AtomicBool,
        talk: &mut Talk,
    ) -> Result<Option<Self>, Failure> {
        match written.get(Key::Tools) {
            Some(value) if value.text.as_str() == "0" => Ok(None),
            Some(value) if value.text.as_str() != "1" => Err(value.wrong("expected 1 or 0")),
            Some(_) | None => Self::open(scene.surroundings, written, mode, person, clock, stop, talk).map(Some),
        }
    }

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
        let hidden = closed_paths::hidden(surroundings, &Places::around(surroundings), written);
        let files = Directory::open(&workspace).map_err(unusable)?.without(&workspace, &hidden);
        let home = surroundings.absolute_path("HOME");
        let edits = change::reach(&workspace, home.as_deref());
        let undo = undo::begun(&workspace, &hidden, edits, person.presence(), clock).map_err(unusable)?;
        let bench = Bench::Unknown { hidden: hidden.clone(), home, programs: surroundings.program_directory.clone() };
        let approvals = Approvals::new(mode);
        let folder = places::user_directory(surroundings).map(|folder| folder.join(FOLDER));
        let functions = folder.map(|folder| Functions::read(&folder, &OURS, talk)).unwrap_or_default();
        let (specs, images, surface) = (Vec::new(), Images::LeftOut, None);
        let (jobs, earlier, budget) = (Jobs::default(), Named::default(), Budget::default());
        Ok(Self {
            specs,
            functions,
            workspace,
            hidden,
            images,
            files,
            edits,
            bench,
            jobs,
            earlier,
            budget,
            approvals,
            undo,
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
        (self.images, self.budget) = (model.images, model.told_of_outputs);
        let patch = if model.freeform_patch { patch_tool::freeform() } else { patch_tool::function() };
        self.specs = vec![shell::spec(), shell::spec_of_write(), patch, update_plan::spec()];
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

    /// Another conversation begins: it knows nothing of the commands that go on, and has changed no file.
    pub(super) fn clear(&mut self) {
        for (number, shown) in self.jobs.list() {
            self.person.sees(&format!("ended: session {number}: {shown}"));
        }
        self.jobs.stop_all(self.clock);
        self.undo.forget();
        self.forget_earlier();
    }

    /// Ends what goes on, and removes what commands needed.
    pub(super) fn close(mut self) {
        self.jobs.stop_all(self.clock);
        self.bench.close();
    }

    /// What a call brings, for the model; an error is told to it just the same. `None`: there is no such tool.
    fn call(&mut self, call: &Call) -> Option<Result<Output, String>> {
        let told = match (call.name.as_str(), &call.given) {
            (name, Given::Arguments(arguments)) if name == shell::EXEC || shell::OLDER.contains(&name) => {
                command::wanted(name, arguments).and_then(|wanted| self.command(wanted))
            }
            (shell::WRITE, Given::Arguments(arguments)) => {
                shell::asked(arguments).and_then(|asked| self.ask_after(asked))
            }
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
        match self.call(call).map(|told| told.unwrap_or_else(Output::Text)) {
            Some(Output::Text(text)) => Output::Text(output::for_history(text, self.budget)),
            Some(told @ Output::Parts(_)) => told,
            None => unsupported(call),
        }
    }

    fn keep(&mut self, earlier: Earlier<'_>) -> Option<String> {
        self.earlier(earlier)
    }
}
