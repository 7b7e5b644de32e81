//! The tools of commands, as the model knows them: how they are described, and what a call of them means. Pure.
//!
//! `exec_command` starts a command and waits for a moment; one that goes on then has a number, by which `write_stdin` asks
//! after it, writes to it or ends it. `shell_command` is understood too, since models know it, and not offered: two ways to
//! do the same make a model waver.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::invocation::Invocation;
use crate::model::tool_spec::ToolSpec;

/// Starts a command.
pub const EXEC: &str = "exec_command";
/// Asks after one that goes on.
pub const WRITE: &str = "write_stdin";
/// Starts one and waits for its end; understood, not offered.
pub const OLDER: [&str; 2] = ["shell_command", "shell"];
/// What the model is told when a person does not want it.
pub const REJECTED: &str = "exec command rejected by user";

const DESCRIPTION: &str = "Runs a command and answers with its output, standard error included, and its exit code; or \
    with a session ID when it goes on after yield_time_ms: write_stdin asks after it then.";
const DESCRIPTION_OF_WRITE: &str = "Asks after a command that goes on: what it has written since, and whether it has ended. \
    Writes to its standard input when it was started with tty. \\u0003 ends it with all its processes, \\u0004 ends its \
    input.";

const USUAL_TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(600);
/// A command in the background is not waited for.
const LONGEST_IN_BACKGROUND: Duration = Duration::from_secs(24 * 3600);
const USUAL_WAIT: Duration = Duration::from_secs(10);
const SHORTEST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Who asks without writing waits for something to happen.
const SHORTEST_POLL: Duration = Duration::from_secs(5);
const LONGEST_POLL: Duration = Duration::from_secs(300);
/// Ctrl-C and Ctrl-D, as a terminal would take them.
const END_IT: &str = "\u{3}";
const END_INPUT: &str = "\u{4}";
const USUAL_PERMISSIONS: &str = "use_default";

/// How the model is told of `exec_command`.
pub fn spec() -> ToolSpec {
    ToolSpec::Function {
        name: EXEC.to_owned(),
        description: DESCRIPTION.to_owned(),
        strict: false,
        parameters: json!({
            "type": "object",
            "properties": {
                // A program with its arguments is understood too, where a model writes one; this is what models know.
                "cmd": {"type": "string", "description": "A script for the shell."},
                "workdir": {"type": "string", "description": "Where it runs, relative to the working directory."},
                "tty": {
                    "type": "boolean",
                    "description": "Keeps its standard input open for write_stdin, as a pipe: there is no terminal. \
                        Otherwise its input is empty.",
                },
                "yield_time_ms": {"type": "number", "description": "How long it is waited for: 10000, 250 to 30000."},
                "max_output_tokens": {"type": "number", "description": "The most output to be told."},
                "timeout_ms": {"type": "number", "description": "It is ended after so long. Otherwise at the end of the \
                    conversation at the latest."},
                "sandbox_permissions": {
                    "type": "string",
                    "enum": [USUAL_PERMISSIONS, "require_escalated"],
                    "description": "require_escalated: with network. The developer is asked.",
                },
                "justification": {"type": "string", "description": "Why it needs that, for the developer."},
            },
            "required": ["cmd"],
            "additionalProperties": false,
        }),
    }
}

/// How the model is told of `write_stdin`.
pub fn spec_of_write() -> ToolSpec {
    ToolSpec::Function {
        name: WRITE.to_owned(),
        description: DESCRIPTION_OF_WRITE.to_owned(),
        strict: false,
        parameters: json!({
            "type": "object",
            "properties": {
                "session_id": {"type": "number", "description": "Which command."},
                "chars": {"type": "string", "description": "What is written to it; empty: it is asked after."},
                "yield_time_ms": {
                    "type": "number",
                    "description": "How long it is waited for: 250 to 30000; when nothing is written 5000 to 300000.",
                },
                "max_output_tokens": {"type": "number", "description": "The most output to be told."},
            },
            "required": ["session_id"],
            "additionalProperties": false,
        }),
    }
}

/// What the model wants to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub invocation: Invocation,
    /// Where, relative to the workspace.
    pub directory: String,
    /// What it may reach.
    pub reach: Reach,
    /// How it is waited for.
    pub lasting: Lasting,
    /// The most tokens of output that the model wants to read.
    pub most_tokens: Option<u32>,
}

/// What a command may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The workspace.
    Usual,
    /// The network too, because of this, as the model says.
    Network(String),
}

/// How a command is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lasting {
    /// Until its end, which comes after so long at the latest.
    ToItsEnd(Duration),
    /// For a moment; then it goes on in the background.
    GoingOn {
        /// How long it is waited for.
        wait: Duration,
        /// When it is ended; with the conversation when `None`.
        timeout: Option<Duration>,
        /// What it reads.
        input: Input,
    },
}

/// A command's standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Nothing.
    Empty,
    /// What the model writes to it later.
    Open,
}

/// What the model wants of a command that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub session: u32,
    /// What is done to it.
    pub deed: Deed,
    /// How long it is waited for then.
    pub wait: Duration,
    /// The most tokens of output that the model wants to read.
    pub most_tokens: Option<u32>,
}

/// What is done to a command that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Nothing: how is it?
    Look,
    /// This is written to it.
    Write(String),
    /// Its input ends.
    EndInput,
    /// It is ended, with all its processes.
    End,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Command {
    Script(String),
    Direct(Vec<String>),
}

/// Members that are not known are passed over: models send those of other versions of the tool.
#[derive(Deserialize)]
struct Exec {
    #[serde(alias = "command")]
    cmd: Command,
    #[serde(default)]
    workdir: Option<String>,
    #[serde(default)]
    tty: Option<bool>,
    yield_time_ms: Option<f64>,
    max_output_tokens: Option<f64>,
    timeout_ms: Option<f64>,
    sandbox_permissions: Option<String>,
    justification: Option<String>,
}

#[derive(Deserialize)]
struct Write {
    session_id: u32,
    #[serde(default)]
    chars: Option<String>,
    yield_time_ms: Option<f64>,
    max_output_tokens: Option<f64>,
}

/// What a call of `exec_command` means; the error is told to the model.
pub fn wanted(arguments: &str) -> Result<Wanted, String> {
    let exec: Exec = read(arguments)?;
    let wait = milliseconds(exec.yield_time_ms).unwrap_or(USUAL_WAIT).clamp(SHORTEST_WAIT, LONGEST_WAIT);
    let timeout = milliseconds(exec.timeout_ms).map(|timeout| timeout.min(LONGEST_IN_BACKGROUND));
    let input = if exec.tty == Some(true) { Input::Open } else { Input::Empty };
    Ok(exec.lasting(Lasting::GoingOn { wait, timeout, input }))
}

/// What a call of `shell_command` means; the error is told to the model.
pub fn wanted_of_old(arguments: &str) -> Result<Wanted, String> {
    let exec: Exec = read(arguments)?;
    let timeout = milliseconds(exec.timeout_ms).unwrap_or(USUAL_TIMEOUT);
    Ok(exec.lasting(Lasting::ToItsEnd(timeout.clamp(Duration::from_millis(1), LONGEST_TIMEOUT))))
}

/// What a call of `write_stdin` means; the error is told to the model.
pub fn asked(arguments: &str) -> Result<Asked, String> {
    let Write { session_id, chars, yield_time_ms, max_output_tokens } = read(arguments)?;
    let deed = match chars.unwrap_or_default() {
        text if text.is_empty() => Deed::Look,
        text if text == END_IT => Deed::End,
        text if text == END_INPUT => Deed::EndInput,
        text => Deed::Write(text),
    };
    let wait = milliseconds(yield_time_ms).unwrap_or(SHORTEST_WAIT);
    let wait = match deed {
        Deed::Look => wait.clamp(SHORTEST_POLL, LONGEST_POLL),
        Deed::Write(_) | Deed::EndInput | Deed::End => wait.clamp(SHORTEST_WAIT, LONGEST_WAIT),
    };
    Ok(Asked { session: session_id, deed, wait, most_tokens: tokens(max_output_tokens) })
}

impl Exec {
    fn lasting(self, lasting: Lasting) -> Wanted {
        let invocation = match self.cmd {
            Command::Script(text) => Invocation::Script(text),
            Command::Direct(command) => Invocation::of_arguments(command),
        };
        let reach = match self.sandbox_permissions.as_deref() {
            None | Some("" | USUAL_PERMISSIONS) => Reach::Usual,
            Some(_) => Reach::Network(self.justification.unwrap_or_default()),
        };
        let (directory, most_tokens) = (self.workdir.unwrap_or_default(), tokens(self.max_output_tokens));
        Wanted { invocation, directory, reach, lasting, most_tokens }
    }
}

fn read<T: DeserializeOwned>(arguments: &str) -> Result<T, String> {
    serde_json::from_str(arguments).map_err(|error| format!("failed to parse function arguments: {error}"))
}

fn milliseconds(number: Option<f64>) -> Option<Duration> {
    number.and_then(|number| Duration::try_from_secs_f64(number / 1000.0).ok())
}

/// The cast keeps to the type's bounds.
fn tokens(number: Option<f64>) -> Option<u32> {
    number.filter(|number| *number >= 0.0).map(|number| number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Invocation {
        Invocation::Script(text.to_owned())
    }

    #[test]
    fn a_command_is_read_with_bounds_on_its_time() {
        let read = |more: &str| wanted(&format!(r#"{{"cmd":"ls"{more}}}"#)).unwrap();
        let going_on = |wait, timeout, input| Lasting::GoingOn { wait, timeout, input };
        let plain = Wanted {
            invocation: script("ls"),
            directory: String::new(),
            reach: Reach::Usual,
            lasting: going_on(USUAL_WAIT, None, Input::Empty),
            most_tokens: None,
        };
        assert_eq!(read(""), plain);
        assert_eq!(read(r#","login":true,"shell":"zsh","workdir":null,"prefix_rule":["ls"]"#), plain);
        let all = read(r#","workdir":"a","tty":true,"yield_time_ms":1,"max_output_tokens":5.0,"timeout_ms":1500"#);
        assert_eq!((all.directory.as_str(), all.most_tokens), ("a", Some(5)));
        let timeout = Some(Duration::from_millis(1500));
        assert_eq!(all.lasting, going_on(SHORTEST_WAIT, timeout, Input::Open));
        assert_eq!(read(r#","yield_time_ms":1e300"#).lasting, plain.lasting);
        assert_eq!(read(r#","yield_time_ms":99999"#).lasting, going_on(LONGEST_WAIT, None, Input::Empty));
        for broken in ["", "{", "[]", "{}", r#"{"cmd":1}"#, r#"{"cmd":[1]}"#, r#"{"cmd":"ls","tty":"yes"}"#] {
            assert!(wanted(broken).unwrap_err().starts_with("failed to parse function arguments: "), "{broken}");
        }
    }

    #[test]
    fn arguments_are_taken_as_they_are_and_a_shell_among_them_is_the_shell() {
        let of = |text: &str| wanted(&format!(r#"{{"cmd":{text}}}"#)).unwrap().invocation;
        assert_eq!(
            of(r#"["grep","-n","a b","$x"]"#),
            Invocation::Direct(["grep", "-n", "a b", "$x"].map(str::to_owned).to_vec())
        );
        for shell in [r#"["bash","-lc","a; b"]"#, r#"["/bin/sh","-c","a; b"]"#] {
            assert_eq!(of(shell), script("a; b"));
        }
    }

    #[test]
    fn an_older_way_to_run_a_command_is_understood() {
        let read = |arguments: &str| wanted_of_old(arguments).unwrap();
        assert_eq!(read(r#"{"command":"ls"}"#).lasting, Lasting::ToItsEnd(USUAL_TIMEOUT));
        assert_eq!(read(r#"{"command":["bash","-lc","ls"]}"#).invocation, script("ls"));
        let timeout = |text: &str| read(&format!(r#"{{"command":"ls","timeout_ms":{text}}}"#)).lasting;
        assert_eq!(timeout("99999999"), Lasting::ToItsEnd(LONGEST_TIMEOUT));
        assert_eq!(timeout("-5"), Lasting::ToItsEnd(USUAL_TIMEOUT));
        assert_eq!(timeout("0"), Lasting::ToItsEnd(Duration::from_millis(1)));
    }

    #[test]
    fn a_network_is_asked_for_with_a_reason() {
        let of = |more: &str| wanted(&format!(r#"{{"cmd":"ls"{more}}}"#)).unwrap().reach;
        assert_eq!(of(r#","sandbox_permissions":"use_default","justification":"x""#), Reach::Usual);
        let asked = of(r#","sandbox_permissions":"require_escalated","justification":"to download""#);
        assert_eq!(asked, Reach::Network("to download".into()));
        assert_eq!(of(r#","sandbox_permissions":"with_additional_permissions""#), Reach::Network(String::new()));
    }

    #[test]
    fn asking_after_a_command_is_read_like_this() {
        let read = |more: &str| asked(&format!(r#"{{"session_id":3{more}}}"#)).unwrap();
        let rows = [
            ("", Deed::Look, SHORTEST_POLL),
            (r#","chars":"""#, Deed::Look, SHORTEST_POLL),
            (r#","chars":null,"yield_time_ms":60000"#, Deed::Look, Duration::from_secs(60)),
            (r#","chars":"y\n""#, Deed::Write("y\n".into()), SHORTEST_WAIT),
            (r#","chars":"y\n","yield_time_ms":60000"#, Deed::Write("y\n".into()), LONGEST_WAIT),
            (r#","chars":"\u0003""#, Deed::End, SHORTEST_WAIT),
            (r#","chars":"\u0004""#, Deed::EndInput, SHORTEST_WAIT),
        ];
        for (more, deed, wait) in rows {
            assert_eq!(read(more), Asked { session: 3, deed, wait, most_tokens: None }, "{more}");
        }
        for broken in ["", "{}", r#"{"session_id":"x"}"#, r#"{"session_id":-1}"#, r#"{"session_id":1,"chars":1}"#] {
            assert!(asked(broken).unwrap_err().starts_with("failed to parse function arguments: "), "{broken}");
        }
    }
}
