//! Starting something through the launcher, with or without a sandbox around it.

use std::ffi::OsString;
use std::io::{self, PipeReader};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::order::{Boundary, Order, Report, hear, say};
use super::policy::Limits;
use super::scratch::Scratch;
use super::{Unavailable, environment};

/// The program's name; it stands beside `sx`.
pub const PROGRAM: &str = "scorpiox-sandbox";

/// How commands are started in this session.
#[derive(Debug)]
pub struct Launcher {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    scratch: Scratch,
}

impl Launcher {
    /// With the launcher in this directory, and what may be handed on of this environment. The session's own
    /// directory is made below `base` (`/tmp`, or what `TMPDIR` says).
    pub fn new(
        program_directory: &Path,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        base: &Path,
    ) -> Result<Self, Unavailable> {
        let program = program_directory.join(PROGRAM);
        if !program.is_file() {
            return Err(Unavailable::NoLauncher { program });
        }
        let scratch = Scratch::make(base).map_err(|source| Unavailable::NoScratch { base: base.to_owned(), source })?;
        let environment = environment::scrubbed(environment, &scratch.temporary());
        Ok(Self { program, environment, scratch })
    }

    /// The session's own directory.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Removes the session's own directory. Commands must have ended.
    pub fn close(self) -> io::Result<()> {
        self.scratch.remove()
    }

    /// No sandbox at all: only for what a person has just seen and agreed to.
    pub fn unconfined(&self) -> Boundary {
        Boundary::Open { limits: Limits::default() }
    }

    /// The launcher program itself.
    pub(in crate::tool) fn program(&self) -> &Path {
        &self.program
    }

    /// Starts a command. Its environment is the scrubbed one, its standard input is empty.
    pub fn launch(&self, order: &Order) -> io::Result<Launched> {
        let (lifeline, theirs) = UnixStream::pair()?;
        let (output, writer) = io::pipe()?;
        let mut command = Command::new(&self.program);
        command.arg("guard").env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(writer.try_clone()?).stderr(writer);
        let guard = command.spawn()?;
        // The command holds our copies of its ends: without them the output has an end.
        drop(command);
        say(&lifeline, order)?;
        Ok(Launched { guard, lifeline, output })
    }
}

/// Something that was started.
#[derive(Debug)]
pub struct Launched {
    guard: Child,
    lifeline: UnixStream,
    output: PipeReader,
}

impl Launched {
    /// Standard output and standard error in the order of writing. It ends when the last process has ended.
    pub fn output(&self) -> io::Result<PipeReader> {
        self.output.try_clone()
    }

    /// The handle that ends it all.
    pub fn lifeline(&self) -> io::Result<Lifeline> {
        Ok(Lifeline(self.lifeline.try_clone()?))
    }

    /// What became of it. Waits for the end; read the output first, or it may never come.
    pub fn report(mut self) -> io::Result<Report> {
        let report = hear(&self.lifeline);
        self.guard.wait()?;
        report
    }
}

/// Ends what was started, with all its processes. So does the end of the process that holds this.
#[derive(Debug)]
pub struct Lifeline(UnixStream);

impl Lifeline {
    /// Ends it. The output comes to its end soon after; there is no report then.
    pub fn cut(&self) {
        // An error says that the other end is gone already.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}
