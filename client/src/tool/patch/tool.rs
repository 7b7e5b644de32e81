//! `apply_patch` as a tool: how it is described to the model, and what a call of it means.

use std::path::Path;

use serde::Deserialize;
use serde_json::json;

use super::{Files, Plan, Rejection, in_shell};
use crate::conversation::item::Given;
use crate::model::tool_spec::{Grammar, Syntax, ToolSpec};

/// The tool's name.
pub const NAME: &str = "apply_patch";

const DESCRIPTION: &str = "Edits files: give it a patch, as text, not as JSON. Paths are relative to the working \
    directory. All files of a patch change, or none.";

const DESCRIPTION_OF_FUNCTION: &str = "Edits files. The patch begins with the line `*** Begin Patch` and ends with \
    `*** End Patch`. Between them stand, for each file, `*** Add File: PATH` and lines that begin with `+`; or \
    `*** Delete File: PATH`; or `*** Update File: PATH`, perhaps `*** Move to: PATH`, and changes: `@@`, or `@@ ` and a \
    line above the change, then lines that begin with a space (stays), `-` (goes) or `+` (comes); `*** End of File` \
    behind a change that is at the end. Paths are relative to the working directory. All files change, or none.";

/// The form of a patch, as the parser reads it.
const GRAMMAR: &str = r#"start: first_line section+ last_line
first_line: "*** Begin Patch" LF
last_line: "*** End Patch" LF?

section: new_file | deleted_file | changed_file
new_file: "*** Add File: " path LF new_line+
deleted_file: "*** Delete File: " path LF
changed_file: "*** Update File: " path LF new_name? changes?

new_name: "*** Move to: " path LF
changes: line* chunk* at_the_end?
chunk: mark line+
mark: "@@" LF | "@@ " text LF
line: (" " | "-" | "+") rest LF
new_line: "+" rest LF
at_the_end: "*** End of File" LF

path: /.+/
text: /.+/
rest: /.*/

%import common.LF
"#;

/// As a freeform tool: the model writes the patch itself.
pub fn freeform() -> ToolSpec {
    let format = Grammar { syntax: Syntax::Lark, definition: GRAMMAR.to_owned() };
    ToolSpec::Custom { name: NAME.to_owned(), description: DESCRIPTION.to_owned(), format }
}

/// As a function, for models that know no freeform tools.
pub fn function() -> ToolSpec {
    ToolSpec::Function {
        name: NAME.to_owned(),
        description: DESCRIPTION_OF_FUNCTION.to_owned(),
        strict: true,
        parameters: json!({
            "type": "object",
            "properties": {"input": {"type": "string", "description": "The whole patch."}},
            "required": ["input"],
            "additionalProperties": false
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    input: String,
}

/// What a call would do to these files; the error is told to the model.
pub fn proposed(given: &Given, files: &dyn Files) -> Result<Plan, String> {
    let parsed;
    let patch = match given {
        Given::Freeform(patch) => patch,
        Given::Arguments(arguments) => {
            parsed = serde_json::from_str::<Arguments>(arguments);
            match &parsed {
                Ok(Arguments { input }) => input,
                Err(error) => return Err(format!("failed to parse function arguments: {error}")),
            }
        }
    };
    super::read(patch, files).map_err(unverified)
}

/// Where a command would run.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The directory of the files.
    pub workspace: &'a Path,
    /// As the model wrote it: absolute, or relative to the workspace.
    pub directory: &'a str,
}

impl Place<'_> {
    /// Relative to the workspace. An absolute one elsewhere stays what it is, and is refused.
    fn below(self, further: &str) -> String {
        let mut whole = Path::new(self.directory).to_owned();
        if !further.is_empty() {
            whole.push(further);
        }
        let canonical = self.workspace.canonicalize().ok();
        let workspaces = [Some(self.workspace), canonical.as_deref()];
        let inside = workspaces.into_iter().flatten().find_map(|workspace| whole.strip_prefix(workspace).ok());
        inside.unwrap_or(&whole).to_string_lossy().into_owned()
    }
}

/// What a script would do that gives its patch to the shell, at this place; `None` when it is no such script.
pub fn proposed_in_shell(script: &str, place: Place<'_>, files: &dyn Files) -> Option<Result<Plan, String>> {
    let found = in_shell::find(script)?;
    Some(proposed_in(place, found.directory.unwrap_or_default(), found.patch, files))
}

/// What a patch would do at this place, or further on from there.
pub fn proposed_in(place: Place<'_>, further: &str, patch: &str, files: &dyn Files) -> Result<Plan, String> {
    super::read_below(&place.below(further), patch, files).map_err(unverified)
}

fn unverified(rejection: Rejection) -> String {
    format!("apply_patch verification failed: {rejection}")
}

#[cfg(test)]
mod tests {
    use super::super::memory::Memory;
    use super::*;

    #[test]
    fn both_kinds_of_calls_propose_the_same() {
        let files = Memory::of(&[("f", "a\n")]);
        let patch = "*** Begin Patch\n*** Update File: f\n-a\n+b\n*** End Patch\n";
        let freeform = proposed(&Given::Freeform(patch.to_owned()), &files).unwrap();
        let function = proposed(&Given::Arguments(json!({"input": patch}).to_string()), &files).unwrap();
        assert_eq!(freeform, function);
        assert_eq!(freeform.summary, ["M f"]);
    }

    #[test]
    fn a_patch_in_a_shell_is_one_below_the_directory_where_it_runs() {
        let files = Memory::of(&[("a/b/f", "a\n"), ("f", "a\n")]);
        let patch = "*** Begin Patch\n*** Update File: f\n*** Move to: g\n-a\n+b\n*** End Patch";
        let here = format!("apply_patch <<'EOF'\n{patch}\nEOF");
        let there = format!("cd b && {here}");
        let summary = |script: &str, directory: &str| {
            proposed_in_shell(script, Place { workspace: Path::new("/w"), directory }, &files)
                .unwrap()
                .map(|plan| plan.summary)
        };
        assert_eq!(summary(&here, ""), Ok(vec!["M g".to_owned()]));
        assert_eq!(summary(&there, "a"), Ok(vec!["M a/b/g".to_owned()]));
        assert_eq!(summary(&here, "/w"), Ok(vec!["M g".to_owned()]));
        assert_eq!(summary(&there, "/w/a"), Ok(vec!["M a/b/g".to_owned()]));
        let from_the_root = there.replace("cd b", "cd /w/a/b");
        assert_eq!(summary(&from_the_root, "a"), Ok(vec!["M a/b/g".to_owned()]));
        assert!(summary(&here, "/elsewhere").unwrap_err().contains("is absolute"));
        assert!(summary(&there, "/w/../..").unwrap_err().contains("leaves the working directory"));
        assert!(summary(&there, "..").unwrap_err().contains("leaves the working directory"));
        let absolute = here.replace(" g", " /etc/g");
        assert!(summary(&absolute, "a").unwrap_err().contains("is absolute"));
        assert!(summary(&there, "").unwrap_err().contains("b/f does not exist"));
        assert!(proposed_in_shell("ls", Place { workspace: Path::new("/w"), directory: "" }, &files).is_none());
    }

    #[test]
    fn a_call_that_cannot_be_followed_says_why() {
        let files = Memory::default();
        let arguments = |text: &str| proposed(&Given::Arguments(text.to_owned()), &files).unwrap_err();
        for broken in ["", "{", "[]", "{}", r#"{"input":1}"#, r#"{"input":"x","also":1}"#] {
            assert!(arguments(broken).starts_with("failed to parse function arguments: "), "{broken}");
        }
        let said = proposed(&Given::Freeform("x".to_owned()), &files).unwrap_err();
        assert!(said.starts_with("apply_patch verification failed: Invalid patch: "), "{said}");
    }

    #[test]
    fn the_grammar_names_every_mark_that_the_parser_knows() {
        let ToolSpec::Custom { format, .. } = freeform() else { unreachable!() };
        for mark in
            ["Begin Patch", "End Patch", "Add File: ", "Delete File: ", "Update File: ", "Move to: ", "End of File"]
        {
            assert!(format.definition.contains(&format!("\"*** {mark}\"")), "{mark}");
        }
    }
}
