//! `update_plan`: the model says what it is going to do, and how far it is.

use serde::Deserialize;
use serde_json::json;

use crate::model::tool_spec::ToolSpec;

/// The tool's name.
pub const NAME: &str = "update_plan";
/// What the model is told.
pub const UPDATED: &str = "Plan updated";

/// A plan, as the model sees it now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkPlan {
    /// Why it changed.
    #[serde(default)]
    pub explanation: Option<String>,
    /// Its steps, in order.
    #[serde(rename = "plan")]
    pub steps: Vec<Step>,
}

/// A step of a plan. The text is the model's, not yet fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is to be done.
    #[serde(rename = "step")]
    pub text: String,
    /// How far it is.
    pub status: Status,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not begun.
    Pending,
    /// Begun.
    InProgress,
    /// Done.
    Completed,
}

/// How it is described to the model.
pub fn spec() -> ToolSpec {
    ToolSpec::Function {
        name: NAME.to_owned(),
        description: "Shows the person a plan of your work and how far you are; at most one step is in progress."
            .to_owned(),
        strict: false,
        parameters: json!({
            "type": "object",
            "properties": {
                "explanation": {"type": "string"},
                "plan": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "step": {"type": "string"},
                            "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]}
                        },
                        "required": ["step", "status"],
                        "additionalProperties": false
                    }
                }
            },
            "required": ["plan"],
            "additionalProperties": false
        }),
    }
}

/// The plan in a call's arguments; the error is told to the model.
pub fn read(arguments: &str) -> Result<WorkPlan, String> {
    let plan: WorkPlan =
        serde_json::from_str(arguments).map_err(|error| format!("failed to parse function arguments: {error}"))?;
    let in_progress = plan.steps.iter().filter(|step| step.status == Status::InProgress).count();
    if in_progress > 1 {
        return Err(format!("{in_progress} steps are in progress; at most one may be"));
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read() {
        let plan = read(
            r#"{"explanation":"begin","plan":[{"step":"look","status":"completed"},{"step":"fix","status":"in_progress"},{"step":"test","status":"pending"}]}"#,
        );
        let step = |text: &str, status| Step { text: text.to_owned(), status };
        let steps =
            vec![step("look", Status::Completed), step("fix", Status::InProgress), step("test", Status::Pending)];
        assert_eq!(plan, Ok(WorkPlan { explanation: Some("begin".to_owned()), steps }));
        assert_eq!(read(r#"{"plan":[]}"#), Ok(WorkPlan::default()));
    }

    #[test]
    fn what_is_no_plan_is_told_to_the_model() {
        for broken in [
            "",
            "{}",
            r#"{"plan":[{"step":"x","status":"half"}]}"#,
            r#"{"plan":[{"step":"x"}]}"#,
            r#"{"plan":[],"x":1}"#,
        ] {
            assert!(read(broken).unwrap_err().starts_with("failed to parse function arguments: "), "{broken}");
        }
        let two = r#"{"plan":[{"step":"a","status":"in_progress"},{"step":"b","status":"in_progress"}]}"#;
        assert_eq!(read(two).unwrap_err(), "2 steps are in progress; at most one may be");
    }
}
