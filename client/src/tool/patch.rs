//! `apply_patch`: the model edits files by saying what changes.
//!
//! * [`rejection`]: why a patch was not applied. * [`parse`]: the text, read. * [`path`]: which files it may name.
//! * [`text`], [`locate`], [`edit`]: a file's lines, where a change belongs, the file after it.
//! * [`plan`]: what the whole patch does; nothing is written before all of it is known.
//! * [`directory`]: real files, with `replacement`: all of them or none. * [`confined`]: the same in the sandbox.
//! * [`in_shell`]: a patch that is given to the shell.
//! * [`show`]: what a person sees before it is done. * [`tool`]: its description for the model, and its calls.

pub mod confined;
pub mod directory;
pub mod edit;
pub mod in_shell;
pub mod locate;
#[cfg(test)]
mod memory;
pub mod parse;
pub mod path;
pub mod plan;
pub mod rejection;
mod replacement;
pub mod show;
pub mod text;
pub mod tool;

pub use plan::{Change, Files, Plan};
pub use rejection::Rejection;

/// What the patch would do to these files.
pub fn read(patch: &str, files: &dyn Files) -> Result<Plan, Rejection> {
    plan::plan(&parse::parse(patch)?, files)
}

/// The same; its paths are below this directory, which is relative to that of the files.
pub fn read_below(directory: &str, patch: &str, files: &dyn Files) -> Result<Plan, Rejection> {
    let mut sections = parse::parse(patch)?;
    let below = |path: &mut String| {
        // An absolute one stays what it is, and is refused.
        if !path.starts_with('/') {
            *path = format!("{directory}/{path}");
        }
    };
    for parse::Section { path, action } in sections.iter_mut().filter(|_| !directory.is_empty()) {
        below(path);
        if let parse::Action::Update { move_to: Some(target), .. } = action {
            below(target);
        }
    }
    plan::plan(&sections, files)
}

/// Does it, all or nothing, and says what the model is told.
pub fn apply(plan: &Plan, files: &mut dyn Files) -> Result<String, Rejection> {
    files.replace(&plan.changes)?;
    Ok(done(plan))
}

/// What the model is told of a patch that was applied.
pub fn done(plan: &Plan) -> String {
    format!("Success. Updated the following files:\n{}\n", plan.summary.join("\n"))
}

#[cfg(test)]
mod tests;
