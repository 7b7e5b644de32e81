//! `apply_patch`: files change as the model says, after the person has seen how.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::Workshop;
use crate::cli::sx::person::{Choices, Verdict};
use crate::conversation::item::Given;
use crate::tool::approval::{Action, Confinement, Decision};
use crate::tool::patch::confined::Confined;
use crate::tool::patch::{self, Change, Files as _, Plan, Rejection, show, tool as patch_tool};

const REJECTED: &str = "patch rejected by user";

impl Workshop<'_> {
    pub(super) fn patch(&mut self, given: &Given) -> Result<String, String> {
        self.change(&patch_tool::proposed(given, &self.files)?)
    }

    pub(super) fn change(&mut self, plan: &Plan) -> Result<String, String> {
        self.bench.prepare(&self.workspace);
        // What nothing holds is asked about each time.
        let reach = match self.bench.confinement() {
            Confinement::Confined => self.edits,
            Confinement::Unconfined => Confinement::Unconfined,
        };
        match self.approvals.decide(Action::Edit, reach, self.person.presence()) {
            Decision::Refuse(why) => {
                self.person.sees_refusal(&plan.summary.join(", "), why);
                return Err(why.to_owned());
            }
            Decision::Allow => self.show(plan),
            Decision::Ask => {
                self.show(plan);
                match self.person.decides("change these files?", Choices::YesNo) {
                    Verdict::Yes => {}
                    Verdict::Always | Verdict::No => return Err(REJECTED.to_owned()),
                    Verdict::Stop => {
                        self.stop.store(true, Ordering::Relaxed);
                        return Err(REJECTED.to_owned());
                    }
                }
            }
        }
        self.perform(plan)
    }

    fn show(&self, plan: &Plan) {
        self.person.sees_changes(&show::shown(plan));
        if let Some(why) = self.bench.unconfined_because() {
            self.person.sees(&format!("NOT confined ({why}): sx itself changes these files"));
        }
    }

    /// All files of it, or none; in the sandbox where there is one. It must have been approved of.
    fn perform(&mut self, plan: &Plan) -> Result<String, String> {
        self.will_patch(plan);
        self.replace(&plan.changes).map_err(|rejection| rejection.to_string())?;
        Ok(patch::done(plan))
    }

    /// The same, for whoever has the person's word for it.
    pub(super) fn replace(&mut self, changes: &[Change]) -> Result<(), Rejection> {
        self.bench.prepare(&self.workspace);
        match self.bench.around_patch() {
            Some((launcher, boundary)) => {
                Confined::new(&self.files, &self.workspace, launcher, boundary).replace(changes)
            }
            None => self.files.replace(changes),
        }
    }
}

/// In a home directory, or above it, a file can be anything: then no edit is made unasked.
pub(super) fn reach(workspace: &Path, home: Option<&Path>) -> Confinement {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match home {
        Some(home) if !canonical(home).starts_with(canonical(workspace)) => Confinement::Confined,
        Some(_) | None => Confinement::Unconfined,
    }
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
        let of = |workspace: &Path| reach(workspace, Some(home.path()));
        assert_eq!(of(&project), Confinement::Confined);
        for more in [home.path(), home.path().parent().unwrap(), Path::new("/"), &project.join("link")] {
            assert_eq!(of(more), Confinement::Unconfined, "{}", more.display());
        }
        assert_eq!(reach(&project, None), Confinement::Unconfined);
    }
}
