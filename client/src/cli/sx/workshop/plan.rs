//! `update_plan`: what the model is going to do, for the person to see.

use crate::cli::sx::person::Person;
use crate::tool::update_plan::{self, Status};

pub(super) fn shown(arguments: &str, person: Person) -> Result<String, String> {
    let plan = update_plan::read(arguments)?;
    plan.explanation.iter().for_each(|text| person.sees(text));
    for step in &plan.steps {
        let mark = match step.status {
            Status::Pending => "[ ]",
            Status::InProgress => "[>]",
            Status::Completed => "[x]",
        };
        person.sees(&format!("{mark} {}", step.text));
    }
    Ok(update_plan::UPDATED.to_owned())
}
