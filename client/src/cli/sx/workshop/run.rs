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

/// What kind of call it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// A command of the model.
    Command,
    /// A function of the person.
    Function,
    /// Input for the command of this number, which goes on.
    Input(u32),
}

impl Source {
    fn in_words(self) -> String {
        match self {
            Self::Command => "command".to_owned(),
            Self::Function => "function".to_owned(),
            Self::Input(session) => format!("input of {session}"),
        }
    }
}

/// What is to be approved: all that the person sees.
pub(super) struct Proposal<'a> {
    /// What kind of call it is.
    pub(super) source: Source,
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

impl Proposal<'_> {
    /// What a lasting approval is for: all that was shown. The same text elsewhere, or for another kind of call, is asked
    /// about again.
    fn remembered(&self) -> String {
        let Self { source, shown, place, held, .. } = self;
        format!("{}\0{held}\0{place}\0{shown}", source.in_words())
    }
}

impl Workshop<'_> {
    /// Asks for the person's approval where the rules say so.
    pub(super) fn approve(&mut self, proposal: &Proposal<'_>) -> Result<(), String> {
        let Proposal { shown, place, held, network, because, .. } = proposal;
        let remembered = proposal.remembered();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_for_one_kind_of_call_only() {
        let remembered = |source| {
            let network = Network::Refused;
            Proposal { source, shown: "x <<< '{}'", place: "/p".into(), held: "h", network, because: None }.remembered()
        };
        let sources = [Source::Command, Source::Function, Source::Input(1), Source::Input(2)];
        let all: std::collections::BTreeSet<String> = sources.into_iter().map(remembered).collect();
        assert_eq!(all.len(), sources.len());
    }
}
