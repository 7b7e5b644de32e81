//! The tools of a conversation, each behind the person's approval and, where this machine allows it, in a sandbox.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::person::{Choices, Person, Verdict};
use crate::clock::Clock;
use crate::conversation::item::{Call, Given, Output};
use crate::drive::{Tools, unsupported};
use crate::failure::Failure;
use crate::model::tool_spec::ToolSpec;
use crate::settings::Surroundings;
use crate::settings::places::{self, Places};
use crate::settings::written::Written;
use crate::talk::Talk;
use crate::tool::approval::{Action, Approvals, Confinement, Decision, Mode, Person as Presence};
use crate::tool::function::description::Function;
use crate::tool::function::directory::{FOLDER, Functions};
use crate::tool::output::Budget;
use crate::tool::patch::directory::Directory;
use crate::tool::patch::{self, Plan, show, tool as patch_tool};
use crate::tool::sandbox::launcher::Launcher;
use crate::tool::sandbox::order::Boundary;
use crate::tool::sandbox::policy::{Access, Network};
use crate::tool::sandbox::{Sandbox, Unavailable, closed_paths};
use crate::tool::shell::call::{self as shell, End};
use crate::tool::shell::invocation::{Invocation, Prepared};
use crate::tool::shell::running::{Running, Waited};
use crate::tool::update_plan::{self, Status};

/// The names of our own tools: no function may have one.
const OURS: [&str; 3] = [shell::NAME, patch_tool::NAME, update_plan::NAME];
const PATCH_REJECTED: &str = "patch rejected by user";

/// What the model may use in one conversation.
pub(super) struct Workshop<'a> {
    specs: Vec<ToolSpec>,
    functions: Functions,
    workspace: PathBuf,
    files: Directory,
    /// What an edit could reach.
    edits: Confinement,
    bench: Bench,
    approvals: Approvals,
    person: Person,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
}

/// How commands can be run here.
enum Bench {
    /// Nobody has looked yet: it takes a moment, and most conversations run nothing.
    Unknown { hidden: Vec<PathBuf>, home: Option<PathBuf>, programs: Option<PathBuf> },
    /// In a sandbox that was seen to hold.
    Confined(Launcher, Sandbox),
    /// Without one, because of this; only what the person has just seen and agreed to.
    Open(Launcher, String),
    /// Not at all, because of this.
    Closed(String),
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
        let edits = reach_of_edits(&workspace, home.as_deref());
        let bench = Bench::Unknown { hidden, home, programs: surroundings.program_directory.clone() };
        let approvals = Approvals::new(mode);
        let folder = places::user_directory(surroundings).map(|folder| folder.join(FOLDER));
        let functions = folder.map(|folder| Functions::read(&folder, &OURS, talk)).unwrap_or_default();
        Ok(Self { specs: Vec::new(), functions, workspace, files, edits, bench, approvals, person, clock, stop })
    }

    /// Describes the tools as this model takes them.
    pub(super) fn suit(&mut self, freeform_patch: bool) {
        let patch = if freeform_patch { patch_tool::freeform() } else { patch_tool::function() };
        self.specs = vec![shell::spec(), patch, update_plan::spec()];
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

    /// Removes what commands needed.
    pub(super) fn close(self) {
        if let Bench::Confined(launcher, _) | Bench::Open(launcher, _) = self.bench {
            // What is left in the temporary directory harms nobody.
            let _ = launcher.close();
        }
    }

    fn shell(&mut self, arguments: &str) -> Result<String, String> {
        let wanted = shell::wanted(arguments)?;
        if let Some(plan) = patch_tool::proposed_in_shell(&wanted.script, &wanted.directory, &self.files) {
            return self.change(&plan?);
        }
        let script = wanted.script.clone();
        let prepared = Invocation::Script(wanted.script).in_directory(&self.workspace, &wanted.directory);
        let prepared = prepared.map_err(|impossible| impossible.to_string())?;
        self.prepare_bench();
        let held = self.held()?;
        self.approve(&script, &prepared, &held)?;
        let (launcher, boundary) = self.boundary(None)?;
        self.execute(launcher, boundary, prepared, wanted.timeout)
    }

    /// A program of the person's own, which reads its arguments.
    fn function(&mut self, name: &str, arguments: &str) -> Option<Result<String, String>> {
        let function = self.functions.named(name)?.clone();
        Some(self.call(&function, arguments))
    }

    fn call(&mut self, function: &Function, arguments: &str) -> Result<String, String> {
        let arguments = function.arguments(arguments)?;
        let program = function.program.to_str().ok_or("the program's path is not UTF-8")?.to_owned();
        let shown = format!("{program} <<< {arguments}");
        let prepared = Invocation::Direct(vec![program]).in_directory(&self.workspace, "");
        let mut prepared = prepared.map_err(|impossible| impossible.to_string())?;
        self.prepare_bench();
        let held = match (&self.bench, function.network) {
            (Bench::Confined(..), Network::Allowed) => "in a sandbox, with network".to_owned(),
            _ => self.held()?,
        };
        self.approve(&shown, &prepared, &held)?;
        let (launcher, boundary) = self.boundary(Some(function))?;
        let input = launcher.scratch().input(&arguments).map_err(|error| format!("not started: {error}"))?;
        prepared.input = Some(input);
        self.execute(launcher, boundary, prepared, function.timeout)
    }

    fn approve(&mut self, shown: &str, prepared: &Prepared, held: &str) -> Result<(), String> {
        // What is remembered is all that was shown: the same text elsewhere, or with a network, is asked about again.
        let remembered = format!("{held}\0{}\0{shown}", prepared.directory.display());
        let decision = self.approvals.decide(Action::Run(&remembered), self.confinement(), Presence::Present);
        self.person.sees_command(shown, &prepared.directory.display().to_string(), held);
        match decision {
            Decision::Allow => Ok(()),
            Decision::Refuse(why) => Err(why.to_owned()),
            Decision::Ask => match self.person.decides("run it?", self.choices()) {
                Verdict::Yes => Ok(()),
                Verdict::Always => {
                    self.approvals.remember(&remembered);
                    Ok(())
                }
                Verdict::No => Err(shell::REJECTED.to_owned()),
                Verdict::Stop => {
                    self.stop.store(true, Ordering::Relaxed);
                    Err(shell::REJECTED.to_owned())
                }
            },
        }
    }

    fn execute(
        &self,
        launcher: &Launcher,
        boundary: Boundary,
        prepared: Prepared,
        timeout: Duration,
    ) -> Result<String, String> {
        let began = self.clock.elapsed();
        let running = Running::start(launcher, boundary, prepared).map_err(|error| format!("not started: {error}"))?;
        let end = match running.wait(self.clock, timeout, &|| self.stop.load(Ordering::Relaxed)) {
            Waited::Ended(ending) => End::Itself(ending),
            Waited::TimeIsUp => {
                running.stop(self.clock);
                End::TimeIsUp(timeout)
            }
            Waited::Interrupted => {
                running.stop(self.clock);
                End::Interrupted
            }
        };
        let (wall, output) = (self.clock.elapsed().saturating_sub(began), running.take_output());
        self.person.sees_result(&output.text(), &format!("{}, {:.1} s", end.in_words(), wall.as_secs_f32()));
        Ok(shell::told(&end, wall, &output, Budget::default()))
    }

    fn patch(&mut self, given: &Given) -> Result<String, String> {
        self.change(&patch_tool::proposed(given, &self.files)?)
    }

    fn change(&mut self, plan: &Plan) -> Result<String, String> {
        let decision = self.approvals.decide(Action::Edit, self.edits, Presence::Present);
        self.person.sees_changes(&show::shown(plan));
        match decision {
            Decision::Allow => {}
            Decision::Refuse(why) => return Err(why.to_owned()),
            Decision::Ask => match self.person.decides("change these files?", Choices::YesNo) {
                Verdict::Yes => {}
                Verdict::Always | Verdict::No => return Err(PATCH_REJECTED.to_owned()),
                Verdict::Stop => {
                    self.stop.store(true, Ordering::Relaxed);
                    return Err(PATCH_REJECTED.to_owned());
                }
            },
        }
        patch::apply(plan, &mut self.files).map_err(|rejection| rejection.to_string())
    }

    fn prepare_bench(&mut self) {
        let Bench::Unknown { hidden, home, programs } = &mut self.bench else { return };
        let programs = programs.take().unwrap_or_default();
        let (hidden, home) = (std::mem::take(hidden), home.take());
        self.bench = match Launcher::new(&programs, std::env::vars_os(), &std::env::temp_dir()) {
            Err(unavailable) => Bench::Closed(unavailable.to_string()),
            Ok(launcher) => match Sandbox::prove(&launcher, &self.workspace, hidden, home.as_deref()) {
                Ok(sandbox) => Bench::Confined(launcher, sandbox),
                Err(
                    unavailable @ (Unavailable::System | Unavailable::NotHeld { .. } | Unavailable::Workspace { .. }),
                ) => Bench::Open(launcher, unavailable.to_string()),
                Err(unavailable) => Bench::Closed(unavailable.to_string()),
            },
        };
    }

    fn confinement(&self) -> Confinement {
        match self.bench {
            Bench::Confined(..) => Confinement::Confined,
            Bench::Unknown { .. } | Bench::Open(..) | Bench::Closed(_) => Confinement::Unconfined,
        }
    }

    /// What nothing holds is asked about each time.
    fn choices(&self) -> Choices {
        match self.confinement() {
            Confinement::Confined => Choices::WithAlways,
            Confinement::Unconfined => Choices::YesNo,
        }
    }

    /// How a command would be held, for the person.
    fn held(&self) -> Result<String, String> {
        match &self.bench {
            Bench::Confined(..) => Ok("in a sandbox, without network".to_owned()),
            Bench::Open(_, why) => Ok(format!("NOT confined ({why})")),
            Bench::Closed(why) => Err(format!("commands cannot be run here: {why}")),
            Bench::Unknown { .. } => Err("commands cannot be run yet".to_owned()),
        }
    }

    /// What holds a script, or a function of the person.
    fn boundary(&self, function: Option<&Function>) -> Result<(&Launcher, Boundary), String> {
        match &self.bench {
            Bench::Confined(launcher, sandbox) => {
                let boundary = match function {
                    None => sandbox.boundary(Access::Write, Network::Refused),
                    Some(function) => sandbox.boundary_around(self.functions.folder(), Access::Write, function.network),
                };
                Ok((launcher, boundary))
            }
            Bench::Open(launcher, _) => Ok((launcher, launcher.unconfined())),
            Bench::Unknown { .. } | Bench::Closed(_) => Err("commands cannot be run here".to_owned()),
        }
    }
}

impl Tools for Workshop<'_> {
    fn specs(&self) -> &[ToolSpec] {
        &self.specs
    }

    fn run(&mut self, call: &Call) -> Output {
        let told = match (call.name.as_str(), &call.given) {
            (shell::NAME, Given::Arguments(arguments)) => self.shell(arguments),
            (patch_tool::NAME, given) => self.patch(given),
            (update_plan::NAME, Given::Arguments(arguments)) => plan(arguments, self.person),
            (name, Given::Arguments(arguments)) => match self.function(name, arguments) {
                Some(told) => told,
                None => return unsupported(call),
            },
            (_, Given::Freeform(_)) => return unsupported(call),
        };
        Output::Text(told.unwrap_or_else(|why| why))
    }
}

/// In a home directory, or above it, a file can be anything: then no edit is made unasked.
fn reach_of_edits(workspace: &Path, home: Option<&Path>) -> Confinement {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match home {
        Some(home) if !canonical(home).starts_with(canonical(workspace)) => Confinement::Confined,
        Some(_) | None => Confinement::Unconfined,
    }
}

fn plan(arguments: &str, person: Person) -> Result<String, String> {
    let plan = update_plan::read(arguments)?;
    plan.explanation.iter().for_each(|text| person.sees(text));
    for step in &plan.steps {
        let mark = match step.status {
            Status::Pending => "[ ]",
            Status::InProgress => "[>]",
            Status::Completed => "[x]",
        };
        person.sees(&format!("{mark} {}", step.text));
    }
    Ok(update_plan::UPDATED.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_in_a_project_are_edits_made_unasked() {
        let home = tempfile::tempdir().unwrap();
        let project = home.path().join("project");
        std::fs::create_dir(&project).unwrap();
        std::os::unix::fs::symlink(home.path(), project.join("link")).unwrap();
        let reach = |workspace: &Path| reach_of_edits(workspace, Some(home.path()));
        assert_eq!(reach(&project), Confinement::Confined);
        for more in [home.path(), home.path().parent().unwrap(), Path::new("/"), &project.join("link")] {
            assert_eq!(reach(more), Confinement::Unconfined, "{}", more.display());
        }
        assert_eq!(reach_of_edits(&project, None), Confinement::Unconfined);
    }
}
