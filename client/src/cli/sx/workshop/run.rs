//! What every command goes through, a script or a function: the person's approval, and the wait for it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Workshop;
use crate::cli::sx::person::{Choices, Verdict};
use crate::cli::sx::tail;
use crate::tool::approval::{Action, Confinement, Decision};
use crate::tool::sandbox::launcher::Launcher;
use crate::tool::sandbox::order::Boundary;
use crate::tool::sandbox::policy::Network;
use crate::tool::shell::call as shell;
use crate::tool::shell::capture::Output;
use crate::tool::shell::invocation::Prepared;
use crate::tool::shell::running::{Running, Waited};
use crate::tool::shell::told::{self, End};

/// What is to be approved: all that the person sees.
pub(super) struct Proposal<'a> {
    /// What runs, to the letter.
    pub(super) shown: &'a str,
    /// Where.
    pub(super) place: String,
    /// What holds it.
    pub(super) held: &'a str,
    /// Whether the model wants a network for it, which the person did not grant beforehand.
    pub(super) network: Network,
    /// Why, as the model says.
    pub(super) because: Option<&'a str>,
}

impl Workshop<'_> {
    /// Asks for the person's approval where the rules say so.
    pub(super) fn approve(&mut self, proposal: &Proposal<'_>) -> Result<(), String> {
        let Proposal { shown, place, held, network, because } = proposal;
        // What is remembered is all that was shown: the same text elsewhere, or with a network, is asked about again.
        let remembered = format!("{held}\0{place}\0{shown}");
        let action = match network {
            Network::Refused => Action::Run(&remembered),
            Network::Allowed => Action::RunWithNetwork(&remembered),
        };
        let confinement = self.bench.confinement();
        match self.approvals.decide(action, confinement, self.person.presence()) {
            Decision::Refuse(why) => {
                self.person.sees_refusal(shown, why);
                Err(why.to_owned())
            }
            Decision::Allow => {
                self.person.sees_command(shown, place, held);
                Ok(())
            }
            Decision::Ask => {
                because.iter().for_each(|why| self.person.sees_reason(why));
                self.person.sees_command(shown, place, held);
                match self.person.decides("run it?", choices(confinement)) {
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
                }
            }
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
        let end = match self.wait(&running, timeout) {
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
        self.show_result(&output, &end.in_words(), wall);
        Ok(told::of_end(&end, wall, &output, self.budget))
    }

    /// Waits for a command while the person looks on.
    pub(super) fn wait(&self, running: &Running, at_most: Duration) -> Waited {
        tail::watch(running, self.clock, at_most, self.stop, self.surface)
    }

    pub(super) fn show_result(&self, output: &Output, how: &str, wall: Duration) {
        self.person.sees_result(&output.text(), &format!("{how}, {:.1} s", wall.as_secs_f32()));
    }
}

/// What nothing holds is asked about each time.
fn choices(confinement: Confinement) -> Choices {
    match confinement {
        Confinement::Confined => Choices::WithAlways,
        Confinement::Unconfined => Choices::YesNo,
    }
}
