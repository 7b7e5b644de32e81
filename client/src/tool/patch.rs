//! `apply_patch`: the model edits files by saying what changes.
//!
//! * [`rejection`]: why a patch was not applied. * [`parse`]: the text, read. * [`path`]: which files it may name.
//! * [`text`], [`locate`], [`edit`]: a file's lines, where a change belongs, the file after it.
//! * [`plan`]: what the whole patch does; nothing is written before all of it is known.
//! * [`directory`]: real files, with `replacement`: all of them or none.
//! * [`show`]: what a person sees before it is done. * [`tool`]: its description for the model, and its calls.

pub mod directory;
pub mod edit;
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

/// Does it, all or nothing, and says what the model is told.
pub fn apply(plan: &Plan, files: &mut dyn Files) -> Result<String, Rejection> {
    files.replace(&plan.changes)?;
    Ok(format!("Success. Updated the following files:\n{}\n", plan.summary.join("\n")))
}

#[cfg(test)]
mod tests;
