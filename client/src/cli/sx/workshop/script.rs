//! `shell_command`: a script of the model.

use super::Workshop;
use crate::tool::patch::tool as patch_tool;
use crate::tool::sandbox::policy::Network;
use crate::tool::shell::call as shell;
use crate::tool::shell::invocation::Invocation;

impl Workshop<'_> {
    pub(super) fn script(&mut self, arguments: &str) -> Result<String, String> {
        let wanted = shell::wanted(arguments)?;
        if let Some(plan) = patch_tool::proposed_in_shell(&wanted.script, &wanted.directory, &self.files) {
            return self.change(&plan?);
        }
        let script = wanted.script.clone();
        let prepared = Invocation::Script(wanted.script).in_directory(&self.workspace, &wanted.directory);
        let prepared = prepared.map_err(|impossible| impossible.to_string())?;
        self.bench.prepare(&self.workspace);
        let held = self.bench.held(Network::Refused)?;
        self.approve(&script, &prepared, &held)?;
        let (launcher, boundary) = self.bench.around_script()?;
        self.execute(launcher, boundary, prepared, wanted.timeout)
    }
}
