//! A command that gets the token: what may be typed after `exec`, and what it means.

use std::ffi::OsString;

use clap::Args;

/// Where a command finds the token when nothing is said: the first descriptor after stdin, stdout and stderr.
const USUAL_DESCRIPTOR: u16 = 3;
const LONGEST_NAME: usize = 256;
const EXAMPLES: &str = "\
Examples:
  scorpiox-codex-fetchtoken exec -- sh -c 'curl -H @- URL <<EOF
  Authorization: Bearer $(cat <&3)
  EOF'
  scorpiox-codex-fetchtoken exec --fd 0 -- program --token-from-stdin
  scorpiox-codex-fetchtoken exec --env OPENAI_API_KEY --account-env ACCOUNT -- opencode
  scorpiox-codex-fetchtoken --source remote --refused exec -- COMMAND      another token than the last

The token and a newline are in the descriptor: a file in memory that can be read as often as one likes, also as
/dev/fd/3, and not be changed. A variable is seen by whoever may read the environment of the command (the same user and
root), and by everything that the command starts: prefer the descriptor where the command can read one.
The command has this process's id, terminal and signals; its exit code is the only one. It gets the environment as it is,
without TOKEN_HTTP_API_KEY and CODEX_SSH_PASS. It gets one token: what runs for longer than that lasts asks again itself.

Exit codes, when the command did not run:
  64       the command line is wrong; the descriptor is in use already
  126      the command cannot be run (no permission, no program)
  127      the command is not there
  others   there is no token: see scorpiox-codex-fetchtoken --help";

/// What may be typed after `exec`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TypedHandover {
    /// The file descriptor that holds the token: 3 (default) or higher, or 0 for stdin
    #[arg(long, value_name = "N", value_parser = descriptor, conflicts_with = "env")]
    fd: Option<u16>,
    /// Put the token into this variable instead
    #[arg(long, value_name = "NAME", value_parser = variable)]
    env: Option<String>,
    /// Put the ChatGPT account id into this variable; an error when nobody knows it
    #[arg(long, value_name = "NAME", value_parser = variable)]
    account_env: Option<String>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

/// A command, and where it finds the token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handover {
    pub(super) place: Place,
    /// The variable for the account id.
    pub(super) account: Option<String>,
    /// The command and its arguments; at least one.
    pub(super) words: Vec<OsString>,
}

/// Where a command finds the token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Stdin,
    /// 3 or higher.
    Descriptor(u16),
    Variable(String),
}

/// One variable cannot hold both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("--env and --account-env name the same variable")]
pub(super) struct SameVariable;

impl TryFrom<TypedHandover> for Handover {
    type Error = SameVariable;

    fn try_from(typed: TypedHandover) -> Result<Self, SameVariable> {
        if typed.env.is_some() && typed.env == typed.account_env {
            return Err(SameVariable);
        }
        let place = match (typed.env, typed.fd) {
            (Some(name), _) => Place::Variable(name),
            (None, Some(0)) => Place::Stdin,
            (None, descriptor) => Place::Descriptor(descriptor.unwrap_or(USUAL_DESCRIPTOR)),
        };
        Ok(Self { place, account: typed.account_env, words: typed.words })
    }
}

fn descriptor(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(1 | 2) => Err("1 and 2 are the command's output".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("a descriptor is a number: 0, or 3 and higher".to_owned()),
    }
}

fn variable(text: &str) -> Result<String, String> {
    let mut bytes = text.bytes();
    let begins_well = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let is_name = begins_well && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match is_name && text.len() <= LONGEST_NAME {
        true => Ok(text.to_owned()),
        false => Err("a variable's name has letters, digits and _, and begins with no digit".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Exec {
        #[command(flatten)]
        typed: TypedHandover,
    }

    fn place(arguments: &[&str]) -> Option<Place> {
        let all = ["exec"].iter().chain(arguments).chain(&["--", "true"]);
        Exec::try_parse_from(all)
            .ok()
            .and_then(|exec| Handover::try_from(exec.typed).ok())
            .map(|handover| handover.place)
    }

    #[test]
    fn a_place_is_a_descriptor_or_a_variable() {
        assert_eq!(place(&[]), Some(Place::Descriptor(3)));
        assert_eq!(place(&["--fd", "0"]), Some(Place::Stdin));
        assert_eq!(place(&["--fd", "10"]), Some(Place::Descriptor(10)));
        assert_eq!(place(&["--env", "_A1"]), Some(Place::Variable("_A1".to_owned())));
        for fd in ["1", "2", "-1", "65536", "x", ""] {
            assert_eq!(place(&["--fd", fd]), None, "{fd}");
        }
        for name in ["", "1A", "A=B", "A B", "Ä", &"A".repeat(257)] {
            assert_eq!(place(&["--env", name]), None, "{name}");
            assert_eq!(place(&["--account-env", name]), None, "{name}");
        }
        assert_eq!(place(&["--fd", "3", "--env", "A"]), None);
        assert_eq!(place(&["--env", "A", "--account-env", "B"]), Some(Place::Variable("A".to_owned())));
        assert_eq!(place(&["--env", "A", "--account-env", "A"]), None, "one would take the other's place");
    }
}
