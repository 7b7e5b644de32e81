//! How a command ends: its answer on stdout, its talk on stderr, its exit code.

use std::ffi::OsString;
use std::io::{self, Write as _};

use clap::Parser;
use clap::error::ErrorKind;

use crate::failure::{Class, Failure};
use crate::talk::Talk;

/// The exit codes, as every command's help says them.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0   the answer was printed
  64  the command line is wrong
  69  a person must act: log in again, resume or look at the credential
  75  try again later: unreachable, busy, backing off, refused too soon
  77  the key is not accepted, or may not have this token
  78  a setting is missing, malformed or contradicts another";

/// Reads what was typed, does it, and says how it ended: the exit code.
pub(super) fn command<T: Parser>(
    name: &str,
    arguments: impl Iterator<Item = OsString>,
    verbose: impl FnOnce(&T) -> bool,
    work: impl FnOnce(T, &mut Talk) -> Result<(), Failure>,
) -> u8 {
    let typed = match T::try_parse_from(arguments) {
        Ok(typed) => typed,
        Err(error) => return untypable(name, &error),
    };
    let (verbose, mut talk) = (verbose(&typed), Talk::default());
    let outcome = work(typed, &mut talk);
    end(name, outcome, &talk, verbose)
}

/// Help and version are answers; anything else is one line, not clap's paragraph.
pub(super) fn untypable(name: &str, error: &clap::Error) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return 0;
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let failure = Failure::new(Class::Usage, first).with_hint("see --help");
    let _ = writeln!(io::stderr(), "{name}: {failure}");
    failure.class.exit_code()
}

/// Says what there is to say, and with which code the command ends.
pub(super) fn end(name: &str, outcome: Result<(), Failure>, talk: &Talk, verbose: bool) -> u8 {
    let mut stderr = io::stderr().lock();
    for line in talk.lines(verbose) {
        let _ = writeln!(stderr, "{name}: {line}");
    }
    let Err(failure) = outcome else { return 0 };
    let _ = writeln!(stderr, "{name}: {failure}");
    failure.class.exit_code()
}

/// Prints the whole answer. A reader that has gone wants nothing more.
pub(super) fn answer(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => {
            written.map_err(|error| Failure::temporary(format!("the answer cannot be written to stdout: {error}")))
        }
    }
}
