//! The self-test: a program in the sandbox tries what it must not be able to do. A confinement that was only asked for
//! proves nothing: kernels, containers and security modules all have a say.

use std::fs;
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::launcher::Launcher;
use super::order::{Boundary, Isolation, Order, Report};
use super::policy::{Network, Policy};

/// What the program in the sandbox could do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Could {
    read_what_is_hidden: bool,
    write_outside: bool,
    connect: bool,
    write_to_its_temporary_directory: bool,
}

const EXPECTED: Could =
    Could { read_what_is_hidden: false, write_outside: false, connect: false, write_to_its_temporary_directory: true };

/// The names of the canaries in the session's own directory.
const HIDDEN: &str = "hidden";
const OUTSIDE: &str = "outside";

/// Whether this isolation holds a program to this policy on this machine; else why not.
pub(super) fn prove(launcher: &Launcher, policy: &Policy, isolation: Isolation) -> Result<(), String> {
    let stage = |error: io::Error| format!("its test could not be made: {error}");
    let hidden = launcher.scratch().closed(HIDDEN);
    fs::write(&hidden, "canary").map_err(stage)?;
    let listener = TcpListener::bind("127.0.0.1:0").map_err(stage)?;
    let port = listener.local_addr().map_err(stage)?.port();
    let mut policy = Policy { network: Network::Refused, ..policy.clone() };
    policy.hidden.push(hidden);
    let scratch = launcher.scratch();
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("a path is not UTF-8".to_owned());
    let command = vec![
        text(launcher.program())?,
        "probe".to_owned(),
        text(&scratch.closed(HIDDEN))?,
        text(&scratch.closed(OUTSIDE))?,
        text(&scratch.temporary())?,
        port.to_string(),
    ];
    let boundary = Boundary::Sandbox {
        policy: Box::new(policy),
        isolation,
        blank_file: scratch.blank_file(),
        blank_directory: scratch.blank_directory(),
    };
    let order = Order { command, directory: "/".into(), input: None, boundary, timeout_ms: None };
    let launched = launcher.launch(&order).map_err(stage)?;
    judge(launched)
        .and_then(|could| if could == EXPECTED { Ok(()) } else { Err(format!("it does not hold: {could:?}")) })
}

fn judge(launched: super::launcher::Launched) -> Result<Could, String> {
    let mut output = String::new();
    let read = launched.output().and_then(|reader| reader.take(64 * 1024).read_to_string(&mut output));
    let ended = read.and_then(|_| launched.report()).map_err(|error| error.to_string())?;
    match ended {
        Report::Exited { code: 0 } => serde_json::from_str(&output).map_err(|error| error.to_string()),
        Report::NotStarted { why } => Err(why),
        other @ (Report::Exited { .. }
        | Report::Signalled { .. }
        | Report::TimeIsUp { .. }
        | Report::TooManyProcesses) => Err(format!("its test ended as {other:?}: {}", output.trim())),
    }
}

/// The program in the sandbox: tries, and says on standard output what it could do.
pub(super) fn probe(arguments: &[String]) -> ExitCode {
    let [hidden, outside, temporary, port] = arguments else { return ExitCode::FAILURE };
    let port = port.parse::<u16>().unwrap_or(0);
    let could = Could {
        read_what_is_hidden: fs::read(hidden).is_ok(),
        write_outside: fs::write(outside, "x").is_ok(),
        connect: TcpStream::connect(("127.0.0.1", port)).is_ok(),
        write_to_its_temporary_directory: fs::write(Path::new(temporary).join("probe"), "x").is_ok(),
    };
    match serde_json::to_writer(io::stdout(), &could) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
