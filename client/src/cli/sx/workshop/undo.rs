//! What the turns changed below the workspace: kept before it happens, shown, taken back.

use std::io;
use std::path::{Path, PathBuf};

use super::Workshop;
use crate::clock::Clock;
use crate::tool::approval::{Confinement, Person as Presence};
use crate::tool::patch::directory::Directory;
use crate::tool::patch::show::{self, Kind, Modes, Shown};
use crate::tool::patch::{Change, Plan};
use crate::tool::undo::{Conflicts, Refused, Span, TakenBack, TooLarge, Undo};

/// So many lines of a difference are shown at the most.
const MOST_LINES: usize = 400;

/// Nothing has changed yet. Only a project is looked at as a whole.
pub(super) fn begun<'a>(
    workspace: &Path,
    hidden: &[PathBuf],
    reach: Confinement,
    presence: Presence,
    clock: &'a dyn Clock,
) -> io::Result<Undo<'a>> {
    let files = Directory::open(workspace)?.without(workspace, hidden);
    let mut undo = Undo::new(workspace, files, clock);
    match (presence, reach) {
        (Presence::Absent, _) => undo.cover_nothing(),
        (Presence::Present, Confinement::Unconfined) => undo.leave_scripts_alone(),
        (Presence::Present, Confinement::Confined) => {}
    }
    Ok(undo)
}

impl Workshop<'_> {
    /// A turn begins. What goes on from an earlier one may change files in this one too.
    pub(in crate::cli::sx) fn begin_turn(&mut self) {
        if self.jobs.list().next().is_some() {
            self.will_run();
        }
    }

    /// A patch that was approved of will be applied.
    pub(super) fn will_patch(&mut self, plan: &Plan) {
        if let Err(error) = self.undo.before_patch(plan) {
            self.person.sees(&format!("/undo will not cover this patch: {error}"));
        }
    }

    /// Something that was approved of will run, and may change any file.
    pub(super) fn will_run(&mut self) {
        let looked = self.undo.before_script();
        self.say_what_is_not_covered(looked);
    }

    /// The turn is over, however it ended.
    pub(in crate::cli::sx) fn end_turn(&mut self) {
        let looked = self.undo.end_turn();
        self.say_what_is_not_covered(looked);
    }

    fn say_what_is_not_covered(&self, looked: Result<(), TooLarge>) {
        if let Err(why) = looked {
            self.person.sees(&format!("/undo and /diff cover patches from here on, not what scripts change: {why}"));
        }
    }

    /// Takes back what the last turn changed; `None`: no turn has changed anything.
    pub(in crate::cli::sx) fn take_back(&mut self, conflicts: Conflicts) -> Option<Result<TakenBack, Refused>> {
        let back = self.undo.way_back(conflicts)?;
        Some(back.and_then(|back| {
            if !back.changes().is_empty() {
                self.replace(back.changes()).map_err(Refused::NotDone)?;
            }
            Ok(self.undo.went_back(back))
        }))
    }

    /// Shows what changed; says how many files that were.
    pub(in crate::cli::sx) fn show_changes(&self, span: Span) -> io::Result<usize> {
        let changes = self.undo.changes(span)?;
        self.person.sees_changes(&bounded(&changes.changes, &changes.modes));
        changes.beyond.iter().for_each(|what| self.person.sees(&format!("{what}: changed too, not known how")));
        Ok(changes.changes.len() + changes.beyond.len())
    }
}

fn bounded(changes: &[Change], modes: &Modes) -> Vec<Shown> {
    let mut lines = show::of_changes(changes, modes);
    let more = lines.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.truncate(MOST_LINES);
        lines.push(Shown { kind: Kind::Gap, text: format!("... {more} more lines") });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::tool::patch::{self, Files as _};

    #[test]
    fn nothing_is_kept_where_nobody_could_take_it_back() {
        let project = tempfile::tempdir().unwrap();
        let clock = SystemClock::start();
        for (presence, kept) in [(Presence::Present, true), (Presence::Absent, false)] {
            let mut undo = begun(project.path(), &[], Confinement::Confined, presence, &clock).unwrap();
            let mut files = Directory::open(project.path()).unwrap();
            let plan = patch::read("*** Begin Patch\n*** Add File: patched\n+x\n*** End Patch", &files).unwrap();
            undo.before_patch(&plan).unwrap();
            files.replace(&plan.changes).unwrap();
            undo.before_script().unwrap();
            std::fs::write(project.path().join("scripted"), "x").unwrap();
            undo.end_turn().unwrap();
            assert_eq!(undo.changes(Span::All).unwrap().changes.len(), if kept { 2 } else { 0 });
            std::fs::remove_file(project.path().join("patched")).unwrap();
            std::fs::remove_file(project.path().join("scripted")).unwrap();
        }
    }
}
