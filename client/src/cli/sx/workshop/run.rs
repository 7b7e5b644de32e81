//! What every command goes through, a script or a function: the person's approval, its run, what the model is told.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Workshop;
use crate::cli::sx::person::{Choices, Verdict};
use crate::cli::sx::tail;
use crate::tool::approval::{Action, Confinement, Decision, Person as Presence};
use crate::tool::output::Budget;
use crate::tool::sandbox::launcher::Launcher;
use crate::tool::sandbox::order::Boundary;
use crate::tool::shell::call::{self as shell, End};
use crate::tool::shell::invocation::Prepared;
use crate::tool::shell::running::{Running, Waited};

impl Workshop<'_> {
    /// Asks for the person's approval where the rules say so.
    pub(super) fn approve(&mut self, shown: &str, prepared: &Prepared, held: &str) -> Result<(), String> {
        // What is remembered is all that was shown: the same text elsewhere, or with a network, is asked about again.
        let remembered = format!("{held}\0{}\0{shown}", prepared.directory.display());
        let confinement = self.bench.confinement();
        let decision = self.approvals.decide(Action::Run(&remembered), confinement, Presence::Present);
        self.person.sees_command(shown, &prepared.directory.display().to_string(), held);
        match decision {
            Decision::Allow => Ok(()),
            Decision::Refuse(why) => Err(why.to_owned()),
            Decision::Ask => match self.person.decides("run it?", choices(confinement)) {
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

    /// Runs it to its end, to the end of its time, or until the person has had enough.
    pub(super) fn execute(
        &self,
        launcher: &Launcher,
        boundary: Boundary,
        prepared: Prepared,
        timeout: Duration,
    ) -> Result<String, String> {
        let began = self.clock.elapsed();
        let running = Running::start(launcher, boundary, prepared).map_err(|error| format!("not started: {error}"))?;
        let end = match tail::watch(&running, self.clock, timeout, self.stop, self.surface) {
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
}

/// What nothing holds is asked about each time.
fn choices(confinement: Confinement) -> Choices {
    match confinement {
        Confinement::Confined => Choices::WithAlways,
        Confinement::Unconfined => Choices::YesNo,
    }
}
