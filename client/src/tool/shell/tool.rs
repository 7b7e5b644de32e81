//! `shell` and `shell_poll` as tools: how they are described to the model, what a call of one means, and what the model
//! is told.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::capture::Output;
use super::invocation::Invocation;
use super::running::Ending;
use crate::model::tool_spec::ToolSpec;
use crate::tool::output::{Budget, Told};
use crate::tool::sandbox::order::Report;

/// Runs a command.
pub const SHELL: &str = "shell";
/// Asks after a command in the background, or ends it.
pub const POLL: &str = "shell_poll";

/// How long a command may take when nothing is said.
const USUAL_TIMEOUT_MS: u64 = 120_000;
const LONGEST_TIMEOUT_MS: u64 = 3_600_000;
/// How long a command in the background is waited for when nothing is said.
const USUAL_WAIT_MS: u64 = 5_000;
const LONGEST_WAIT_MS: u64 = 300_000;

/// What the model wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The command.
    pub invocation: Invocation,
    /// Where, relative to the workspace.
    pub directory: String,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether it is waited for.
    pub manner: Manner,
    /// Whether it is to be held.
    pub hold: Hold,
}

/// Whether a command is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// To its end.
    Waiting,
    /// It goes on, and is asked after later.
    Background,
}

/// Whether a command is to be held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// In the sandbox.
    Sandbox,
    /// Not at all; the model says why.
    None {
        /// For the person; not fit for a terminal.
        why: String,
    },
}

/// What the model wants of a command in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Its output, and its end if that comes within this time.
    Wait(u32, Duration),
    /// Its end.
    Stop(u32),
}

/// How both are described to the model.
pub fn specs() -> [ToolSpec; 2] {
    let function = |name: &str, description: &str, properties: Value, required: Value| ToolSpec::Function {
        name: name.to_owned(),
        description: description.to_owned(),
        strict: false,
        parameters: json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false
        }),
    };
    let command = json!({
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        "description": "A script for bash, or a program and its arguments."
    });
    let shell = json!({
        "command": command,
        "workdir": {"type": "string", "description": "Relative to the working directory; that itself when left out."},
        "timeout_ms": {"type": "integer", "description": "When it is ended; 120000 when left out."},
        "background": {"type": "boolean", "description": "It goes on; ask after it with shell_poll."},
        "unconfined": {"type": "boolean", "description": "Outside of the sandbox; the person is asked. Only when the \
            sandbox is what makes it fail, for example because it needs the network."},
        "justification": {"type": "string", "description": "For the person, when unconfined."}
    });
    let poll = json!({
        "job": {"type": "integer", "description": "The number of the command."},
        "wait_ms": {"type": "integer", "description": "How long to wait for its end; 5000 when left out."},
        "stop": {"type": "boolean", "description": "Ends it."}
    });
    [
        function(
            SHELL,
            "Runs a command in a sandbox: it reads files, writes below the working directory, and has no \
            network. It gets no input. When it ends, all processes that it started end too.",
            shell,
            json!(["command"]),
        ),
        function(
            POLL,
            "Says what a command in the background has printed since, and whether it has ended.",
            poll,
            json!(["job"]),
        ),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShellArguments {
    command: Words,
    #[serde(default)]
    workdir: Option<String>,
    #[serde(default)]
    timeout_ms: Option<u64>,
    #[serde(default)]
    background: Option<bool>,
    #[serde(default)]
    unconfined: Option<bool>,
    #[serde(default)]
    justification: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Script(String),
    Direct(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PollArguments {
    job: u32,
    #[serde(default)]
    wait_ms: Option<u64>,
    #[serde(default)]
    stop: Option<bool>,
}

/// What a call of `shell` means; the error is told to the model.
pub fn wanted(arguments: &str) -> Result<Wanted, String> {
    let arguments: ShellArguments = parsed(arguments)?;
    let timeout = arguments.timeout_ms.unwrap_or(USUAL_TIMEOUT_MS).min(LONGEST_TIMEOUT_MS);
    Ok(Wanted {
        invocation: match arguments.command {
            Words::Script(text) => Invocation::Script(text),
            Words::Direct(words) => Invocation::Direct(words),
        },
        directory: arguments.workdir.unwrap_or_default(),
        timeout: Duration::from_millis(timeout),
        manner: if arguments.background.unwrap_or(false) { Manner::Background } else { Manner::Waiting },
        hold: match arguments.unconfined.unwrap_or(false) {
            true => Hold::None { why: arguments.justification.unwrap_or_default() },
            false => Hold::Sandbox,
        },
    })
}

/// What a call of `shell_poll` means; the error is told to the model.
pub fn poll(arguments: &str) -> Result<Poll, String> {
    let arguments: PollArguments = parsed(arguments)?;
    Ok(if arguments.stop.unwrap_or(false) {
        Poll::Stop(arguments.job)
    } else {
        let wait = arguments.wait_ms.unwrap_or(USUAL_WAIT_MS).min(LONGEST_WAIT_MS);
        Poll::Wait(arguments.job, Duration::from_millis(wait))
    })
}

fn parsed<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, String> {
    serde_json::from_str(arguments).map_err(|error| format!("failed to parse function arguments: {error}"))
}

/// Where a command stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It has ended.
    Ended(Ending),
    /// It was ended after so long.
    TimedOut(Duration),
    /// It goes on in the background, under this number.
    Running(u32),
}

/// What the model is told of a command.
pub fn report(standing: &Standing, took: Duration, output: &Output, budget: Budget) -> String {
    let mut lines = vec![first_line(standing), format!("Wall time: {:.1} seconds", took.as_secs_f64())];
    let text = match Told::of(output, budget) {
        Told::Whole(text) => text,
        Told::Cut { text, bytes } => {
            lines.push(format!("Total output bytes: {bytes}"));
            text
        }
    };
    lines.push("Output:".to_owned());
    if let Standing::TimedOut(limit) = standing {
        lines.push(format!("command timed out after {} milliseconds", limit.as_millis()));
    }
    lines.push(text);
    lines.join("\n")
}

fn first_line(standing: &Standing) -> String {
    match standing {
        Standing::Ended(Ending::Reported(Report::Exited { code })) => format!("Exit code: {code}"),
        Standing::Ended(Ending::Reported(Report::Signalled { signal })) => format!("Ended by signal {signal}"),
        Standing::Ended(Ending::Reported(Report::TooManyProcesses)) => "Ended: too many processes".to_owned(),
        Standing::Ended(Ending::Reported(Report::NotStarted { why })) => format!("Not started: {why}"),
        Standing::Ended(Ending::Stopped) => "Stopped".to_owned(),
        // As `timeout` says it.
        Standing::TimedOut(_) => "Exit code: 124".to_owned(),
        Standing::Running(job) => format!("Running in the background as job {job}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(invocation: Invocation) -> Wanted {
        let timeout = Duration::from_secs(120);
        Wanted { invocation, directory: String::new(), timeout, manner: Manner::Waiting, hold: Hold::Sandbox }
    }

    #[test]
    fn a_call_means_this() {
        let script = || Invocation::Script("make test".to_owned());
        let direct = Invocation::Direct(vec!["ls".to_owned(), "-l".to_owned()]);
        let cases = [
            (r#"{"command":"make test"}"#, usual(script())),
            (r#"{"command":["ls","-l"]}"#, usual(direct)),
            (
                r#"{"command":"make test","workdir":"a/b","timeout_ms":5}"#,
                Wanted { directory: "a/b".to_owned(), timeout: Duration::from_millis(5), ..usual(script()) },
            ),
            (
                r#"{"command":"make test","timeout_ms":99999999999}"#,
                Wanted { timeout: Duration::from_secs(3600), ..usual(script()) },
            ),
            (
                r#"{"command":"make test","background":true,"unconfined":true,"justification":"network"}"#,
                Wanted {
                    manner: Manner::Background,
                    hold: Hold::None { why: "network".to_owned() },
                    ..usual(script())
                },
            ),
            (r#"{"command":"make test","background":null,"unconfined":false,"justification":"x"}"#, usual(script())),
        ];
        for (arguments, expected) in cases {
            assert_eq!(wanted(arguments), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn a_poll_means_this() {
        let cases = [
            (r#"{"job":3}"#, Poll::Wait(3, Duration::from_secs(5))),
            (r#"{"job":3,"wait_ms":0,"stop":false}"#, Poll::Wait(3, Duration::ZERO)),
            (r#"{"job":3,"wait_ms":999999999}"#, Poll::Wait(3, Duration::from_secs(300))),
            (r#"{"job":3,"wait_ms":7,"stop":true}"#, Poll::Stop(3)),
        ];
        for (arguments, expected) in cases {
            assert_eq!(poll(arguments), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn arguments_that_mean_nothing_are_told_to_the_model() {
        let broken = [
            "",
            "{",
            "{}",
            r#"{"command":7}"#,
            r#"{"command":["a",1]}"#,
            r#"{"command":"x","timeout_ms":-1}"#,
            r#"{"command":"x","cmd":"y"}"#,
        ];
        for arguments in broken {
            assert!(wanted(arguments).unwrap_err().starts_with("failed to parse function arguments: "), "{arguments}");
            assert!(poll(arguments).is_err(), "{arguments}");
        }
    }

    #[test]
    fn the_model_is_told_this() {
        let ended = |report| Standing::Ended(Ending::Reported(report));
        let cases = [
            (ended(Report::Exited { code: 3 }), "Exit code: 3\nWall time: 1.3 seconds\nOutput:\nab\n"),
            (ended(Report::Signalled { signal: 9 }), "Ended by signal 9\nWall time: 1.3 seconds\nOutput:\nab\n"),
            (ended(Report::TooManyProcesses), "Ended: too many processes\nWall time: 1.3 seconds\nOutput:\nab\n"),
            (
                ended(Report::NotStarted { why: "no such file".to_owned() }),
                "Not started: no such file\nWall time: 1.3 seconds\nOutput:\nab\n",
            ),
            (Standing::Ended(Ending::Stopped), "Stopped\nWall time: 1.3 seconds\nOutput:\nab\n"),
            (
                Standing::TimedOut(Duration::from_secs(10)),
                "Exit code: 124\nWall time: 1.3 seconds\nOutput:\ncommand timed out after 10000 milliseconds\nab\n",
            ),
            (Standing::Running(2), "Running in the background as job 2\nWall time: 1.3 seconds\nOutput:\nab\n"),
        ];
        let output = Output { head: b"ab\n".to_vec(), omitted: 0, tail: Vec::new() };
        let took = Duration::from_millis(1280);
        for (standing, told) in cases {
            assert_eq!(report(&standing, took, &output, Budget::default()), told);
        }
        let cut = report(&Standing::Running(1), took, &output, Budget::Bytes(2));
        assert_eq!(
            cut,
            "Running in the background as job 1\nWall time: 1.3 seconds\nTotal output bytes: 3\nOutput:\na…1 chars truncated…\n"
        );
    }
}
