//! `shell_command` as a tool: how it is described to the model, what a call of it means, what the model is told. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::capture::Output;
use super::running::Ending;
use crate::model::tool_spec::ToolSpec;
use crate::tool::output::{Budget, Captured, Told};
use crate::tool::sandbox::order::Report;

/// The tool's name, which the models know.
pub const NAME: &str = "shell_command";
/// What the model is told when a person does not want it.
pub const REJECTED: &str = "exec command rejected by user";

const DESCRIPTION: &str = "Runs a script in a shell and answers with its exit code and output, standard error included. \
    Standard input is empty.";
const USUAL_TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
/// As shells say that a signal ended a command.
const SIGNALLED: i32 = 128;

/// How the model is told of it.
pub fn spec() -> ToolSpec {
    ToolSpec::Function {
        name: NAME.to_owned(),
        description: DESCRIPTION.to_owned(),
        strict: false,
        parameters: json!({
            "type": "object",
            "properties": {
                "command": {"type": "string", "description": "The script."},
                "workdir": {"type": "string", "description": "Where it runs, relative to the working directory."},
                "timeout_ms": {"type": "number", "description": "It is ended after so long: 60000, at most 600000."},
            },
            "required": ["command"],
            "additionalProperties": false,
        }),
    }
}

/// What the model wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A text for a shell.
    pub script: String,
    /// Where, relative to the workspace.
    pub directory: String,
    /// For how long at most.
    pub timeout: Duration,
}

#[derive(Deserialize)]
struct Arguments {
    command: String,
    #[serde(default)]
    workdir: String,
    timeout_ms: Option<f64>,
}

/// What a call means; the error is told to the model.
pub fn wanted(arguments: &str) -> Result<Wanted, String> {
    let wrong = |error: serde_json::Error| format!("failed to parse function arguments: {error}");
    let Arguments { command, workdir, timeout_ms } = serde_json::from_str(arguments).map_err(wrong)?;
    let timeout = timeout_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok()).unwrap_or(USUAL_TIMEOUT);
    let timeout = timeout.clamp(Duration::from_millis(1), LONGEST_TIMEOUT);
    Ok(Wanted { script: command, directory: workdir, timeout })
}

/// How a command came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By itself, or it never began.
    Itself(Ending),
    /// Its time was up, after so long.
    TimeIsUp(Duration),
    /// The person stopped it.
    Interrupted,
}

impl End {
    /// For people: `exit code 1`, `stopped`.
    pub fn in_words(&self) -> String {
        match self {
            Self::Itself(Ending::Reported(Report::Exited { code })) => format!("exit code {code}"),
            Self::Itself(Ending::Reported(Report::Signalled { signal })) => format!("ended by signal {signal}"),
            Self::Itself(Ending::Reported(Report::TooManyProcesses)) => "ended: too many processes".to_owned(),
            Self::Itself(Ending::Reported(Report::NotStarted { why })) => format!("not started: {why}"),
            Self::TimeIsUp(after) => format!("ended after {} s", after.as_secs_f32()),
            Self::Itself(Ending::Stopped) | Self::Interrupted => "stopped".to_owned(),
        }
    }
}

/// What the model is told.
///
/// ```text
/// Exit code: 0
/// Wall time: 1.3 seconds
/// Total output lines: 5120        (only when it was cut)
/// Output:
/// …
/// ```
pub fn told(end: &End, wall: Duration, output: &Output, budget: Budget) -> String {
    let (code, remark) = match end {
        End::Itself(Ending::Reported(Report::Exited { code })) => (*code, String::new()),
        End::Itself(Ending::Reported(Report::Signalled { signal })) => (SIGNALLED + signal, String::new()),
        End::Itself(Ending::Reported(Report::TooManyProcesses)) => {
            (SIGNALLED + 9, "command ended: it had too many processes\n".to_owned())
        }
        End::Itself(Ending::Reported(Report::NotStarted { why })) => return format!("command not started: {why}"),
        End::TimeIsUp(after) => {
            (SIGNALLED + 9, format!("command timed out after {} milliseconds\n", after.as_millis()))
        }
        End::Itself(Ending::Stopped) | End::Interrupted => (SIGNALLED + 9, "aborted by user\n".to_owned()),
    };
    let mut captured = Captured::default();
    captured.take(output.text().as_bytes());
    let (lines, text) = match captured.told(budget) {
        Told::Whole(text) => (String::new(), text),
        Told::Cut { text, lines } => (format!("Total output lines: {lines}\n"), text),
    };
    format!("Exit code: {code}\nWall time: {:.1} seconds\n{lines}Output:\n{remark}{text}", wall.as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Output {
        Output { head: text.as_bytes().to_vec(), ..Output::default() }
    }

    fn exited(code: i32) -> End {
        End::Itself(Ending::Reported(Report::Exited { code }))
    }

    #[test]
    fn a_call_is_read_with_bounds_on_its_time() {
        let read = |arguments: &str| wanted(arguments).unwrap();
        let plain = Wanted { script: "ls".into(), directory: String::new(), timeout: USUAL_TIMEOUT };
        assert_eq!(read(r#"{"command":"ls"}"#), plain);
        let timeout = |text: &str| read(&format!(r#"{{"command":"ls","workdir":"a","timeout_ms":{text}}}"#)).timeout;
        assert_eq!(timeout("1500"), Duration::from_millis(1500));
        assert_eq!(timeout("1e300"), USUAL_TIMEOUT);
        assert_eq!(timeout("99999999"), LONGEST_TIMEOUT);
        assert_eq!((timeout("-5"), timeout("0")), (USUAL_TIMEOUT, Duration::from_millis(1)));
        for broken in ["", "{", "[]", "{}", r#"{"command":["ls"]}"#] {
            assert!(wanted(broken).unwrap_err().starts_with("failed to parse function arguments: "), "{broken}");
        }
    }

    #[test]
    fn the_model_is_told_like_this() {
        let wall = Duration::from_millis(1_260);
        let say = |end: &End, text: &str| told(end, wall, &output(text), Budget::Bytes(10));
        assert_eq!(say(&exited(1), "no\n"), "Exit code: 1\nWall time: 1.3 seconds\nOutput:\nno\n");
        let cut =
            "Exit code: 0\nWall time: 1.3 seconds\nTotal output lines: 2\nOutput:\n01234…2 chars truncated…7\n89a";
        assert_eq!(say(&exited(0), "01234567\n89a"), cut);
        let late = say(&End::TimeIsUp(Duration::from_secs(2)), "");
        assert!(late.ends_with("Output:\ncommand timed out after 2000 milliseconds\n"), "{late}");
        let why = Report::NotStarted { why: "no such program".into() };
        assert_eq!(say(&End::Itself(Ending::Reported(why)), ""), "command not started: no such program");
        assert!(say(&End::Interrupted, "half").ends_with("aborted by user\nhalf"));
    }
}
