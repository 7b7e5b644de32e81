//! A program of the person's own, which reads its arguments from standard input.

use super::Workshop;
use super::run::{Proposal, Source};
use crate::tool::function::description::Function;
use crate::tool::sandbox::policy::Network;
use crate::tool::shell::invocation::{Invocation, quoted};

impl Workshop<'_> {
    /// `None`: the person has no function of this name.
    pub(super) fn function(&mut self, name: &str, arguments: &str) -> Option<Result<String, String>> {
        let function = self.functions.named(name)?.clone();
        Some(self.call_function(&function, arguments))
    }

    fn call_function(&mut self, function: &Function, arguments: &str) -> Result<String, String> {
        let arguments = function.arguments(arguments)?;
        let program = function.program.to_str().ok_or("the program's path is not UTF-8")?.to_owned();
        let shown = format!("{} <<< {}", quoted(&program), quoted(&arguments));
        let prepared = Invocation::Direct(vec![program]).in_directory(&self.workspace, "");
        let mut prepared = prepared.map_err(|impossible| impossible.to_string())?;
        self.bench.prepare(&self.workspace);
        let held = self.bench.held(function.network)?;
        let place = prepared.directory.display().to_string();
        // The person granted its network when they described it.
        let network = Network::Refused;
        let proposal = Proposal { source: Source::Function, shown: &shown, place, held: &held, network, because: None };
        self.approve(&proposal)?;
        self.will_run();
        let (launcher, boundary) = self.bench.around_function(function, self.functions.folder())?;
        let input = launcher.scratch().input(arguments.as_bytes()).map_err(|error| format!("not started: {error}"))?;
        prepared.input = Some(input);
        self.execute(launcher, boundary, prepared, function.timeout)
    }
}
