//! `exec_command` and `write_stdin`: a command of the model, and how it is with one that goes on. `shell_command` too.

use std::time::Duration;

use super::Workshop;
use super::run::{Proposal, Source};
use crate::random;
use crate::tool::patch::tool as patch_tool;
use crate::tool::sandbox::policy::Network;
use crate::tool::shell::call::{self, Asked, Deed, Input, Lasting, Reach, Wanted};
use crate::tool::shell::capture::Output;
use crate::tool::shell::invocation::{Invocation, Prepared};
use crate::tool::shell::jobs::{Job, MOST};
use crate::tool::shell::running::{Running, Waited};
use crate::tool::shell::told::{self, End, State};

impl Workshop<'_> {
    /// Runs what is wanted, or makes the change that it is in truth.
    pub(super) fn command(&mut self, wanted: Wanted) -> Result<String, String> {
        if let Some(done) = self.patch_in(&wanted) {
            return done;
        }
        let shown = wanted.invocation.shown();
        let (network, because) = match &wanted.reach {
            Reach::Usual => (Network::Refused, None),
            Reach::Network(why) => (Network::Allowed, Some(why.as_str())),
        };
        let prepared = wanted.invocation.in_directory(&self.workspace, &wanted.directory);
        let prepared = prepared.map_err(|impossible| impossible.to_string())?;
        self.bench.prepare(&self.workspace);
        let held = self.bench.held(network)?;
        let place = prepared.directory.display().to_string();
        self.approve(&Proposal { source: Source::Command, shown: &shown, place, held: &held, network, because })?;
        self.will_run();
        match wanted.lasting {
            Lasting::ToItsEnd(timeout) => {
                let (launcher, boundary) = self.bench.around_script(network)?;
                self.execute(launcher, boundary, prepared, timeout)
            }
            Lasting::GoingOn { wait, timeout, input } => {
                let job = self.start(Prepared { timeout, ..prepared }, shown, held, network, input)?;
                self.first_look(job, wait, wanted.most_tokens)
            }
        }
    }

    /// A patch that is given to the shell is asked about, and made, as one.
    fn patch_in(&mut self, wanted: &Wanted) -> Option<Result<String, String>> {
        let place = patch_tool::Place { workspace: &self.workspace, directory: &wanted.directory };
        let plan = match &wanted.invocation {
            Invocation::Script(text) => patch_tool::proposed_in_shell(text, place, &self.files)?,
            Invocation::Direct(command) => match command.as_slice() {
                [program, patch] if program == patch_tool::NAME => {
                    patch_tool::proposed_in(place, "", patch, &self.files)
                }
                _ => return None,
            },
        };
        Some(plan.and_then(|plan| self.change(&plan)))
    }

    fn start(
        &mut self,
        mut prepared: Prepared,
        shown: String,
        held: String,
        network: Network,
        input: Input,
    ) -> Result<Job, String> {
        let failed = |error: std::io::Error| format!("not started: {error}");
        if !self.jobs.has_place() {
            let list: Vec<String> = self.jobs.list().map(|(number, _)| number.to_string()).collect();
            let list = list.join(", ");
            return Err(format!("not started: {MOST} commands go on already; end one of these first: {list}"));
        }
        let (launcher, boundary) = self.bench.around_script(network)?;
        let input = match input {
            Input::Empty => None,
            Input::Open => {
                let (path, end) = launcher.scratch().open_input().map_err(failed)?;
                prepared.input = Some(path);
                Some(end)
            }
        };
        let directory = prepared.directory.clone();
        let running = Running::start(launcher, boundary, prepared).map_err(failed)?;
        Ok(Job { shown, directory, held, network, running, input })
    }

    fn first_look(&mut self, job: Job, wait: Duration, most_tokens: Option<u32>) -> Result<String, String> {
        let began = self.clock.elapsed();
        let end = match self.wait(&job.running, wait) {
            Waited::Ended(ending) => End::Itself(ending),
            Waited::Interrupted => {
                job.running.stop(self.clock);
                End::Interrupted
            }
            Waited::TimeIsUp => {
                let output = job.running.take_output();
                let number = self.jobs.adopt(job).map_err(|_| "there are too many commands already".to_owned())?;
                return Ok(self.tell(&State::GoesOn(number), began, &output, most_tokens));
            }
        };
        let output = job.running.take_output();
        Ok(self.tell(&State::Ended(end), began, &output, most_tokens))
    }

    /// How it is with a command that goes on, after something was done to it.
    pub(super) fn ask_after(&mut self, asked: Asked) -> Result<String, String> {
        let Asked { session, deed, wait, most_tokens } = asked;
        let unknown = || format!("no command goes on with session ID {session}");
        let began = self.clock.elapsed();
        let job = self.jobs.get_mut(session).ok_or_else(unknown)?;
        match deed {
            Deed::Look => {}
            Deed::EndInput => job.end_input(),
            Deed::Write(text) => {
                self.approve_input(session, &text)?;
                self.will_run();
                self.jobs.get_mut(session).ok_or_else(unknown)?.write(&text)?;
            }
            Deed::End => {
                let output = self.jobs.stop(session, self.clock).ok_or_else(unknown)?;
                return Ok(self.tell(&State::Ended(End::Wanted), began, &output, most_tokens));
            }
        }
        let running = &self.jobs.get(session).ok_or_else(unknown)?.running;
        let state = match self.wait(running, wait) {
            Waited::Ended(ending) => State::Ended(End::Itself(ending)),
            Waited::TimeIsUp => State::GoesOn(session),
            Waited::Interrupted => State::Ended(End::Interrupted),
        };
        let said = self.tell(&state, began, &running.take_output(), most_tokens);
        if matches!(state, State::Ended(_)) {
            self.jobs.stop(session, self.clock);
        }
        Ok(said)
    }

    /// What a shell or an interpreter reads is as good as a script.
    fn approve_input(&mut self, session: u32, text: &str) -> Result<(), String> {
        let Some(Job { shown, directory, held, network, .. }) = self.jobs.get(session) else { return Ok(()) };
        let (held, network) = (format!("{held}, as input of session {session}: {shown}"), *network);
        let place = directory.display().to_string();
        let source = Source::Input(session);
        self.approve(&Proposal { source, shown: text, place, held: &held, network, because: None })
    }

    fn tell(&self, state: &State, began: Duration, output: &Output, most_tokens: Option<u32>) -> String {
        let wall = self.clock.elapsed().saturating_sub(began);
        let how = match state {
            State::GoesOn(number) => format!("goes on in the background, session {number}"),
            State::Ended(end) => end.in_words(),
        };
        self.show_result(output, &how, wall);
        let chunk_id = random::uuid();
        told::of_state(&chunk_id[..CHUNK_ID], state, wall, output, self.budget.at_most(most_tokens))
    }
}

/// How many digits name an answer.
const CHUNK_ID: usize = 6;

/// What a call of one of the commands' tools is.
pub(super) fn wanted(name: &str, arguments: &str) -> Result<Wanted, String> {
    if name == call::EXEC { call::wanted(arguments) } else { call::wanted_of_old(arguments) }
}
